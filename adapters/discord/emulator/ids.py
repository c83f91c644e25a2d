"""Snowflakes and wire timestamps, as Discord makes them. Pure apart from reading the clock.

Source: Discord API reference, "Snowflakes" and "ISO8601 Date/Time".
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000
"""First second of 2015, Discord's own epoch."""


class Snowflakes:
    """Strictly growing ids whose upper bits are the time of their creation."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        fresh = (int(time.time() * 1000) - EPOCH_MS) << 22
        self._last = max(fresh, self._last + 1)
        return self._last


def made_at(snowflake: int) -> datetime:
    return datetime.fromtimestamp(((snowflake >> 22) + EPOCH_MS) / 1000, UTC)


def stamp(moment: datetime) -> str:
    """As Discord writes times: microseconds and an explicit offset."""
    return moment.isoformat(timespec="microseconds")
