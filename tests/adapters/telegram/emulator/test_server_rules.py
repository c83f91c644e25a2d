"""The rules that the emulator enforces as Telegram's server does, asked over bare HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from adapters.telegram.emulator import Rates, TelegramEmulator

Ask = Callable[..., Coroutine[Any, Any, Any]]


async def test_privacy_mode_and_membership(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    emulator.bot().sees_everything = False
    emulator.promote(chat, admin=False)
    own = (await ask("sendMessage", chat_id=chat, text="mine"))["result"]["message_id"]
    await emulator.say(chat, "Anna", "unseen @bridge_emulated_bot")
    await emulator.say(chat, "Anna", "/seen")
    await emulator.say(chat, "Anna", "also seen", reply_to=str(own))
    updates = (await ask("getUpdates"))["result"]
    assert [update["message"]["text"] for update in updates if "message" in update] == ["/seen", "also seen"]


async def test_bots_do_not_see_bots(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    other = emulator.add_bot("Other", "other_emulated_bot")
    emulator.promote(chat, other)
    await ask("sendMessage", chat_id=chat, text="from the first bot")
    await emulator.say(chat, "Anna", "from a person")
    for bot in (emulator.bot(), emulator.bot(other)):
        queue = emulator.world.queues[bot.user_id]
        texts = [json.loads(queue.peek(n) or b"{}").get("message", {}).get("text") for n in range(len(queue))]
        assert [text for text in texts if text] == ["from a person"]


async def test_limits(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    assert (await ask("sendMessage", chat_id=chat, text="👍" * 4096))["ok"]
    assert "too long" in (await ask("sendMessage", chat_id=chat, text="👍" * 4097))["description"]
    assert "empty" in (await ask("sendMessage", chat_id=chat, text=" \n "))["description"]
    stored = emulator.world.files.add("a.txt", "text/plain", b"x")
    assert (await ask("sendDocument", chat_id=chat, document=stored.file_id, caption="c" * 1024))["ok"]
    assert (
        "caption is too long"
        in (await ask("sendDocument", chat_id=chat, document=stored.file_id, caption="c" * 1025))["description"]
    )
    links = [{"type": "text_link", "offset": n, "length": 1, "url": "https://a.example"} for n in range(120)]
    sent = await ask("sendMessage", chat_id=chat, text="x" * 120, entities=links)
    assert len(sent["result"]["entities"]) == 100


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
