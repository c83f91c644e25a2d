"""Counters and histograms as plain dictionaries: a count costs well under a microsecond. Types and arithmetic only."""

from __future__ import annotations

import time
from bisect import bisect_left

MOST_SERIES = 2000
"""Label sets per metric; further ones are counted under `other`, so that no input can make the metrics grow."""
_OTHER = "other"

LAG_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)


class Counts:
    """A counter with a bounded number of label sets. `created`: when each began, in seconds since 1970."""

    def __init__(self, labels: int) -> None:
        self.values: dict[tuple[str, ...], int] = {}
        self.created: dict[tuple[str, ...], float] = {}
        self._other = (_OTHER,) * labels

    def add(self, *labels: str) -> None:
        values = self.values
        if labels in values:
            values[labels] += 1
            return
        if len(values) >= MOST_SERIES:
            labels = self._other
        self.created.setdefault(labels, time.time())
        values[labels] = values.get(labels, 0) + 1


class Histogram:
    """`latest`: per bucket the delivery that fell into it last: (its number, its lag in seconds, seconds since 1970)."""

    __slots__ = ("buckets", "created", "latest", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(LAG_BUCKETS_S) + 1)
        self.latest: list[tuple[int, float, float] | None] = [None] * len(self.buckets)
        self.total = 0.0
        self.created = time.time()

    def observe(self, value: float, delivery_id: int | None = None) -> None:
        bucket = bisect_left(LAG_BUCKETS_S, value)
        self.buckets[bucket] += 1
        self.total += value
        if delivery_id is not None:
            self.latest[bucket] = (delivery_id, value, time.time())
