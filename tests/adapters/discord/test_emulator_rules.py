"""The emulator enforces Discord's rules: a call that is wrong there is wrong here, in the same words."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from adapters.common.emulation.contract import StreamFault
from adapters.discord.emulator.rules import RateBudgets
from adapters.discord.emulator.world import Permission
from tests.support.patience import PATIENCE_S, eventually

from .conftest import Bench

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


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


async def test_json_has_exactly_the_content_type_that_clients_need(bench: Bench, call: Client) -> None:
    await call("GET", "/users/@me")
    assert call.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, 50006, None),
        ({"content": "   "}, 400, 50006, None),
        ({"content": "x" * 2001}, 400, 50035, "content"),
        ({"content": "😀" * 2000}, 200, None, None),
        ({"content": "x", "nonce": "n" * 26}, 400, 50035, "nonce"),
        ({"embeds": [{"title": "x" * 257}]}, 400, 50035, "embeds"),
        ({"embeds": [{"description": "x" * 4097}]}, 400, 50035, "embeds"),
        ({"embeds": [{"description": "x" * 4096}, {"description": "x" * 1905}]}, 400, 50035, "embeds"),
        ({"embeds": [{"title": "x"}] * 11}, 400, 50035, "embeds"),
        ({"content": "x", "message_reference": {"message_id": "1"}}, 400, 50035, "message_reference"),
        ({"content": "x", "message_reference": {"message_id": "1", "fail_if_not_exists": False}}, 200, None, None),
        ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 400, 50035, "allowed_mentions"),
    ],
)
async def test_messages_are_checked(
    bench: Bench, call: Client, body: dict[str, Any], status: int, code: int | None, field: str | None
) -> None:
    got, answer = await call("POST", f"/channels/{bench.chat}/messages", body)
    assert (got, answer.get("code")) == (status, code)
    if field is not None:
        assert field in answer["errors"]


@pytest.mark.parametrize("name", ["discord", "My DISCORD bot", "Clyde", "everyone", "HERE", "", "x" * 81])
async def test_webhook_names_are_checked(bench: Bench, call: Client, name: str) -> None:
    hook = await new_webhook(call, bench)
    status, answer = await call("POST", hook, {"content": "x", "username": name or " "})
    assert (status, answer["code"]) == (400, 50035)
    assert "username" in answer["errors"]


async def test_webhooks_answer_only_those_who_wait(bench: Bench, call: Client) -> None:
    hook = await new_webhook(call, bench)
    assert await call("POST", hook, {"content": "x"}) == (204, None)
    status, message = await call("POST", hook + "?wait=true", {"content": "x", "username": "Anna"})
    assert (status, message["author"]["username"], message["webhook_id"]) == (200, "Anna", hook.split("/")[2])
    assert (await call("POST", "/webhooks/1/x", {"content": "x"}))[1]["code"] == 10015
    assert (await call("POST", hook + "x", {"content": "x"}))[1]["code"] == 50027


async def test_fifteen_webhooks_are_the_limit(bench: Bench, call: Client) -> None:
    for _ in range(15):
        await new_webhook(call, bench)
    status, answer = await call("POST", f"/channels/{bench.chat}/webhooks", {"name": "one more"})
    assert (status, answer["code"]) == (400, 30007)


async def test_tokens_of_others_webhooks_are_not_told(bench: Bench, call: Client) -> None:
    await new_webhook(call, bench)
    other = bench.emulator.add_bot("Other")
    _, seen_by_other = await call("GET", f"/channels/{bench.chat}/webhooks", token=other.token)
    assert "token" not in seen_by_other[0]


@pytest.mark.parametrize(
    ("denied", "method", "path", "code"),
    [
        (Permission.VIEW_CHANNEL, "GET", "/messages", 50001),
        (Permission.SEND_MESSAGES, "POST", "/messages", 50013),
        (Permission.MANAGE_WEBHOOKS, "GET", "/webhooks", 50013),
        (Permission.MANAGE_MESSAGES, "DELETE", "/messages/{message}", 50013),
        (Permission.PIN_MESSAGES, "PUT", "/messages/pins/{message}", 50013),
        (Permission.ADD_REACTIONS, "PUT", "/messages/{message}/reactions/%F0%9F%91%8D/@me", 50013),
        (Permission.CREATE_PUBLIC_THREADS, "POST", "/messages/{message}/threads", 50013),
    ],
)
async def test_rights_are_needed(bench: Bench, call: Client, denied: Permission, method: str, path: str, code: int) -> None:
    message = await bench.emulator.say(bench.chat, "Anna", "hello")
    full = f"/channels/{bench.chat}" + path.format(message=message)
    body = {"name": "t", "content": "x"} if method in ("POST", "PUT") else None
    bench.emulator.deny(bench.chat, denied)
    status, answer = await call(method, full, body)
    assert (status, answer["code"]) == (403, code)
    bench.emulator.deny(bench.chat, Permission(0))
    status, _ = await call(method, full, body)
    assert status in (200, 201, 204)


async def test_without_read_message_history_the_list_is_empty(bench: Bench, call: Client) -> None:
    await bench.emulator.say(bench.chat, "Anna", "hello")
    bench.emulator.deny(bench.chat, Permission.READ_MESSAGE_HISTORY)
    assert await call("GET", f"/channels/{bench.chat}/messages") == (200, [])


async def test_history_pages(bench: Bench, call: Client) -> None:
    ids = [await bench.emulator.say(bench.chat, "Anna", f"{n}") for n in range(10)]
    await bench.emulator.delete(bench.chat, ids[5])
    path = f"/channels/{bench.chat}/messages"

    async def texts(query: str) -> list[str]:
        return [m["content"] for m in (await call("GET", path + query))[1]]

    assert await texts("?limit=3") == ["9", "8", "7"]
    assert await texts(f"?limit=3&after={ids[3]}") == ["7", "6", "4"], "the oldest three behind it, newest first"
    assert await texts(f"?limit=3&before={ids[6]}") == ["4", "3", "2"]
    assert await texts(f"?limit=4&around={ids[6]}") == ["7", "6", "4", "3"]
    assert (await call("GET", path + "?limit=101"))[0] == 400


async def test_only_own_messages_can_be_edited(bench: Bench, call: Client) -> None:
    theirs = await bench.emulator.say(bench.chat, "Anna", "hello")
    status, answer = await call("PATCH", f"/channels/{bench.chat}/messages/{theirs}", {"content": "x"})
    assert (status, answer["code"]) == (403, 50005)
    status, answer = await call("PATCH", f"/channels/{bench.chat}/messages/1", {"content": "x"})
    assert (status, answer["code"]) == (404, 10008)


async def test_the_same_nonce_gives_the_same_message(bench: Bench, call: Client) -> None:
    body = {"content": "once", "nonce": "n-1", "enforce_nonce": True}
    _, first = await call("POST", f"/channels/{bench.chat}/messages", body)
    _, second = await call("POST", f"/channels/{bench.chat}/messages", body)
    _, third = await call("POST", f"/channels/{bench.chat}/messages", {**body, "enforce_nonce": False})
    assert first["id"] == second["id"] != third["id"]
    assert first["nonce"] == "n-1"


async def test_pings_follow_allowed_mentions(bench: Bench, call: Client) -> None:
    anna = bench.emulator.add_person("Anna")
    text = f"<@{anna}> @everyone"
    path = f"/channels/{bench.chat}/messages"
    _, by_default = await call("POST", path, {"content": text})
    _, none = await call("POST", path, {"content": text, "allowed_mentions": {"parse": []}})
    _, one = await call("POST", path, {"content": text, "allowed_mentions": {"parse": [], "users": [anna]}})
    hook = await new_webhook(call, bench)
    _, by_webhook = await call("POST", hook + "?wait=1", {"content": text})
    pinged = [([u["id"] for u in m["mentions"]], m["mention_everyone"]) for m in (by_default, none, one, by_webhook)]
    assert pinged == [([anna], False), ([], False), ([anna], False), ([anna], False)]
    _, edited = await call("PATCH", f"{path}/{none['id']}", {"content": text})
    assert [u["id"] for u in edited["mentions"]] == [anna], "an edit is read anew, by the defaults"


async def test_twenty_kinds_of_reactions_are_the_limit(bench: Bench, call: Client) -> None:
    message = await bench.emulator.say(bench.chat, "Anna", "hello")
    path = f"/channels/{bench.chat}/messages/{message}/reactions/"
    emoji = [chr(0x1F600 + n) for n in range(21)]
    answers = [await call("PUT", f"{path}{e}/@me") for e in emoji]
    assert [status for status, _ in answers[:20]] == [204] * 20
    assert answers[20][1]["code"] == 30010
    assert (await call("PUT", f"{path}nonsense/@me"))[1]["code"] == 10014
    assert (await call("PUT", f"{path}party:123/@me"))[1]["code"] == 10014


async def test_bulk_deletes_are_bounded(bench: Bench, call: Client) -> None:
    ids = [await bench.emulator.say(bench.chat, "Anna", f"{n}") for n in range(3)]
    path = f"/channels/{bench.chat}/messages/bulk-delete"
    assert (await call("POST", path, {"messages": ids[:1]}))[1]["code"] == 50016
    assert (await call("POST", path, {"messages": ids[:2]}))[0] == 204
    assert [m.text for m in bench.emulator.transcript(bench.chat) if not m.deleted] == ["2"]


async def test_strict_budgets_answer_as_discord_does(bench: Bench, call: Client) -> None:
    bench.emulator.budgets = RateBudgets.strict()
    path = f"/channels/{bench.chat}/messages"
    for left in (4, 3, 2, 1, 0):
        assert (await call("POST", path, {"content": "x"}))[0] == 200
        assert call.headers["X-RateLimit-Remaining"] == str(left)
    status, answer = await call("POST", path, {"content": "x"})
    assert status == 429
    assert 0 < answer["retry_after"] <= 5
    assert {"Via", "Retry-After", "X-RateLimit-Scope"} <= set(call.headers)


async def test_a_locked_thread_takes_nothing_and_an_archived_one_wakes_up(bench: Bench, call: Client) -> None:
    thread = await bench.emulator.start_thread(bench.chat, "Anna", "Topic")
    await bench.emulator.archive_thread(thread)
    assert (await call("POST", f"/channels/{thread}/messages", {"content": "x"}))[0] == 200
    _, channel = await call("GET", f"/channels/{thread}")
    assert channel["thread_metadata"]["archived"] is False
    await bench.emulator.archive_thread(thread, locked=True)
    assert (await call("POST", f"/channels/{thread}/messages", {"content": "x"}))[1]["code"] == 50083


async def test_attachment_addresses_are_signed_and_expire(bench: Bench, call: Client) -> None:
    from adapters.common.emulation.contract import Upload

    message = await bench.emulator.say(bench.chat, "Anna", "", files=[Upload(name="a b.txt", mime="text/plain", content=b"abc")])

    async def address() -> str:
        return str((await call("GET", f"/channels/{bench.chat}/messages/{message}"))[1]["attachments"][0]["url"])

    async def status(url: str) -> int:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status

    url = await address()
    assert await status(url) == 200
    assert await status(url.replace("hm=", "hm=0")) == 404
    assert await status(url.split("?")[0]) == 404
    bench.emulator.cdn.lifetime_s = -1
    assert await status(await address()) == 404


# -- the gateway --------------------------------------------------------------------------------------------------------------


class Socket:
    """A gateway client that does what it is told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, op: int, data: object) -> None:
        await self._socket.send_str(json.dumps({"op": op, "d": data}))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self._socket.receive_str())  # type: ignore[no-any-return]

    async def until(self, event: str) -> dict[str, Any]:
        while (found := await self.next())["t"] != event:
            assert set(found) == {"op", "d", "s", "t"}
        return found

    async def close_code(self) -> int | None:
        async with asyncio.timeout(PATIENCE_S):
            async for _ in self._socket:
                pass
        return self._socket.close_code


