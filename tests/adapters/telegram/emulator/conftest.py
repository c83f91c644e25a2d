"""The emulator, asked over bare HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import aiohttp
import pytest

from adapters.telegram.emulator import TelegramEmulator

Ask = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def ask(emulator: TelegramEmulator, http: aiohttp.ClientSession) -> Ask:
    async def call(method: str, **params: Any) -> Any:
        async with http.post(f"{emulator.base_url}/bot{emulator.token}/{method}", json=params) as response:
            answer = await response.json()
            assert response.status == answer.get("error_code", 200)
            return answer

    return call
