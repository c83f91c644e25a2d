"""Which threads the bot itself has just locked or unlocked: the gateway tells of a lock without saying who did it. Kept by
`guild_cache`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

_THREADS_KEPT = 500
_CHANGES_KEPT = 20
_WAITED_FOR_S = 300.0
"""So long the gateway has to tell of a change. What was so already is never told: after that the next such change is somebody's."""


class ThreadLocks:
    """What is expected comes once, in the order in which it was done; what is not there by then was never told."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """`now_s`: a monotonic clock."""
        self._now_s = now_s
        self._expected: OrderedDict[str, list[tuple[bool, float]]] = OrderedDict()

    def expect(self, thread_id: str, *, locked: bool) -> None:
        """Before the call that does it."""
        expected = self._expected.setdefault(thread_id, [])
        expected.append((locked, self._now_s()))
        del expected[:-_CHANGES_KEPT]
        self._expected.move_to_end(thread_id)
        while len(self._expected) > _THREADS_KEPT:
            self._expected.popitem(last=False)

    def forget(self, thread_id: str) -> None:
        """The last one was not done."""
        if expected := self._expected.get(thread_id):
            expected.pop()

    def is_ours(self, thread_id: str, *, locked: bool) -> bool:
        """Whether a change that is told is one of the bot's own."""
        since_s = self._now_s() - _WAITED_FOR_S
        expected = [one for one in self._expected.pop(thread_id, []) if one[1] > since_s]
        at = next((number for number, (change, _) in enumerate(expected) if change is locked), -1)
        if left := expected[at + 1 :]:
            self._expected[thread_id] = left
        return at >= 0