@pytest.fixture
async def gateway(bench: Bench) -> AsyncIterator[Any]:
    async with aiohttp.ClientSession() as session:

        async def connect(query: str = "?v=10&encoding=json") -> Socket:
            url = bench.emulator.account_options()["gateway_url"] + query
            return Socket(await session.ws_connect(url))

        yield connect


def identity(bench: Bench, **changes: Any) -> dict[str, Any]:
    return {"token": bench.emulator.bot.token, "intents": 34305, "properties": {}, **changes}


@pytest.mark.parametrize(
    ("op", "changes", "code"),
    [
        (2, {"token": "wrong"}, 4004),
        (2, {"intents": 1 << 40}, 4013),
        (2, {"intents": 1 << 8}, 4014),
        (3, {}, 4003),
    ],
)
async def test_faulty_clients_are_closed_with_the_right_code(
    bench: Bench, gateway: Any, op: int, changes: dict[str, Any], code: int
) -> None:
    socket = await gateway()
    await socket.send(op, identity(bench, **changes))
    assert await socket.close_code() == code


async def test_a_flood_of_payloads_is_closed(bench: Bench, gateway: Any) -> None:
    socket = await gateway()
    for _ in range(121):
        await socket.send(1, None)
    assert await socket.close_code() == 4008


async def test_without_the_content_intent_messages_are_empty_unless_own_or_mentioning(bench: Bench, gateway: Any) -> None:
    socket = await gateway()
    await socket.send(2, identity(bench, intents=34305 & ~(1 << 15)))
    await socket.until("GUILD_CREATE")
    await bench.emulator.say(bench.chat, "Anna", "secret")
    await bench.emulator.say(bench.chat, "Anna", f"for you <@{bench.emulator.bot.user.id}>")
    assert (await socket.until("MESSAGE_CREATE"))["d"]["content"] == ""
    assert (await socket.until("MESSAGE_CREATE"))["d"]["content"].startswith("for you")


