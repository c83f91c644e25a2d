"""What one lane does next: the deliveries in its line, strictly in order, and beside the line those that no other waits for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from bridge.delivery.attempt_log import AttemptLog
from bridge.delivery.backlog import Backlog
from bridge.delivery.waits import Waits
from bridge.journal.contract import Damaged, OpenDelivery
from bridge.model.clock import Clock

_LOOKED_AT = 64
"""How many deliveries beside the line are read at once."""
_NEVER = float("inf")


class Line:
    """`read_behind` reads those beside the line from the journal, up to a number; `bury` handles those that cannot be read;
    `longest_s` gives the longest single wait of any of them."""

    def __init__(
        self,
        backlog: Backlog,
        attempt_log: AttemptLog,
        waits: Waits,
        clock: Clock,
        *,
        read_behind: Callable[[int], Awaitable[Sequence[OpenDelivery | Damaged]]],
        bury: Callable[[Sequence[Damaged]], Awaitable[None]],
        longest_s: Callable[[], float],
    ) -> None:
        self._backlog = backlog
        self._attempt_log = attempt_log
        self._waits = waits
        self._clock = clock
        self._read_behind = read_behind
        self._bury = bury
        self._longest_s = longest_s
        self._behind_due_s = _NEVER
        """When to look for deliveries beside the line."""
        self._was_behind = False
        """Whether the last delivery was beside the line: they take turns with those in the line."""

    def look_behind(self) -> None:
        """The journal may have deliveries beside the line that are due."""
        self._behind_due_s = 0.0
        self._waits.tell()

    def set_aside(self, due_in_s: float) -> None:
        """One more is beside the line, due after this time."""
        self._behind_due_s = min(self._behind_due_s, self._clock.monotonic_s() + due_in_s)

    async def next(self) -> OpenDelivery | None:
        """The next delivery. None: there is none, decided without yielding to the loop, so that nothing can slip in between. Raises
        Stopping."""
        while True:
            if self._behind_due_s <= self._clock.monotonic_s() and not self._was_behind:
                self._was_behind = True
                if (pending := await self._next_behind()) is not None:
                    return pending
            if self._backlog.following is not None:
                self._was_behind = False
                return self._backlog.take()
            if not self._attempt_log.are_complete:
                await self._attempt_log.record()
            elif self._backlog.is_behind:
                await self._backlog.fill()
            elif self._was_behind:
                self._was_behind = False  # nothing in the line takes its turn
            elif self._behind_due_s < _NEVER:
                await self._waits.for_news(self._behind_due_s - self._clock.monotonic_s())
            else:
                return None

    async def _next_behind(self) -> OpenDelivery | None:
        """The first delivery beside the line that is due."""
        if not self._attempt_log.are_complete:
            await self._attempt_log.record()
        self._behind_due_s = _NEVER
        rows = await self._read_behind(_LOOKED_AT)
        await self._bury([one for one in rows if isinstance(one, Damaged)])
        due: OpenDelivery | None = None
        for one in rows:
            if isinstance(one, Damaged):
                continue
            left_s = self.left_s(one)
            if due is None and left_s <= 0:
                due = one
            else:
                self.set_aside(max(left_s, 0.0))
        return due

    def left_s(self, pending: OpenDelivery) -> float:
        """How long it still has to wait. The recorded wait is used as a duration: a wall clock that was or is wrong makes it no
        longer."""
        if pending.not_before is None:
            return 0.0
        left = pending.not_before - self._clock.now()
        if pending.recorded_at is not None:
            left = min(left, pending.not_before - pending.recorded_at)
        return min(left.total_seconds(), self._longest_s())
