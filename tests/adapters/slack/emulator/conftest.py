"""Slack's own client libraries, connected to an emulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.emulator import SlackEmulator
from tests.adapters.slack.emulator.listening import Listener
from tests.support.patience import eventually


@pytest.fixture
async def web(emulator: SlackEmulator) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(emulator.workspace.bot_token, base_url=f"{emulator.base_url}/api/", session=session, retry_handlers=[])


@pytest.fixture
async def listener(emulator: SlackEmulator) -> AsyncIterator[Listener]:
    listener = Listener(emulator)
    await listener.client.connect()
    await eventually(lambda: emulator.sockets.open_count == 1)
    yield listener
    await listener.client.close()
    await asyncio.sleep(0)
