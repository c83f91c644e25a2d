"""How a method is called, and the form of an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from adapters.telegram.emulator import TelegramEmulator

Ask = Callable[..., Coroutine[Any, Any, Any]]


async def test_parameters_may_come_in_any_form(emulator: TelegramEmulator, chat: str, http: aiohttp.ClientSession) -> None:
    url = f"{emulator.base_url}/bot{emulator.token}/sendmessage"  # methods are not case sensitive
    entities = [{"type": "bold", "offset": 0, "length": 1}]
    async with http.get(url, params={"chat_id": chat, "text": "query", "entities": json.dumps(entities)}) as response:
        assert (await response.json())["ok"]
    async with http.post(url, data={"chat_id": chat, "text": "form"}) as response:
        assert (await response.json())["ok"]
    async with http.post(url, json={"chat_id": int(chat), "text": "json", "entities": entities}) as response:
        assert (await response.json())["ok"]
    form = aiohttp.FormData({"chat_id": chat, "text": "multipart"}, default_to_multipart=True)
    async with http.post(url, data=form) as response:
        assert (await response.json())["ok"]
    async with http.post(f"{emulator.base_url}/bot{emulator.token}/getMe") as response:
        assert (await response.json())["result"]["is_bot"]
    assert [seen.html for seen in emulator.transcript(chat)] == ["<b>q</b>uery", "form", "<b>j</b>son", "multipart"]


async def test_errors_have_telegrams_form(emulator: TelegramEmulator, http: aiohttp.ClientSession, ask: Ask) -> None:
    assert await ask("noSuchMethod") == {"ok": False, "error_code": 404, "description": "Not Found: method not found"}
    assert (await ask("sendMessage", chat_id=5, text="x"))["description"] == "Bad Request: chat not found"
    for token, code, text in (("1:x", 401, "Unauthorized"), ("nonsense", 404, "Not Found")):
        async with http.get(f"{emulator.base_url}/bot{token}/getMe") as response:
            assert response.status == code
            assert (await response.json()) == {"ok": False, "error_code": code, "description": text}
