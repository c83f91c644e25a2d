"""The emulator's messages: checked as Discord checks them, in the same words."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from adapters.discord.emulator.records import Permission
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.emulator.conftest import Client

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


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


async def test_bulk_deletes_are_bounded(bench: Bench, call: Client) -> None:
    ids = [await bench.emulator.say(bench.chat, "Anna", f"{n}") for n in range(3)]
    path = f"/channels/{bench.chat}/messages/bulk-delete"
    assert (await call("POST", path, {"messages": ids[:1]}))[1]["code"] == 50016
    assert (await call("POST", path, {"messages": ids[:2]}))[0] == 204
    assert [m.text for m in bench.emulator.transcript(bench.chat) if not m.deleted] == ["2"]


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
