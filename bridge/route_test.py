"""`messenger-bridge test ROUTE`: one line goes through the route from each of its ends, as if somebody had written it there; each
copy is waited for, timed, and taken away again. Runs in the daemon, over its real connections, by the real way of a message.

What it cannot show is whether an end is heard: nobody writes in the origin chat. `check --online` and the health report tell that.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from bridge.accounts.supervisor import AccountSupervisor
from bridge.journal.contract import DeliveryStatus, JournalError, TraceStore
from bridge.journal.tracing import ChangeKind, TracedDelivery, TracedEvent
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.errors import BridgeError
from bridge.model.events import Author, ChatEvent, Content, EventMeta, MessageCreated, MessageDeleted
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef
from bridge.model.rich_text import plain
from bridge.policy.routing import Route, RouteEnd

WITHIN_S = 60.0
"""For all copies of one line to arrive; as long again for them to go."""
_LOOK_S = 0.05
_FINAL = (DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED, DeliveryStatus.DEAD, DeliveryStatus.HELD)
_NOT_HEARD = (BridgeError, JournalError, KeyError)
"""What `hear` raises; KeyError if a reload took the account away."""
_AUTHOR = Author(user_id="messenger-bridge-test", name="Test of the bridge")
_MOST_LINES = 60
"""Copies that one test makes at most: a route of many ends is tested from as many of them as that allows."""


class Hearing(Protocol):
    """The part of `RunningAccounts` that hears."""

    async def hear(self, address: ChatAddress, make: Callable[[ChatRef], ChatEvent]) -> ChatRef: ...

    def supervisor(self, name: AccountName) -> AccountSupervisor | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """One direction. `took_s`: from the acceptance of the line until its copy was there, `deleted_s` the same for its deletion."""

    origin: str
    target: str
    result: str
    """delivered, skipped, dead, waiting, or `not tested`."""
    took_s: float | None = None
    deleted_s: float | None = None
    is_gone: bool = True
    """Whether nothing of it is left there."""
    note: str = ""

    @property
    def ok(self) -> bool:
        return self.result == "delivered" and self.is_gone


class RouteTests:
    """One test at a time. `within_s`: for the copies to arrive, and as long again for them to go."""

    def __init__(self, accounts: Hearing, journal: TraceStore, clock: Clock = SYSTEM_CLOCK, *, within_s: float = WITHIN_S) -> None:
        self._accounts = accounts
        self._journal = journal
        self._clock = clock
        self._within_s = within_s
        self._one_at_a_time = asyncio.Lock()

    async def run(self, route: Route) -> dict[str, Any]:
        """As the control socket answers."""
        if self._one_at_a_time.locked():
            return {"ok": False, "error": "another test is under way; try again when it is done"}
        async with self._one_at_a_time:
            found = [one async for one in self._all(route)]
        return {
            "ok": bool(found) and all(one.ok for one in found),
            "route": route.name,
            "directions": [asdict(one) | {"ok": one.ok} for one in found],
        }

    async def _all(self, route: Route) -> AsyncIterator[Tested]:
        lines = 0
        for origin in route.ends:
            targets = [end for end in route.ends if end.receives and end is not origin]
            if not origin.sends or not targets:
                continue
            lines += len(targets)
            if lines > _MOST_LINES and lines > len(targets):
                yield _untested(origin, targets, f"a test makes {_MOST_LINES} copies at most")
                continue
            for one in await self._from(route, origin, targets):
                yield one

    async def _from(self, route: Route, origin: RouteEnd, targets: Sequence[RouteEnd]) -> list[Tested]:
        test_id = f"test-{secrets.token_hex(8)}"
        text = f"Test of the messenger bridge, route {route.name}, from {origin}. It is deleted at once."

        def line(chat: ChatRef) -> MessageCreated:
            return MessageCreated(meta=self._meta(test_id, chat, origin), message_id=test_id, content=Content(text=plain(text)))

        def end_of_it(chat: ChatRef) -> MessageDeleted:
            return MessageDeleted(meta=self._meta(f"{test_id}:deleted", chat, origin), message_id=test_id)

        try:
            chat = await self._accounts.hear(origin.chat, line)
        except _NOT_HEARD as error:
            return [_untested(origin, targets, _reason(error))]
        message = MessageRef(chat, test_id)
        try:
            sent, why = await self._until(message, None), "no route took the line: the end is not in force yet"
        except JournalError as error:
            sent, why = None, f"{_reason(error)} - the line may be there: look, and delete it by hand"
            await self._take_away(origin, end_of_it)
        except asyncio.CancelledError:
            await self._take_away(origin, end_of_it)  # the daemon stops: its lanes, or those of its next run, delete the copies
            raise
        if sent is None:
            return [_untested(origin, targets, why)]
        left = await self._take_away(origin, end_of_it)
        gone = None
        if not left:
            try:
                gone = await self._until(message, ChangeKind.DELETION)
            except JournalError as error:
                left = _reason(error)
        return list(self._results(route, sent, gone, origin=origin, left=left))

    async def _take_away(self, origin: RouteEnd, end_of_it: Callable[[ChatRef], ChatEvent]) -> str:
        """Why the line cannot be taken away; empty: it is going."""
        try:
            await self._accounts.hear(origin.chat, end_of_it)
        except _NOT_HEARD as error:
            return _reason(error)
        return ""

    def _meta(self, key: str, chat: ChatRef, origin: RouteEnd) -> EventMeta:
        now = self._clock.now()
        return EventMeta(
            event_key=f"{chat.account}:{key}",
            origin=chat,
            thread_id=origin.thread_id,
            author=_AUTHOR,
            occurred_at=now,
            received_at=now,
        )

    async def _until(self, message: MessageRef, change: ChangeKind | None) -> TracedEvent | None:
        """The line, or a change of it, once all its deliveries have ended, or the time is over. None: the journal has no such."""
        until_s = self._clock.monotonic_s() + self._within_s
        while True:
            found = await self._journal.trace(message)
            events = [found[0].event] if found and change is None else []
            if found and change is not None:
                events = [one for one in found[0].changes if one.change is change and one.of == message]
            event = events[0] if events else None
            is_over = self._clock.monotonic_s() >= until_s
            if is_over or (event is not None and all(one.state in _FINAL for one in event.deliveries)):
                return event
            if event is None and change is None:
                return None  # it was accepted: a line without a route is in no journal
            await self._clock.sleep(_LOOK_S)

    def _results(
        self, route: Route, sent: TracedEvent, gone: TracedEvent | None, *, origin: RouteEnd, left: str
    ) -> Iterator[Tested]:
        """`left`: why the line could not be taken away."""
        removed = {(one.target, one.thread_id): one for one in gone.deliveries} if gone is not None else {}
        for one in sent.deliveries:
            if one.route != route.name:
                continue  # a line into a chat of several routes goes through all of them
            deletion = removed.get((one.target, one.thread_id))
            comes = bool(one.copies) or (bool(left) and one.state not in _FINAL)
            is_gone = not comes or (deletion is not None and deletion.state is DeliveryStatus.DELIVERED)
            yield Tested(
                origin=str(origin),
                target=_place(one),
                result=one.state.value if one.state in _FINAL else "waiting",
                took_s=_took_s(sent, one),
                deleted_s=_took_s(gone, deletion) if gone is not None and deletion is not None and is_gone else None,
                is_gone=is_gone,
                note=self._note(one, left if deletion is None else deletion.note, is_gone=is_gone),
            )

    def _note(self, one: TracedDelivery, left: str, *, is_gone: bool) -> str:
        if one.state is not DeliveryStatus.DELIVERED:
            supervisor = self._accounts.supervisor(one.target.account)
            note = one.note or (supervisor.health.reason if supervisor is not None else "") or "messenger-bridge status says more"
            return note if is_gone else f"{note}; it may still come, and is not taken away: {left}"
        if is_gone:
            return ""
        return "the copy is still there" + (f": {left}" if left else "") + " - delete it by hand"


def _reason(error: BaseException) -> str:
    return getattr(error, "reason", "") or str(error) or type(error).__name__


def _took_s(event: TracedEvent, one: TracedDelivery) -> float | None:
    if one.state is not DeliveryStatus.DELIVERED or one.ended_at is None:
        return None
    return round(max((one.ended_at - event.accepted_at).total_seconds(), 0.0), 3)


def _place(one: TracedDelivery) -> str:
    return str(one.target) if one.thread_id is None else f"{one.target}/{one.thread_id}"


def _untested(origin: RouteEnd, targets: Sequence[RouteEnd], why: str) -> Tested:
    return Tested(origin=str(origin), target=", ".join(map(str, targets)), result="not tested", note=why)
