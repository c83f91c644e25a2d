"""Time as a dependency, so that tests and the simulation control it. The real clock is the event loop's and the system's."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC wall time: for what is stored and shown. May step."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never step: for waits and durations."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        """Wait for the event at most that long. Returns whether it is set."""
        ...


def boot_s() -> float:
    """Seconds that never step and, if the system has such a clock, continue while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            pass
        return event.is_set()


SYSTEM_CLOCK: Clock = SystemClock()
