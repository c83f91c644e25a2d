"""A good bridge, to be spoiled in one way at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.mirror import Mirror, SociableEmulator, started


@pytest.fixture
async def mirrored() -> AsyncIterator[Mirror]:
    """Three emulators, mirrored."""
    async with started("telegram", "slack", "discord", kind=SociableEmulator) as emulators:
        mirror = Mirror(emulators)
        running = asyncio.create_task(mirror.run())
        yield mirror
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
