"""What one lane writes into the journal, and when: receipts are batched, and attempts are recorded ahead of their turn, so that a
fast platform does not wait for a disk sync per message. See docs/decisions/0002."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog

from bridge.journal.contract import (
    AttemptStarted,
    Change,
    Deferred,
    DeliveryStatus,
    JournalError,
    OpenDelivery,
    PiecesSet,
    PlanSet,
)
from bridge.model.clock import Clock
from bridge.model.events import MessageCreated
from bridge.model.refs import ChatAddress

log = structlog.get_logger("outbox")

MAX_PRERECORDED = 16
"""How many attempts may be on disk before they are made: after a crash that many outcomes can be unknown."""
LOW_WATER = MAX_PRERECORDED // 2
"""With fewer left, the next ones are written while the lane continues."""
_UNWRITTEN_S = 0.1
_LAST_WRITE_S = 5.0


class AttemptLog:
    """`write` puts changes into the journal, however long that takes, and at once unless they have time; `waiting` is what the lane
    has in memory; `may_run_ahead` says whether more than one of its messages may have an unknown outcome; `give_way` returns when
    nothing more urgent is about to be written."""

    def __init__(
        self,
        address: ChatAddress,
        clock: Clock,
        *,
        write: Callable[[Sequence[Change], bool], Awaitable[None]],
        waiting: Iterable[OpenDelivery],
        may_run_ahead: Callable[[], bool],
        give_way: Callable[[], Awaitable[object]],
    ) -> None:
        self._address = address
        self._clock = clock
        self._write = write
        self._waiting = waiting
        self._may_run_ahead = may_run_ahead
        self._give_way = give_way
        self._unwritten: list[Change] = []
        self._writing = asyncio.Lock()
        self._prerecorded: set[int] = set()
        """Deliveries whose first attempt is on disk and not made yet."""
        self._prerecording: set[int] = set()
        """Those whose first attempt is being written, without the lane waiting for it."""
        self._receipts: asyncio.Task[None] | None = None
        self._attempts: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    # -- changes ------------------------------------------------------------------------------------------------------------

    @property
    def are_complete(self) -> bool:
        """Whether nothing waits to be written, is being written, or failed to be written: otherwise `record` handles it."""
        return not self._unwritten and not self._writing.locked() and self._failure is None

    def later(self, changes: Sequence[Change]) -> None:
        """They are written with the next changes, at the latest when the lane is idle."""
        self._unwritten.extend(changes)

    async def record(self, changes: Sequence[Change] = (), *, has_time: bool = False) -> None:
        """Write what is waiting to be written, then these changes, as one transaction; it `has_time` if nothing but these are to be
        written, and a lane that waits anyhow is all that waits for it. Raises the error of an earlier transaction
        that nothing awaited. If this one fails, what has happened already stays to be written; only attempts and delays do not."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        async with self._writing:
            waiting = len(self._unwritten)
            batch = [*self._unwritten, *changes]
            if not batch:
                return
            try:
                await self._write_all(batch, waiting, changes, has_time and not waiting)
            except BaseException:
                # prerecorded together with the failed changes: they are not on disk
                self._prerecorded.difference_update(one.delivery_id for one in changes if isinstance(one, AttemptStarted))
                self._unwritten += _happened(changes)
                raise

    async def _write_all(self, batch: Sequence[Change], waiting: int, changes: Sequence[Change], has_time: bool) -> None:
        try:
            await self._write(batch, has_time)
        except ValueError as error:
            if not waiting:
                raise
            await self._write_apart(waiting, error)
            if changes:
                await self._write(changes, False)
            return
        del self._unwritten[:waiting]

    async def _write_apart(self, waiting: int, error: ValueError) -> None:
        """The journal refuses the batch. A receipt that it cannot store must not cost another delivery its receipt."""
        log.error("records refused; written one by one", target=str(self._address), reason=str(error))
        for _, group in itertools.groupby(self._unwritten[:waiting], key=_delivery_of):
            changes = list(group)
            try:
                await self._write(changes, False)
            except ValueError as refused:
                log.error("record refused", target=str(self._address), delivery=_delivery_of(changes[0]), reason=str(refused))
            del self._unwritten[: len(changes)]

    async def close(self) -> None:
        """What cannot be written now is found again after the restart, by reconciling."""
        for task in (self._receipts, self._attempts):
            if task is not None:
                task.cancel()
        self._failure = None
        if self._unwritten:
            with contextlib.suppress(TimeoutError, JournalError):
                async with asyncio.timeout(_LAST_WRITE_S):
                    await self.record()

    # -- attempts on disk before their turn ---------------------------------------------------------------------------------

    def put_prerecorded(self, pending: OpenDelivery) -> None:
        """It was accepted together with its first attempt."""
        self._prerecorded.add(pending.delivery_id)

    def is_prerecorded(self, pending: OpenDelivery) -> bool:
        """Whether its first attempt is on disk and not made yet. A delivery read from the journal may have one that is not known
        here yet."""
        return pending.delivery_id in self._prerecorded or pending.delivery_id in self._prerecording

    def drop_prerecorded(self, pending: OpenDelivery) -> None:
        self._prerecorded.discard(pending.delivery_id)
        self._prerecording.discard(pending.delivery_id)

    def claim(self, pending: OpenDelivery) -> bool:
        """As `is_prerecorded`; if so the attempt is made now, and further ones are recorded meanwhile."""
        self._prerecording.discard(pending.delivery_id)  # its turn came sooner: it records its own attempt
        if pending.delivery_id not in self._prerecorded:
            return False
        self._prerecorded.discard(pending.delivery_id)
        if len(self._prerecorded) < LOW_WATER and self._attempts is None and self._may_run_ahead() and self._following():
            self._attempts = self._task(self._write_attempts(), "attempts")
        elif self._unwritten and self._receipts is None:
            self._receipts = self._task(self._write_receipts(), "receipts")
        return True

    def prerecord_next(self, now: datetime) -> Sequence[Change]:
        """The attempts of the next deliveries, to be recorded with the current one. Where the platform can be asked what became of
        a message, they share a transaction, and so do their receipts. Elsewhere it is one message per lane."""
        if not self._may_run_ahead():
            return []
        following = self._following()
        self._prerecorded.update(pending.delivery_id for pending in following)
        return _attempts(following, now)

    def _following(self) -> list[OpenDelivery]:
        """The next deliveries, as far as they are plain messages whose attempts may be recorded ahead."""
        found: list[OpenDelivery] = []
        for pending in self._waiting:
            if len(found) + len(self._prerecorded) >= MAX_PRERECORDED or not is_simple(pending):
                break
            if pending.delivery_id not in self._prerecorded:
                found.append(pending)
        return found

    async def _write_attempts(self) -> None:
        try:
            await self._give_way()
            following = self._following()
            self._prerecording = {pending.delivery_id for pending in following}
            await self.record(_attempts(following, self._clock.now()))
            self._prerecorded.update(self._prerecording)
        finally:
            self._prerecording = set()
            self._attempts = None

    async def _write_receipts(self) -> None:
        """They wait to be batched, but not for a slow platform."""
        await self._clock.sleep(_UNWRITTEN_S)
        await self._give_way()
        self._receipts = None
        await self.record()

    def _task(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"{what} {self._address}")
        task.add_done_callback(self._note_failure)
        return task

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._failure = self._failure or task.exception()


def _happened(changes: Sequence[Change]) -> list[Change]:
    """Those that say what has happened. An attempt and a delay were about to, and so was what is recorded with an attempt: how the
    message is made up."""
    begins = any(isinstance(one, AttemptStarted) for one in changes)
    planned = AttemptStarted | Deferred | PlanSet | PiecesSet if begins else AttemptStarted | Deferred
    return [one for one in changes if not isinstance(one, planned)]


def _delivery_of(change: Change) -> int | None:
    return getattr(change, "delivery_id", None)


def is_simple(pending: OpenDelivery) -> bool:
    """Whether a delivery begins with recording its attempt, so that this and the receipt before go into one transaction."""
    event = pending.event
    return (
        isinstance(event, MessageCreated)
        and not event.content.attachments
        and event.content.reply_to is None
        and pending.state is DeliveryStatus.WAITING
        and pending.not_before is None
        and pending.later is None
    )


def _attempts(deliveries: Sequence[OpenDelivery], now: datetime) -> list[Change]:
    return [AttemptStarted(delivery_id=pending.delivery_id, part=0, attempt=1, at=now) for pending in deliveries]
