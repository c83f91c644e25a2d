"""Fixtures of the flow tests: `world` is a running bridge between four running emulators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.hooked import Hooked, running
from tests.flows.world import World


@pytest.fixture
async def quiet_world(tmp_path: Path) -> AsyncIterator[World]:
    """Emulators running, bridge not started."""
    world = World(tmp_path)
    await world.start_platforms()
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


@pytest.fixture
async def world(quiet_world: World) -> World:
    await quiet_world.start_bridge()
    return quiet_world


@pytest.fixture
async def hooked(tmp_path: Path) -> AsyncIterator[Hooked]:
    """Telegram's group, and an account of webhooks whose ends lead there."""
    async with running(Hooked(tmp_path)) as world:
        yield world
