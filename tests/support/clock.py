"""A clock that a test moves, for what is given a `bridge.model.clock.Clock`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class ManualClock:
    """Stands still until it is moved on; who sleeps by it moves it, and lets others run once."""

    def __init__(self) -> None:
        self._at_s = 1000.0

    def forward(self, seconds: float) -> None:
        self._at_s += seconds

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._at_s)

    def monotonic_s(self) -> float:
        return self._at_s

    async def sleep(self, seconds: float) -> None:
        self.forward(seconds)
        await asyncio.sleep(0)

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        if not event.is_set():
            await self.sleep(timeout_s)
        return event.is_set()
