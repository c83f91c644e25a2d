"""Moments, durations and sizes as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from bridge.model.moments import duration, moment
from bridge.model.sizes import size


def test_amounts_are_short() -> None:
    assert [size(n) for n in (0, 999, 1500, 1_500_000, 4.1e9, 5e13)] == ["0 B", "999 B", "2 kB", "1.5 MB", "4.1 GB", "50.0 TB"]
    assert [duration(n) for n in (-1, 59, 60, 7200, 900_000)] == ["0 s", "59 s", "1 min", "2 h", "10 d"]


def test_moments_are_in_utc() -> None:
    here = datetime(2026, 1, 1, 1, 2, 3, 999, tzinfo=timezone(timedelta(hours=3)))
    assert moment(here) == "2025-12-31 22:02:03"
