"""Discord's ids are its clock: a snowflake holds the moment it was made. Pure. Source: API reference, "Snowflakes"."""

from __future__ import annotations

from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000


def snowflake_at(moment: datetime) -> str:
    """The smallest id that a message of that moment can have."""
    return str(max(0, int(moment.timestamp() * 1000) - EPOCH_MS) << 22)


def moment_of(snowflake: str) -> datetime:
    """When the id was made. Raises ValueError for what is no id."""
    return datetime.fromtimestamp(((int(snowflake) >> 22) + EPOCH_MS) / 1000, UTC)


def id_of(value: object) -> str:
    """An id as the digits it is written in. Raises ValueError for anything else: without its ids no event can be placed."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"not an id: {str(value)[:40]!r}")
    digits = str(value)
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 20):
        raise ValueError(f"not an id: {digits[:40]!r}")
    return digits
