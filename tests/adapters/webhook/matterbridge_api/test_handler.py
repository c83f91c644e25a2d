"""The paths of matterbridge's API: who gets what, how often, and what is refused."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.webhook.matterbridge_api import handler
from adapters.webhook.matterbridge_api.acknowledged import unacknowledged_bytes
from adapters.webhook.matterbridge_api.readers import Readers
from adapters.webhook.outbound import fetching
from bridge.model.account_store import MailPage
from bridge.model.outbound import Copy, OutboundDelete, OutboundEdit, Reply
from bridge.model.rich_text import plain
from bridge.model.web_mount import EVERY_CHAT
from tests.adapters.webhook.matterbridge_api.served import serving
from tests.adapters.webhook.receivers import MemoryStore
from tests.support.patience import eventually


async def greeted(answer: aiohttp.ClientResponse) -> None:
    assert json.loads(await answer.content.readline())["event"] == "api_connected"


def is_under_way(request: web.Request) -> bool:
    """Whether something was written, and has not arrived."""
    return request.transport is not None and unacknowledged_bytes(request.transport) > 0


# -- draining ---------------------------------------------------------------------------------------------------------------------


async def test_what_waits_is_given_once_to_each_key() -> None:
    store = MemoryStore()
    async with serving(store=store) as served:
        for number in range(3):
            await served.say(f"m{number}", f"t{number}")
        assert await served.texts() == ["m0", "m1", "m2"]
        assert await served.texts() == []
        served.by(key_id="k2")
        assert await served.texts() == ["m0", "m1", "m2"]
    async with serving(store=store) as served:  # after a restart
        await served.say("m3", "t3")
        assert await served.texts() == ["m3"]


async def test_a_new_key_begins_with_the_latest() -> None:
    async with serving(buffer=2) as served:
        for number in range(5):
            await served.say(f"m{number}", f"t{number}")
        assert await served.texts() == ["m3", "m4"]
        for number in range(5, 10):
            await served.say(f"m{number}", f"t{number}")
        assert len(await served.drained()) == 5, "from then on it gets all"
    async with serving(buffer=0) as served:
        await served.say("before", "t0")
        assert await served.texts() == []
        await served.say("after", "t1")
        assert await served.texts() == ["after"]


async def test_two_who_drain_by_one_key_share_what_there_is() -> None:
    async with serving() as served:
        assert await served.texts() == []
        for number in range(20):
            await served.say(f"m{number}", f"t{number}")
        found = await asyncio.gather(*(served.texts() for _ in range(5)))
        assert sorted(text for texts in found for text in texts) == sorted(f"m{number}" for number in range(20))
        await eventually(lambda: not served.adapter._doors._others["api"].__self__._readers._draining)


async def test_ends_of_one_key_come_in_the_order_of_arrival() -> None:
    async with serving() as served:
        served.by(chat=EVERY_CHAT)
        for number, chat in enumerate(("one", "two", "two", "one")):
            await served.say(f"m{number}", f"t{number}", chat)
        found = await served.drained()
        assert [(one["text"], one["gateway"]) for one in found] == [
            ("m0", "one"),
            ("m1", "the second"),
            ("m2", "the second"),
            ("m3", "one"),
        ]


async def test_a_line_says_what_is_no_longer_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as served:
        await served.say("m0", "t0")
        await served.texts()
        kept = served.store.mail

        async def mail(chat_id: str, **how: Any) -> MailPage:
            page = await kept(chat_id, **how)
            return MailPage(mail=page.mail, missed=3 if page.mail else 0, last=page.last, last_mark=page.last_mark)

        monkeypatch.setattr(served.store, "mail", mail)
        await served.say("m1", "t1")
        assert await served.texts() == ["3 earlier messages are no longer kept", "m1"]


async def test_what_a_broken_connection_did_not_deliver_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader never reads: its kernel takes a part, and acknowledges no more."""
    async with serving() as served:
        await served.texts()
        for number in range(300):
            await served.say(f"{number} {'x' * 8000}", f"t{number}")
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", int(served.base.rpartition(":")[2])))
        before = len(served.requests)
        reader.sendall(b"GET /api/messages HTTP/1.1\r\nHost: x\r\n\r\n")
        await eventually(lambda: any(is_under_way(request) for request in served.requests[before:]))
        reader.close()
        api: Readers = served.adapter._doors._others["api"].__self__._readers
        await eventually(lambda: not api._draining)
        found: list[str] = []
        while texts := await served.texts():
            found += texts
        assert [text.split()[0] for text in found] == [str(number) for number in range(300)]


# -- streams ----------------------------------------------------------------------------------------------------------------------


async def test_a_stream_begins_where_the_key_is_and_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "HEARTBEAT_S", 0.02)
    async with serving() as served:
        await served.say("before", "t0")
        async with served.client.get("/api/stream") as answer:
            assert answer.content_type == "application/json"
            await greeted(answer)
            assert json.loads(await answer.content.readline())["text"] == "before"
            assert await answer.content.readexactly(2) == b"  ", "blanks, which no reader of JSON minds"
            await served.say("now", "t1")
            assert json.loads(await answer.content.readline())["text"] == "now"
            await eventually(lambda: served.store.notes["api/k1/one"].startswith("2."))
        assert await served.texts() == []


