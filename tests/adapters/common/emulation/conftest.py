"""Two emulators of no platform in particular, and their control API over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from adapters.common.emulation.control import control_app
from adapters.common.emulation.control_client import ControlClient, RemoteEmulator
from tests.support.mirror import FakeEmulator, started
from tests.support.patience import PATIENCE_S


@pytest.fixture
async def emulators() -> AsyncIterator[dict[str, FakeEmulator]]:
    async with started("telegram", "slack") as running:
        yield running


@pytest.fixture
async def control_url(emulators: dict[str, FakeEmulator]) -> AsyncIterator[str]:
    runner = web.AppRunner(
        control_app(emulators, upload_limit_bytes=100_000), access_log=None, shutdown_timeout=0.1, handler_cancellation=True
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
def url(control_url: str) -> str:
    return control_url


@pytest.fixture
async def client(url: str) -> AsyncIterator[ControlClient]:
    async with ControlClient(url, timeout_s=PATIENCE_S) as opened:
        yield opened


@pytest.fixture
async def remote(client: ControlClient) -> RemoteEmulator:
    return await client.emulator("telegram")


@pytest.fixture
async def raw() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session
