"""Decisions and linked accounts, as stored in the journal: read at the start, after each command, and every few seconds, since the
command line may change them while the daemon runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import structlog

from bridge.identity.people import People
from bridge.identity.standing import Ruling, Standing
from bridge.journal.contract import Decision, DecisionKind, JournalError, LinkedUser, PersonStore
from bridge.model.clock import Clock
from bridge.model.refs import AccountName

log = structlog.get_logger("people")

READ_EVERY_S = 5.0


class Community:
    """`on_change` is called after each read that found a change."""

    def __init__(self, journal: PersonStore, on_change: Callable[[], None]) -> None:
        self._journal = journal
        self._on_change = on_change
        self._decisions: Sequence[Decision] = ()
        self._linked: Sequence[LinkedUser] = ()
        self._known_forgotten: Mapping[tuple[AccountName, str], datetime] = {}

    async def load(self) -> None:
        """Raises JournalError."""
        decisions, linked = list(await self._journal.decisions()), list(await self._journal.linked())
        if (decisions, linked) == (list(self._decisions), list(self._linked)):
            return
        self._decisions, self._linked = decisions, linked
        self._on_change()

    async def run(self, clock: Clock) -> None:
        while True:
            await clock.sleep(READ_EVERY_S)
            try:
                await self.load()
            except JournalError as error:
                log.error("journal unavailable", reason=str(error))

    def groups(self) -> Iterator[Mapping[AccountName, tuple[str, str]]]:
        """For each person with linked accounts: account -> user id, username."""
        people: dict[str, dict[AccountName, tuple[str, str]]] = {}
        for one in self._linked:
            people.setdefault(one.person, {})[one.user.account] = (one.user.user_id, one.username)
        yield from people.values()

    def standing(self, people: People) -> Standing:
        rulings = [
            Ruling(
                account=one.user.account,
                user_id=one.user.user_id,
                hides=one.kind is DecisionKind.OPTED_OUT,
                until=one.until,
            )
            for one in self._decisions
            if one.kind is not DecisionKind.FORGOTTEN
        ]
        return Standing(people, rulings)

    def take_newly_forgotten(self) -> Sequence[tuple[AccountName, str]]:
        """Who was erased since the last call, by account and user id."""
        known, self._known_forgotten = self._known_forgotten, dict(self.forgotten())
        return [user for user, at in self._known_forgotten.items() if known.get(user) != at]

    def forgotten(self) -> Mapping[tuple[AccountName, str], datetime]:
        """Who was erased lately, by account and user id, and when."""
        return {(one.user.account, one.user.user_id): one.at for one in self._decisions if one.kind is DecisionKind.FORGOTTEN}
