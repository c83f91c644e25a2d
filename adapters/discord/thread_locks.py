"""Which threads the bot itself has just locked or unlocked: the gateway tells of a lock without saying who did it. Kept by
`guild_cache`."""

from __future__ import annotations

from collections import OrderedDict

_THREADS_KEPT = 500
_CHANGES_KEPT = 20


class ThreadLocks:
    """What is expected comes once, in the order in which it was done; what is not there by then was never told."""

    def __init__(self) -> None:
        self._expected: OrderedDict[str, list[bool]] = OrderedDict()

    def expect(self, thread_id: str, *, locked: bool) -> None:
        """Before the call that does it."""
        expected = self._expected.setdefault(thread_id, [])
        expected.append(locked)
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
        expected = self._expected.get(thread_id, [])
        if locked not in expected:
            return False
        del expected[: expected.index(locked) + 1]
        if not expected:
            self._expected.pop(thread_id, None)
        return True
