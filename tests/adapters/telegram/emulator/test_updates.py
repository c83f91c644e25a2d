"""Updates: offsets, long polls, webhooks, and the kinds that are asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web

from adapters.common.emulation.contract import StreamFault
from adapters.telegram.emulator import TelegramEmulator
from tests.support.patience import PATIENCE_S, eventually

Ask = Callable[..., Coroutine[Any, Any, Any]]


async def test_offsets_confirm(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    for n in range(5):
        await emulator.say(chat, "Anna", f"m{n}")
    first = (await ask("getUpdates", limit=2))["result"]
    assert [update["message"]["text"] for update in first] == ["m0", "m1"]
    after = first[-1]["update_id"] + 1
    rest = (await ask("getUpdates", offset=after))["result"]
    assert [update["message"]["text"] for update in rest] == ["m2", "m3", "m4"]
    again = (await ask("getUpdates", offset=after))["result"]
    assert len(again) == 1, "the same offset within half a second brings one update at most"
    assert [update["message"]["text"] for update in (await ask("getUpdates", offset=-1))["result"]] == ["m4"]
    assert [update["message"]["text"] for update in (await ask("getUpdates"))["result"]] == ["m4"], "the others are forgotten"


async def test_a_long_poll_waits_and_is_answered_at_once(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    poll = asyncio.create_task(ask("getUpdates", timeout=50))
    await eventually(lambda: "getUpdates" in emulator.calls())
    started = time.monotonic()
    await emulator.say(chat, "Anna", "now")
    assert (await poll)["result"][0]["message"]["text"] == "now"
    assert time.monotonic() - started < 40
    assert (await ask("getUpdates", offset=10**9 - 1, timeout=1))["result"] != [], "an offset from the future confirms nothing"


async def test_a_second_poll_ends_the_first(emulator: TelegramEmulator, ask: Ask) -> None:
    first = asyncio.create_task(ask("getUpdates", timeout=20))
    await eventually(lambda: "getUpdates" in emulator.calls())
    second = asyncio.create_task(ask("getUpdates", timeout=1, offset=1))
    ended = await first
    assert ended["error_code"] == 409
    assert "terminated by other getUpdates request" in ended["description"]
    assert (await second)["ok"]


async def test_allowed_updates_are_remembered(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    message_id = await emulator.say(chat, "Anna", "x")
    await emulator.react(chat, message_id, "Bob", "👍")
    kinds = [set(update) - {"update_id"} for update in (await ask("getUpdates"))["result"]]
    assert kinds == [{"message"}], "reactions come only when they are asked for by name"
    await ask("getUpdates", offset=-1, allowed_updates=["message_reaction"])
    await emulator.say(chat, "Anna", "not asked for")
    await emulator.react(chat, message_id, "Bob", "🔥")
    updates = (await ask("getUpdates", timeout=1))["result"]
    assert "message_reaction" in updates[-1]
    assert all(update.get("message", {}).get("text") != "not asked for" for update in updates)


async def test_webhooks_deliver_with_the_secret_until_taken(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    got: list[tuple[str | None, str]] = []
    arrived = asyncio.Event()

    async def hook(request: web.Request) -> web.Response:
        body = await request.json()
        got.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), body["message"]["text"]))
        if len(got) == 1:
            return web.Response(status=500)
        if len(got) == 4:
            arrived.set()
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    assert "unallowed" in (await ask("setWebhook", url=url, secret_token="no spaces"))["description"]
    assert (await ask("setWebhook", url=url, secret_token="s3cret"))["ok"]
    assert (await ask("getWebhookInfo"))["result"]["url"] == url
    assert "webhook is active" in (await ask("getUpdates"))["description"]
    await emulator.say(chat, "Anna", "one")
    await eventually(lambda: bool(got))
    await emulator.disturb(StreamFault.REORDER)
    await emulator.say(chat, "Anna", "two")
    await emulator.say(chat, "Anna", "three")
    await asyncio.wait_for(arrived.wait(), PATIENCE_S)
    assert {secret for secret, _ in got} == {"s3cret"}
    assert sorted(text for _, text in got) == ["one", "one", "three", "two"]
    assert (await ask("deleteWebhook"))["ok"]
    assert (await ask("getUpdates"))["ok"]
    await runner.cleanup()
