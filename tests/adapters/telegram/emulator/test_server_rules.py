"""The server's own rules, asked over bare HTTP: rates, and what a bot that logged out gets."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from adapters.telegram.emulator import Rates, TelegramEmulator

Ask = Callable[..., Coroutine[Any, Any, Any]]


async def test_rates(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    at = 1000.0
    emulator.rates = Rates(group_per_minute=20, chat_per_s=1.0, chat_burst=3, now=lambda: at)
    answers = [(await ask("sendMessage", chat_id=chat, text="x"))["ok"] for _ in range(4)]
    assert answers == [True, True, True, False]
    sent = 3
    for _ in range(17):
        at += 3.0
        sent += (await ask("sendMessage", chat_id=chat, text="x"))["ok"]
    assert sent == 20
    at += 1.1
    refused = await ask("sendMessage", chat_id=chat, text="x")
    assert refused["error_code"] == 429
    wait_s = refused["parameters"]["retry_after"]
    at += wait_s
    assert (await ask("sendMessage", chat_id=chat, text="x"))["ok"]


async def test_logging_out(emulator: TelegramEmulator, ask: Ask) -> None:
    assert (await ask("logOut"))["ok"]
    assert "Logged out" in (await ask("getMe"))["description"]
