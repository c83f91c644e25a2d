"""Moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: datetime) -> str:
    """In UTC, to the second: `2026-01-31 23:59:59`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
