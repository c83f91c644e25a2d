"""Marks an original, by a reaction or a reply of the bot, when a copy failed for good, and posts a notice in the route's `notify`
chat. Removes the mark once a retried copy has arrived. Marks are recorded in the journal, so that none is shown twice or forgotten.
The app runs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from bridge.identity.names import clean_line, shorten
from bridge.journal.contract import (
    AcceptRequest,
    DeadLetter,
    DeadLetterStore,
    DeliveryStatus,
    IntakeStore,
    JournalError,
    PersonStore,
    PlannedDelivery,
    TraceStore,
)
from bridge.model.clock import Clock
from bridge.model.events import BridgeSaid, EventMeta, MessageCreated
from bridge.model.refs import ChatAddress, ChatRef
from bridge.model.rich_text import plain
from bridge.policy.allowance import Allowance
from bridge.policy.routing import OWN_ROUTE, DeadMark, OnDead, RoutingTable

log = structlog.get_logger("outbox")

POLL_S = 2.0
MARKS = ("⚠️", "❗", "👎")
"""The first that the chat accepts is used: not every platform allows all emoji."""
_REASON_LENGTH = 300
_MOST_LINES, _LINES_WITHIN_S = 10, 600.0
"""An outage of hours ends thousands of deliveries: more lines than that in a chat hide what people say."""
_DEAD = (DeliveryStatus.DEAD, DeliveryStatus.HELD)


class MarkStore(IntakeStore, DeadLetterStore, TraceStore, Protocol):
    @property
    def persons(self) -> PersonStore: ...


class DeadMarks:
    def __init__(
        self,
        journal: MarkStore,
        wake: Callable[[ChatAddress], None],
        table: Callable[[], RoutingTable],
        clock: Clock,
        *,
        on_dead: Callable[[DeadLetter], None] = lambda _: None,
    ) -> None:
        """`on_dead` is given each dead letter, once."""
        self._on_dead = on_dead
        self._journal = journal
        self._wake = wake
        self._table = table
        self._clock = clock
        self._lines = Allowance(most=_MOST_LINES, within_s=_LINES_WITHIN_S)
        self._sums = Allowance(most=1, within_s=_LINES_WITHIN_S)
        self._untold: Counter[tuple[ChatAddress, str | None]] = Counter()
        """How many had no line of their own, by the chat and thread to tell."""

    async def run(self) -> None:
        while True:
            await self._clock.sleep(POLL_S)
            try:
                await self.show()
            except JournalError as error:
                log.error("journal unavailable", reason=str(error))

    async def show(self) -> None:
        """Raises JournalError."""
        persons = self._journal.persons
        if numbers := await persons.unshown_dead():
            for number in numbers:
                await self._once(number, self._of_dead)
            await persons.dead_shown(numbers, at=self._clock.now())
        await self._tell_the_sum()
        if numbers := await persons.recovered():
            for number in numbers:
                await self._once(number, self._of_recovered)
            await persons.forget_shown(numbers)

    async def _once(self, number: int, requests: Callable[[int], Awaitable[Sequence[AcceptRequest]]]) -> None:
        """One that meets a bug is left out, so that the others are shown. Raises JournalError."""
        try:
            await self._say(await requests(number))
        except JournalError:
            raise
        except Exception:
            log.exception("mark failed unexpectedly", delivery=number)

    async def _say(self, requests: Sequence[AcceptRequest]) -> None:
        for request in requests:
            lease = self._journal.lease(request.event.meta.origin.account)
            await self._journal.accept(lease, [request], (), received_at=self._clock.now())
            for planned in request.deliveries:
                self._wake(planned.target)

    async def _of_dead(self, number: int) -> Sequence[AcceptRequest]:
        letter = await self._journal.dead_letter(number)
        if letter is None:
            return ()
        self._on_dead(letter)
        rules, event = self._rules(letter.route), letter.event
        if not isinstance(event, MessageCreated) or event.meta.author is None:
            return ()
        key = f"dead:{letter.delivery_id}:{letter.died_at.timestamp()}"
        reason = shorten(clean_line(letter.reason), _REASON_LENGTH)
        requests: list[AcceptRequest] = []
        if rules.mark is not DeadMark.NONE:
            said = f"⚠️ This did not arrive in {letter.target}: {reason}"
            marks = MARKS if rules.mark is DeadMark.REACTION else ()
            shown = self._at_source(event.meta.origin, event.meta.thread_id, event.message_id, key, said, marks)
            if marks or self._has_room(str(event.meta.origin)):
                requests += shown
            elif shown:
                self._untold[shown[0].deliveries[0].target, event.meta.thread_id] += 1
        if rules.notify is not None and not self._has_room(f"told {rules.notify}"):
            self._untold[rules.notify, rules.notify_thread] += 1
        elif rules.notify is not None:
            where = f"{event.meta.origin}#{event.message_id}"
            said = f"⚠️ {letter.route}: {where} did not arrive in {letter.target}: {reason} (dead letter {letter.delivery_id})"
            requests.append(self._line(f"{key}:told", rules.notify, rules.notify_thread, said))
        return requests

    def _has_room(self, chat: str) -> bool:
        return self._lines.take(chat, self._clock.monotonic_s())

    async def _tell_the_sum(self) -> None:
        for (chat, thread_id), count in list(self._untold.items()):
            if self._sums.take(f"{chat}/{thread_id}", self._clock.monotonic_s()):
                said = f"⚠️ {count} more did not arrive: messenger-bridge dead list"
                key = f"dead:{count} more:{chat}:{self._clock.now().timestamp()}"
                await self._say([self._line(key, chat, thread_id, said)])
                del self._untold[chat, thread_id]

    def _line(self, key: str, to: ChatAddress, thread_id: str | None, said: str) -> AcceptRequest:
        chat = ChatRef(to.account, self._table().native_id(to) or to.address)
        planned = PlannedDelivery(route=OWN_ROUTE, target=to, thread_id=thread_id)
        return AcceptRequest(event=BridgeSaid(meta=self._meta(key, chat, thread_id), text=plain(said)), deliveries=(planned,))

    async def _of_recovered(self, number: int) -> Sequence[AcceptRequest]:
        """Does nothing while another copy of the message is dead."""
        traced = await self._journal.trace_delivery(number)
        if traced is None or traced.original is None or any(one.state in _DEAD for one in traced.event.deliveries):
            return ()
        route = next((one.route for one in traced.event.deliveries if one.delivery_id == number), "")
        rules = self._rules(route)
        if rules.mark is DeadMark.NONE:
            return ()
        marks = MARKS if rules.mark is DeadMark.REACTION else ()
        if not marks and not self._has_room(str(traced.original.chat)):
            return ()
        key, original = f"recovered:{number}", traced.original
        said = "✅ It has arrived by now."
        return self._at_source(original.chat, None, original.message_id, key, said, marks, unmark=bool(marks))

    def _at_source(
        self, chat: ChatRef, thread_id: str | None, about: str, key: str, said: str, marks: tuple[str, ...], *, unmark: bool = False
    ) -> list[AcceptRequest]:
        """None if no route has the chat any more."""
        addresses = self._table().addresses_of(chat)
        if not addresses:
            return []
        event = BridgeSaid(meta=self._meta(key, chat, thread_id), text=plain(said), about=about, marks=marks, unmark=unmark)
        planned = PlannedDelivery(route=OWN_ROUTE, target=addresses[0], thread_id=thread_id)
        return [AcceptRequest(event=event, deliveries=(planned,))]

    def _meta(self, key: str, chat: ChatRef, thread_id: str | None) -> EventMeta:
        now: datetime = self._clock.now()
        return EventMeta(event_key=key, origin=chat, occurred_at=now, received_at=now, thread_id=thread_id)

    def _rules(self, route: str) -> OnDead:
        found = self._table().route(route)
        return found.on_dead if found is not None else OnDead()
