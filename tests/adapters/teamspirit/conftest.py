from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from adapters.teamspirit.emulator import TeamSpiritEmulator

sys.path.insert(0, str(Path(__file__).parent))

from teamspirit_receiver import Receiver


@pytest.fixture
async def emulator() -> AsyncIterator[TeamSpiritEmulator]:
    server = TeamSpiritEmulator()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def api(emulator: TeamSpiritEmulator) -> AsyncIterator[httpx.AsyncClient]:
    """An independent client of the default dialect: its table, typed by hand."""
    headers = {"Authorization": f"Bearer {emulator.account_options()['api_key']}"}
    async with httpx.AsyncClient(base_url=f"{emulator.base_url}/api/v1", headers=headers, trust_env=False, timeout=5) as client:
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    server = Receiver()
    await server.start()
    yield server
    await server.stop()
