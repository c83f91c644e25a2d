"""The deliveries that a lane has still to do, oldest first: some at hand, the rest in the journal until their turn comes."""

from __future__ import annotations

import collections
from collections.abc import Awaitable, Callable, Iterator, Sequence

from bridge.journal.contract import Pending
from bridge.outbox.work import is_one_message

_AT_HAND = 64
"""Bounds the memory of a lane; more than the deliveries of one merged message."""


class Backlog:
    """`load` reads from the journal: open deliveries above an id, in order, at most so many."""

    def __init__(self, load: Callable[[int, int], Awaitable[Sequence[Pending]]]) -> None:
        self._load = load
        self._queue: collections.deque[Pending] = collections.deque()
        self._behind = False
        self._missed = False
        self._last_id = 0

    def put(self, pending: Pending) -> None:
        """A delivery that was just committed."""
        if self._behind:
            self._missed = True
        elif len(self._queue) >= _AT_HAND:
            self._behind = True
        else:
            self._queue.append(pending)
            self._last_id = pending.delivery_id

    def reload(self) -> None:
        """The journal has deliveries that were not put here."""
        if not self._queue and not self._last_id:
            self._behind = True
        else:
            # something older may have become due again: start over from the beginning once the work at hand is done
            self._behind = self._missed = True
            self._last_id = 0
            self._queue.clear()

    @property
    def is_behind(self) -> bool:
        """Whether there may be more than what is at hand."""
        return self._behind

    @property
    def following(self) -> Pending | None:
        """What comes next, as far as it is at hand."""
        return self._queue[0] if self._queue else None

    def __iter__(self) -> Iterator[Pending]:
        return iter(self._queue)

    def take(self) -> Pending:
        """The next one at hand. Raises IndexError if there is none."""
        return self._queue.popleft()

    def put_back(self, deliveries: Sequence[Pending]) -> None:
        """Deliveries taken and not finished, in their order."""
        self._queue.extendleft(reversed(deliveries))

    async def fill(self) -> None:
        """Read on, when nothing is at hand."""
        self._missed = False
        loaded = await self._load(self._last_id, _AT_HAND)
        whole = _without_half_a_message(loaded) if len(loaded) == _AT_HAND else loaded
        self._queue.extend(whole)
        if whole:
            self._last_id = whole[-1].delivery_id
        if len(loaded) < _AT_HAND and not self._missed:
            self._behind = False


def _without_half_a_message(loaded: Sequence[Pending]) -> Sequence[Pending]:
    """Deliveries that were being sent as one message are taken up together: if the last one loaded is such, its message waits for
    the next reading, unless it is all there is."""
    return [pending for pending in loaded if not is_one_message(pending, loaded[-1])] or loaded
