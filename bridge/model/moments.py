"""Moments and durations as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: datetime) -> str:
    """In UTC, to the second: `2026-01-31 23:59:59`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """`8 s`, `4 min`, `3 h`, `12 d`."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
