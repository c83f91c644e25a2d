"""The rules that the emulator enforces as Telegram's server does, asked over bare HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.common.emulation.contract import StreamFault, Upload
from adapters.telegram.emulator import Rates, TelegramEmulator
from tests.support.patience import PATIENCE_S, eventually

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


@pytest.mark.parametrize(
    ("entities", "error"),
    [
        ([{"type": "bold", "offset": 0, "length": 99}], "ends after the end of the text"),
        ([{"type": "bold", "offset": 1, "length": 1}], "in a middle of a UTF-16 symbol"),
        ([{"type": "text_link", "offset": 0, "length": 2, "url": "javascript:alert(1)"}], None),
        ([{"type": "bold", "offset": 0, "length": 0}], None),
    ],
)
async def test_entities_are_checked(chat: str, ask: Ask, entities: list[Any], error: str | None) -> None:
    answer = await ask("sendMessage", chat_id=chat, text="👍 x", entities=entities)
    if error is None:
        assert "entities" not in answer["result"]
    else:
        assert error in answer["description"]


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


async def test_people_post_albums_as_their_apps_do(
    emulator: TelegramEmulator, chat: str, ask: Ask, png: Callable[..., bytes]
) -> None:
    picture = Upload(name="a.png", mime="image/png", content=png(9, 9))
    paper = Upload(name="a.pdf", mime="application/pdf", content=b"pdf")
    first = await emulator.say(chat, "Anna", "mixed", files=[picture, picture, paper])
    updates = [update["message"] for update in (await ask("getUpdates"))["result"]]
    assert [("photo" in m, "media_group_id" in m, m.get("caption")) for m in updates] == [
        (True, True, "mixed"),
        (True, True, None),
        (False, False, None),
    ]
    assert [(seen.message_id == first, len(seen.files)) for seen in emulator.transcript(chat)] == [(True, 2), (False, 1)]
    await emulator.edit(chat, first, "__new__")
    await emulator.react(chat, first, "Bob", "👍")
    album = emulator.transcript(chat)[0]
    assert (album.html, len(album.reactions), len(album.files)) == ("<i>new</i>", 1, 2)
    await emulator.delete(chat, first)
    assert emulator.transcript(chat)[0].deleted


async def test_long_texts_of_people_are_split_as_their_apps_do(emulator: TelegramEmulator, chat: str) -> None:
    await emulator.say(chat, "Anna", "**" + "word " * 1500 + "end**")
    pieces = emulator.transcript(chat)
    assert len(pieces) == 2
    assert "".join(piece.text + " " for piece in pieces).split() == ["word"] * 1500 + ["end"]
    assert all(piece.html.startswith("<b>") for piece in pieces)


async def test_logging_out(emulator: TelegramEmulator, ask: Ask) -> None:
    assert (await ask("logOut"))["ok"]
    assert "Logged out" in (await ask("getMe"))["description"]