async def test_every_stream_of_a_key_gets_everything() -> None:
    async with serving() as served:
        async with served.client.get("/api/stream") as first, served.client.get("/api/stream") as second:
            for answer in (first, second):
                await greeted(answer)
            await served.say("to all", "t0")
            assert [json.loads(await answer.content.readline())["text"] for answer in (first, second)] == ["to all"] * 2


async def test_streams_end_with_the_account_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_READERS", 1)
    async with serving() as served, served.client.get("/api/stream") as stream:
        await greeted(stream)
        async with served.client.get("/api/messages") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
            assert (await answer.json())["message"]
        await served.adapter.close()
        assert (await stream.content.read()).strip() == b""
        async with served.client.get("/api/stream") as answer:
            assert answer.status == 503


# -- what is sent -----------------------------------------------------------------------------------------------------------------


async def test_an_edit_a_deletion_and_an_answer() -> None:
    async with serving() as served:
        reply = Reply(message_id="t0", author_name="Anna", excerpt="the words\nof it")
        await served.say("question", "t0")
        await served.say("answer", "t1", reply=reply, sender=None)
        edit = OutboundEdit(token="e1", copy=Copy(chat_id="one", message_ids=("t0",)), text=plain("questions"))
        await served.adapter.edit(edit)
        await served.adapter.edit(edit)
        found = await served.drained()
        assert [(one["id"], one["text"], one["username"], one["parent_id"]) for one in found] == [
            ("t0", "question", "Anna", ""),
            ("t1", "answer (re @Anna: the words of it)", "bridge", "t0"),
            ("t0", "questions", "bridge", ""),
        ]
        await served.adapter.delete(OutboundDelete(copy=Copy(chat_id="one", message_ids=("t0",))))
        served.by(key_id="k2")
        found = await served.drained()
        assert [(one["event"], one["text"]) for one in found] == [
            ("msg_delete", "msg_delete"),
            ("", "answer"),
            ("msg_delete", "msg_delete"),
            ("msg_delete", "msg_delete"),
        ]


# -- refusals ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("POST", "/api/messages", 405, "only GET"),
        ("GET", "/api/message", 405, "only POST"),
        ("HEAD", "/api/stream", 405, ""),
        ("GET", "/api/", 404, "/api/stream"),
        ("GET", "/api/websocket", 400, "Upgrade"),
    ],
)
async def test_what_is_wrong_is_said_as_matterbridge_says_it(method: str, path: str, status: int, said: str) -> None:
    async with serving() as served, served.client.request(method, path) as answer:
        assert answer.status == status
        assert answer.content_type == "application/json"
        if said:
            assert said in (await answer.json())["message"]


async def test_a_key_of_an_end_that_is_gone_and_an_account_of_another_style() -> None:
    async with serving() as served:
        served.by(chat="gone")
        async with served.client.get("/api/messages") as answer:
            assert answer.status == 404
    async with serving(style="standard", ends={"one": {"fetch": True}}) as served:
        async with served.client.get("/api/messages") as answer:
            assert (answer.status, "style: matterbridge" in await answer.text()) == (404, True)


async def test_the_health_of_the_api() -> None:
    async with serving() as served, served.client.get("/api/health") as answer:
        assert (answer.status, await answer.text()) == (200, "OK")


async def test_a_full_disk_is_no_answer() -> None:
    async with serving() as served:
        served.store.is_full = True
        async with served.client.get("/api/messages") as answer:
            assert answer.status == 503
        served.store.is_full = False
        await served.say("kept", "t0")
        await served.texts()
        await eventually(lambda: served.store.notes["api/k1/one"].startswith("1."))
        await served.say("not yet read", "t1")
        served.store.is_full = True
        assert await served.texts() == ["not yet read"]
        served.store.is_full = False
        assert await served.texts() == ["not yet read"], "where the reader was could not be stored"


def fetch(port: int, head: str) -> list[str]:
    """As a program that closes the moment it has the list."""
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(f"GET /api/messages HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += raw.recv(65536)
        head_bytes, _, body = answer.partition(b"\r\n\r\n")
        (length,) = [int(line[15:]) for line in head_bytes.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while len(body) < length:
            body += raw.recv(65536)
    return [one["text"][:3] for one in json.loads(body)]


@pytest.mark.parametrize("head", ["", "Connection: close\r\n"])
@pytest.mark.parametrize("size_chars", [10, 20_000])
async def test_a_program_that_closes_once_it_has_the_list_does_not_get_it_again(head: str, size_chars: int) -> None:
    async with serving() as served:
        port = int(served.base.rpartition(":")[2])
        for number in range(8):
            for part in range(5):
                await served.say(f"{number}.{part}" + "x" * size_chars, f"t{number}-{part}")
            assert await asyncio.to_thread(fetch, port, head) == [f"{number}.{part}" for part in range(5)]
            assert await asyncio.to_thread(fetch, port, head) == []
