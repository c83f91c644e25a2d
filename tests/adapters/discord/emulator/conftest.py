"""Plain HTTP towards the emulated API, as any client might speak it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.adapters.discord.conftest import Bench


class Client:
    """Plain HTTP, as any client might speak it."""

    def __init__(self, session: aiohttp.ClientSession, bench: Bench) -> None:
        self._session = session
        self._base = bench.emulator.base_url + "/api/v10"
        self._token = bench.emulator.bot.token
        self.headers: dict[str, str] = {}

    async def __call__(self, method: str, path: str, body: object = None, *, token: str | None = None) -> tuple[int, Any]:
        auth = {"Authorization": f"Bot {token or self._token}"}
        data = None if body is None else json.dumps(body)
        content = {"Content-Type": "application/json"} if body is not None else {}
        async with self._session.request(method, self._base + path, data=data, headers={**auth, **content}) as response:
            self.headers = dict(response.headers)
            text = await response.text()
            return response.status, json.loads(text) if text else None


@pytest.fixture
async def call(bench: Bench) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, bench)


async def new_webhook(call: Client, bench: Bench) -> str:
    _, hook = await call("POST", f"/channels/{bench.chat}/webhooks", {"name": "bridge"})
    return f"/webhooks/{hook['id']}/{hook['token']}"
