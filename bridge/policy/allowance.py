"""Rate limits for people. Pure; the time is passed in."""

from __future__ import annotations

from collections import deque

_MOST_KNOWN = 10_000
"""People remembered; the one inactive for longest is forgotten first."""


class Allowance:
    """A limit on the number of actions within a period, for each person."""

    def __init__(self, *, most: int, within_s: float) -> None:
        self._most = most
        self._within_s = within_s
        self._done: dict[str, deque[float]] = {}

    def take(self, who: str, now_s: float) -> bool:
        """Whether one more action is allowed now; it is then counted."""
        times = self._done.pop(who, None) or deque()
        while times and times[0] <= now_s - self._within_s:
            times.popleft()
        self._done[who] = times
        if len(self._done) > _MOST_KNOWN:
            del self._done[next(iter(self._done))]
        if len(times) >= self._most:
            return False
        times.append(now_s)
        return True
