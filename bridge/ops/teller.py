"""Watches what needs a human and tells it: in the chat `ops.chat`, as messages of the bridge's own that go through the journal like
any other, and by `ops.apprise`. What is wrong with that chat, or its account, is told by the other way alone. The app runs it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bridge.accounts.disk import Room
from bridge.accounts.health import Status
from bridge.accounts.state import AccountState
from bridge.accounts.supervisor import AccountSupervisor
from bridge.config.model import OpsConfig
from bridge.journal.contract import (
    AcceptRequest,
    DeadLetter,
    IntakeStore,
    JournalError,
    NoteStore,
    PlannedDelivery,
    Upkeep,
    WaitStore,
)
from bridge.model.clock import Clock
from bridge.model.events import BridgeSaid, EventMeta
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain
from bridge.observability.left_out import Omission
from bridge.observability.logs import masked
from bridge.observability.reports import Reports
from bridge.ops.happenings import Happened, Happenings
from bridge.ops.other_ways import OtherWays
from bridge.ops.telling import Other, State, Telling, Trouble, message
from bridge.ops.troubles import Waiting, account_subject, end_subject, sending_subject, states
from bridge.policy.routing import OWN_ROUTE, RoutingTable

LOOK_EVERY_S = 5.0
_NOTE = "ops told"
_JOURNAL = "the journal"
_AWAY_S = 300.0
"""An account that was away for so long needs somebody who looks, even if it goes on trying."""
_TIMES_THE_WORK, _WAITS_AT_LEAST_EVERY_S = 50.0, 25.0


class OpsStore(IntakeStore, NoteStore, WaitStore, Upkeep, Protocol):
    pass


class Ops:
    """`happened` at any time, `run` as a service."""

    def __init__(
        self,
        journal: OpsStore,
        clock: Clock,
        supervisors: Mapping[AccountName, AccountSupervisor],
        reports: Reports,
        *,
        wake: Callable[[ChatAddress], None],
        config: Callable[[], OpsConfig],
        table: Callable[[], RoutingTable],
    ) -> None:
        self._journal = journal
        self._wake = wake
        self._clock = clock
        self._config = config
        self._supervisors = supervisors
        self._table = table
        self._reports = reports
        reports.on_omission(self.left_out)
        self._telling: Telling | None = None
        self._happened = Happenings()
        self._up_at_s: dict[AccountName, float] = {}
        self._kept: dict[str, Trouble] = {}
        self._journal_fault = ""
        self._waits: dict[str, Waiting] = {}
        self._waits_again_at_s = float("-inf")
        self._other_ways = OtherWays(clock)

    # -- what happens -------------------------------------------------------------------------------------------------------

    def dead(self, letter: DeadLetter) -> None:
        """A delivery was given up. One of the bridge's own words into the ops chat is told by no such word: it would not end."""
        if letter.route == OWN_ROUTE and letter.target == self._config().chat:
            return
        example = f"{letter.reason} (dead letter {letter.delivery_id} of route {letter.route})"
        self._happened.add(Happened(f"given up into {letter.target}", example, "messenger-bridge dead list"))

    def gap(self, chat: ChatRef, since: datetime, until: datetime, reason: str) -> None:
        """Messages of a chat were missed and cannot be fetched."""
        addresses = self._table().addresses_of(chat)
        name = addresses[0] if addresses else chat
        what = f"messages between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC could not be fetched: {reason}"
        self._happened.add(Happened(f"gap in {name}", what, "look there yourself"))

    def left_out(self, omission: Omission) -> None:
        """A rule left something out."""
        if self._config().skipped:
            subject = f"left out on route {omission.route} into {omission.account}"
            self._happened.add(Happened(subject, omission.rule, omission.action, is_minor=True))

    # -- telling ------------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._other_ways.run(), name="other ways of telling")
            while True:
                await self._clock.sleep(LOOK_EVERY_S)
                self._other_ways.use(self._config().apprise)
                if self._config().is_on:
                    await self.look()
                else:
                    self._happened.clear()

    async def look(self) -> None:
        """Tell what is due."""
        config, now_s = self._config(), self._clock.monotonic_s()
        telling = self._telling or await self._begin(now_s)
        if telling is None:
            return
        telling.see(self._states(now_s, await self._reports.room(), await self._look_at_waits()), now_s)
        lines = telling.due(now_s, config.quiet_min * 60)
        if lines and await self._tell(lines, config):
            telling.were_told(lines, now_s)
        if telling.told != self._kept and await self._keep(telling.told):
            self._kept = telling.told

    async def _begin(self, now_s: float) -> Telling | None:
        """From what the last run told. None: the journal cannot be read, and what is known is not known yet."""
        try:
            self._kept = _read(await self._journal.note(_NOTE))
        except JournalError:
            return None  # the log says it
        self._telling = Telling(self._kept, self._happened, now_s=now_s)
        return self._telling

    async def _look_at_waits(self) -> dict[str, Waiting]:
        """By the name of the account or chat. Of a large backlog the journal is asked rarely."""
        began_s = self._clock.monotonic_s()
        if began_s < self._waits_again_at_s:
            return self._waits
        try:
            lanes, waits = (await self._journal.figures()).lanes, await self._journal.waits()
        except JournalError:
            return self._waits  # told by what else fails then
        self._waits = {str(lane.target): Waiting(lane.next_attempt_at, lane.oldest_accepted_at, lane.last_error) for lane in lanes}
        for name, wait in waits.items():
            where = name.partition(":")[2]
            known = self._waits.get(where, Waiting())
            until = wait.until if known.until is None else max(wait.until, known.until)
            self._waits[where] = replace(known, until=until, why=known.why or "the platform's rate limit")
        took_s = self._clock.monotonic_s() - began_s
        self._waits_again_at_s = began_s + min(took_s * _TIMES_THE_WORK, _WAITS_AT_LEAST_EVERY_S)
        return self._waits

    def _states(self, now_s: float, disks: Mapping[str, Room], waits: Mapping[str, Waiting]) -> dict[str, State]:
        up = [name for name, one in self._supervisors.items() if one.health.state is AccountState.UP]
        self._up_at_s = {name: now_s if name in up else self._up_at_s.get(name, now_s) for name in self._supervisors}
        table = self._table()
        found = states(
            self._supervisors,
            self._reports.health(),
            {name: table.addresses(name) for name in self._supervisors},
            disks,
            away_s={name: now_s - at_s for name, at_s in self._up_at_s.items()},
            now=self._clock.now(),
            patience_s=_AWAY_S,
            waits=waits,
        )
        return found | {_JOURNAL: Trouble(self._journal_fault) if self._journal_fault else Other.WELL}

    async def _tell(self, lines: Mapping[str, str], config: OpsConfig) -> bool:
        """Whether it was told."""
        lines = {subject: masked(line) for subject, line in lines.items()}  # what a server says of an error may be anything
        inside = {subject: line for subject, line in lines.items() if not _is_about(subject, config.chat)}
        told = True
        if config.chat is not None and inside:
            told = self._is_heard(config.chat) and await self._post(message(inside), config.chat, config.thread_id)
        if config.apprise is not None:
            self._other_ways.use(config.apprise)
            self._other_ways.put(message(lines))
            told = True
        return told

    def _is_heard(self, chat: ChatAddress) -> bool:
        """While nothing arrives there, what changes is summed up instead of queued: what matters afterwards is how it is then."""
        supervisor = self._supervisors.get(chat.account)
        trouble = self._reports.health().trouble_of(chat)
        lost = trouble is not None and trouble.status is Status.FAIL
        return supervisor is not None and supervisor.health.state is AccountState.UP and not lost

    async def _post(self, said: str, chat: ChatAddress, thread_id: str | None) -> bool:
        """Whether the journal keeps it."""
        now = self._clock.now()
        place = ChatRef(chat.account, self._table().native_id(chat) or chat.address)
        key = f"ops:{secrets.token_hex(8)}"
        meta = EventMeta(event_key=key, origin=place, occurred_at=now, received_at=now, thread_id=thread_id)
        planned = PlannedDelivery(route=OWN_ROUTE, target=chat, thread_id=thread_id)
        request = AcceptRequest(event=BridgeSaid(meta=meta, text=plain(said)), deliveries=(planned,))
        try:
            await self._journal.accept(self._journal.lease(chat.account), [request], (), received_at=now)
        except JournalError as error:
            self._journal_fault = str(error)
            return False
        self._journal_fault = ""
        self._wake(chat)
        return True

    async def _keep(self, told: Mapping[str, Trouble]) -> bool:
        written = json.dumps({subject: [one.reason, one.action, one.is_grave] for subject, one in told.items()})
        try:
            await self._journal.set_note(_NOTE, written)
        except JournalError as error:
            self._journal_fault = str(error)
            return False
        self._journal_fault = ""
        return True


def _is_about(subject: str, chat: ChatAddress | None) -> bool:
    """Whether a line about it cannot be told in that chat."""
    if chat is None:
        return subject == _JOURNAL
    own = (account_subject(chat.account), sending_subject(chat.account), end_subject(chat), sending_subject(chat))
    return subject == _JOURNAL or subject in own


def _read(note: str | None) -> dict[str, Trouble]:
    """What is not understood counts as not told."""
    try:
        return {
            str(subject): Trouble(str(reason), str(action), bool(grave))
            for subject, (reason, action, grave) in json.loads(note or "{}").items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}
