"""When a thread that could not be made is tried again: at once after a restart, a reload, or once the account may do more in the
chat; else after an hour, and more and more rarely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.model.clock import Clock
from bridge.model.refs import ChatAddress, ThreadRef

FIRST_WAIT_S = 3600.0
LONGEST_WAIT_S = 86400.0
KEPT = 5000


@dataclass(slots=True)
class _Refused:
    due_s: float
    wait_s: float


class ThreadRetries:
    """Of all conversations, since the process started: what is not in it has not been tried yet."""

    def __init__(self, clock: Clock, table: Callable[[], object]) -> None:
        """`table`: the routes as they are now; others than before are a reload's."""
        self._clock = clock
        self._refused: dict[ChatAddress, dict[ThreadRef, _Refused]] = {}
        self._table = table
        self._of_table: object = None

    def _look(self) -> None:
        if (table := self._table()) is not self._of_table:
            self._of_table = table
            self._refused.clear()

    def is_due(self, thread: ThreadRef, target: ChatAddress) -> bool:
        self._look()
        known = self._refused.get(target, {}).get(thread)
        return known is None or known.due_s <= self._clock.monotonic_s()

    def failed(self, thread: ThreadRef, target: ChatAddress) -> None:
        self._look()
        if sum(map(len, self._refused.values())) >= KEPT:
            self._refused.clear()
        of_target = self._refused.setdefault(target, {})
        known = of_target.get(thread)
        wait_s = FIRST_WAIT_S if known is None else min(2 * known.wait_s, LONGEST_WAIT_S)
        of_target[thread] = _Refused(self._clock.monotonic_s() + wait_s, wait_s)

    def made(self, thread: ThreadRef, target: ChatAddress) -> None:
        self._refused.get(target, {}).pop(thread, None)

    def restored(self, target: ChatAddress) -> None:
        """The account may do more in that chat than before."""
        self._refused.pop(target, None)