async def test_resume_replays_in_order_and_refuses_what_it_cannot(bench: Bench, gateway: Any) -> None:
    first = await gateway()
    await first.send(2, identity(bench))
    ready = await first.until("READY")
    last = await first.until("GUILD_CREATE")
    await bench.emulator.disturb(StreamFault.DISCONNECT)
    for number in range(3):
        await bench.emulator.say(bench.chat, "Anna", f"{number}")
    second = await gateway()
    resume = {"token": bench.emulator.bot.token, "session_id": ready["d"]["session_id"], "seq": last["s"]}
    await second.send(6, resume)
    texts = [(await second.until("MESSAGE_CREATE"))["d"]["content"] for _ in range(3)]
    assert texts == ["0", "1", "2"]
    assert (await second.until("RESUMED"))["s"] == last["s"] + 4
    third = await gateway()
    await third.send(6, {**resume, "session_id": "unknown"})
    assert (await third.next())["op"] == 10
    refused = await third.next()
    assert (refused["op"], refused["d"]) == (9, False)


async def test_frames_are_compressed_when_asked(bench: Bench) -> None:
    url = bench.emulator.account_options()["gateway_url"] + "?v=10&encoding=json&compress=zlib-stream"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        raw = await socket.receive_bytes()
        assert raw.endswith(b"\x00\x00\xff\xff")
        assert json.loads(zlib.decompressobj().decompress(raw))["op"] == 10


