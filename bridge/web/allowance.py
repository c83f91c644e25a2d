"""How often callers may ask: a bucket of tokens each, and no more buckets than a bound. Pure: time is given."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

_MOST_BUCKETS = 10_000
"""Beyond, the bucket that was used the longest ago is forgotten, which gives its caller a fresh one."""


class Allowances:
    """`per_minute` requests a minute, as many at once after a minute's silence."""

    def __init__(self, most_buckets: int = _MOST_BUCKETS) -> None:
        self._most_buckets = most_buckets
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        """Tokens, and when they were counted."""

    def take(self, caller: Hashable, per_minute: int, now_s: float) -> float:
        """0 if the caller may go on, and its request counts; else the seconds until it may."""
        tokens, counted_s = self._buckets.pop(caller, (float(per_minute), now_s))
        tokens = min(float(per_minute), tokens + max(0.0, now_s - counted_s) * per_minute / 60)
        wait_s = 0.0 if tokens >= 1 else (1 - tokens) * 60 / per_minute
        self._buckets[caller] = (tokens - 1 if tokens >= 1 else tokens, now_s)
        if len(self._buckets) > self._most_buckets:
            self._buckets.popitem(last=False)
        return wait_s
