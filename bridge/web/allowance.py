"""Rate limits of callers: a token bucket each, and a bounded number of buckets. Pure: time is an argument."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

_MOST_BUCKETS = 10_000
"""Above this number the bucket that is unused for longest is removed, and its caller starts with a full one."""


class Allowances:
    """`per_minute` requests per minute; after a minute without requests that many at once."""

    def __init__(self, most_buckets: int = _MOST_BUCKETS) -> None:
        self._most_buckets = most_buckets
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        """Tokens, and when they were counted."""

    def wait_s(self, caller: Hashable, per_minute: int, now_s: float) -> float:
        """What `take` would return, without counting."""
        tokens, counted_s = self._buckets.get(caller, (float(per_minute), now_s))
        tokens = min(float(per_minute), tokens + max(0.0, now_s - counted_s) * per_minute / 60)
        return 0.0 if tokens >= 1 else (1 - tokens) * 60 / per_minute

    def is_unused(self, caller: Hashable, per_minute: int, now_s: float) -> bool:
        """Whether the caller has made no request of late: all of its allowance is there."""
        tokens, counted_s = self._buckets.get(caller, (float(per_minute), now_s))
        return tokens + max(0.0, now_s - counted_s) * per_minute / 60 >= per_minute

    def take(self, caller: Hashable, per_minute: int, now_s: float) -> float:
        """0 if the request is allowed, which counts it; else the seconds until one is."""
        tokens, counted_s = self._buckets.pop(caller, (float(per_minute), now_s))
        tokens = min(float(per_minute), tokens + max(0.0, now_s - counted_s) * per_minute / 60)
        wait_s = 0.0 if tokens >= 1 else (1 - tokens) * 60 / per_minute
        self._buckets[caller] = (tokens - 1 if tokens >= 1 else tokens, now_s)
        if len(self._buckets) > self._most_buckets:
            self._buckets.popitem(last=False)
        return wait_s