async def test_reordering_swaps_two_events(bench: Bench, gateway: Any) -> None:
    socket = await gateway()
    await socket.send(2, identity(bench))
    await socket.until("GUILD_CREATE")
    await bench.emulator.disturb(StreamFault.REORDER)
    for number in range(3):
        await bench.emulator.say(bench.chat, "Anna", f"{number}")
    assert [(await socket.until("MESSAGE_CREATE"))["d"]["content"] for _ in range(3)] == ["1", "0", "2"]


async def test_changes_are_told_to_those_who_watch(bench: Bench) -> None:
    seen: list[tuple[str, str]] = []

    async def watch() -> None:
        async for change in bench.emulator.changes():
            seen.append((change.kind, change.message.text))

    watching = asyncio.create_task(watch())
    message = await bench.emulator.say(bench.chat, "Anna", "**a**")
    await bench.emulator.edit(bench.chat, message, "b")
    await bench.emulator.react(bench.chat, message, "Boris", "👍")
    await bench.emulator.delete(bench.chat, message)
    await eventually(lambda: len(seen) == 4)
    watching.cancel()
    assert seen == [("created", "a"), ("edited", "b"), ("reactions", "b"), ("deleted", "b")]


async def test_the_formatting_sample_shows_its_words(bench: Bench) -> None:
    await bench.emulator.say(bench.chat, "Anna", bench.emulator.formatting_sample())
    shown = bench.emulator.transcript(bench.chat)[0]
    assert shown.text.split() == ["bold", "italic", "strike", "code", "label", "quoted", "block"]
    for tag in ("<b>", "<i>", "<s>", "<code>", "<a href=", "<blockquote>", "<pre>"):
        assert tag in shown.html
