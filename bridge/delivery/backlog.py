"""The deliveries that a lane has still to make, oldest first: some in memory, the rest in the journal until their turn comes.

A delivery comes here from the journal (`fill`) or straight from the intake (`put`), in either order: a read may see a delivery
before the acceptance that committed it returns. Only its sequence number in the lane (`lane_seq`) decides what was taken."""

from __future__ import annotations

import collections
from collections.abc import Awaitable, Callable, Iterator, Sequence

from bridge.journal.contract import Damaged, OpenDelivery

IN_MEMORY_LIMIT = 64
"""Bounds the memory of a lane; more than the deliveries of one merged message."""


class Handed:
    """Deliveries that were read from the journal and that the intake may still hand over. All lanes share one, since a lane may
    have ended by then. The newest `most` are kept: that many reads overtake no acceptance, unless the journal was blocked for
    minutes."""

    def __init__(self, most: int = 16_384) -> None:
        self._ids: dict[int, None] = {}
        self._most = most

    def add(self, delivery_ids: Sequence[int]) -> None:
        self._ids.update(dict.fromkeys(delivery_ids))
        while len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]

    def take(self, delivery_id: int) -> bool:
        """Whether it was taken already; it is then forgotten, since it is handed over once."""
        if delivery_id not in self._ids:
            return False
        del self._ids[delivery_id]
        return True


class Backlog:
    """`load` reads from the journal: open deliveries above a `lane_seq`, in order, up to a number. `damaged` handles those whose
    event cannot be read."""

    def __init__(
        self,
        load: Callable[[int, int], Awaitable[Sequence[OpenDelivery | Damaged]]],
        damaged: Callable[[Sequence[Damaged]], Awaitable[None]],
        handed: Handed | None = None,
        as_known: Callable[[OpenDelivery], OpenDelivery] = lambda pending: pending,
    ) -> None:
        """`as_known`: a delivery as it is given out, with what became known of it since."""
        self._load = load
        self._damaged = damaged
        self._handed = handed or Handed()
        self._as_known = as_known
        self._queue: collections.deque[OpenDelivery] = collections.deque()
        self._behind = False
        self._last_seq = 0
        """All open deliveries up to this one were taken, unless `_again`."""
        self._missed_seq = 0
        """The highest one left to the next read since the last read began."""
        self._again = False
        """Something at or below `_last_seq` is open and was not taken: read from the start once nothing is in memory."""

    def put(self, pending: OpenDelivery) -> None:
        """A delivery that was just committed, and that no read has taken."""
        if pending.lane_seq <= self._last_seq:
            self._again = True  # handed over after a later one
        elif self._behind or self._again or len(self._queue) >= IN_MEMORY_LIMIT:
            self._behind = True  # read when its turn comes
            self._missed_seq = max(self._missed_seq, pending.lane_seq)
        else:
            self._queue.append(pending)
            self._last_seq = pending.lane_seq

    def reload(self) -> None:
        """The journal has deliveries that were not put here: start from the beginning once the current work is done."""
        self._again = True
        self._queue.clear()

    @property
    def is_behind(self) -> bool:
        """Whether there may be more than what is in memory."""
        return self._behind or self._again

    @property
    def following(self) -> OpenDelivery | None:
        """The next deliveries, as far as they are in memory."""
        return self._as_known(self._queue[0]) if self._queue else None

    def __iter__(self) -> Iterator[OpenDelivery]:
        return map(self._as_known, self._queue)

    def take(self) -> OpenDelivery:
        """The next one in memory. Raises IndexError if there is none."""
        return self._as_known(self._queue.popleft())

    def put_back(self, deliveries: Sequence[OpenDelivery]) -> None:
        """Deliveries taken and not finished, in their order."""
        self._queue.extendleft(reversed(deliveries))

    async def fill(self) -> None:
        """Read more, when nothing is in memory and everything about earlier deliveries is on disk."""
        if self._again:
            self._again, self._last_seq = False, 0
        # what is put during the read is compared with its result
        self._behind, self._missed_seq = True, 0
        loaded = await self._load(self._last_seq, IN_MEMORY_LIMIT)
        whole = _without_half_a_message(loaded) if len(loaded) == IN_MEMORY_LIMIT else loaded
        if whole:
            self._last_seq = max(self._last_seq, whole[-1].lane_seq)
            self._handed.add([one.delivery_id for one in whole])
            self._queue.extend(one for one in whole if isinstance(one, OpenDelivery))
            await self._damaged([one for one in whole if isinstance(one, Damaged)])
        self._behind = len(loaded) >= IN_MEMORY_LIMIT or self._missed_seq > self._last_seq


def _without_half_a_message(loaded: Sequence[OpenDelivery | Damaged]) -> Sequence[OpenDelivery | Damaged]:
    """Deliveries that were being sent as one message are taken together: if the last one loaded is one of them, its message waits
    for the next read, unless it is all there is."""
    last = loaded[-1]
    if isinstance(last, Damaged):
        return loaded
    return [one for one in loaded if isinstance(one, Damaged) or not is_one_message(one, last)] or loaded


def is_one_message(pending: OpenDelivery, following: OpenDelivery) -> bool:
    """Whether both were being sent as one message when the process stopped."""
    return pending.lead_seq is not None and (pending.lead_seq, pending.thread_id) == (following.lead_seq, following.thread_id)
