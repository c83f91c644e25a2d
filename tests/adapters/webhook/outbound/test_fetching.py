"""Those without a url fetch: by long polling and by server-sent events, from a cursor."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.webhook.outbound import fetching
from bridge.model.outbound import Copy, OutboundDelete
from bridge.model.web_mount import KeyDirection, KeyGrant
from tests.adapters.webhook.receivers import MemoryStore, account, message
from tests.support.patience import PATIENCE_S, eventually

GRANT = KeyGrant(key_id="k1", chat="alerts", direction=KeyDirection.OUT)


@asynccontextmanager
async def served(store: MemoryStore | None = None) -> AsyncIterator[tuple[Any, aiohttp.ClientSession]]:
    """An account whose end is fetched, and a client of `/out/<key>`."""
    async with account(store=store or MemoryStore(), end={"fetch": True}) as adapter:
        app = web.Application()
        app.router.add_route("*", "/out", lambda request: adapter._fetching.serve(request, GRANT))
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            async with aiohttp.ClientSession(base, timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as client:
                yield adapter, client
        finally:
            adapter._fetching.close()
            await runner.cleanup()


async def fetched(client: aiohttp.ClientSession, **query: Any) -> Any:
    async with client.get("/out", params=query) as answer:
        assert answer.status == 200
        return await answer.json()


def texts(page: Any) -> list[str]:
    return [one["data"]["text"] for one in page["messages"]]


# -- long polling ---------------------------------------------------------------------------------------------------------------


async def test_messages_come_in_order_behind_a_cursor() -> None:
    store = MemoryStore()
    async with served(store) as (adapter, client):
        for number in range(3):
            await adapter.send(message(f"hello {number}", token=f"t{number}"))
        first = await fetched(client, limit=2)
        assert (texts(first), first["missed"], first["anew"]) == (["hello 0", "hello 1"], 0, False)
        assert first["cursor"] == first["messages"][1]["cursor"]
        assert first["messages"][0]["id"] == "t0"
        assert first["messages"][0]["type"] == "message.created"
    async with served(store) as (adapter, client):  # after a restart
        for cursor in (first["cursor"], "2"):  # as an earlier version gave it
            last = await fetched(client, after=cursor)
            assert texts(last) == ["hello 2"]
        end = {"messages": [], "cursor": last["cursor"], "missed": 0, "anew": False}
        assert [await fetched(client, after=cursor) for cursor in (last["cursor"], "3")] == [end, end]


async def test_after_a_backup_was_restored_a_reader_gets_all_and_is_told() -> None:
    store, restored = MemoryStore(), MemoryStore()
    async with served(store) as (adapter, client):
        await adapter.send(message("before the backup", token="t0"))
        restored.boxes = {end: list(box) for end, box in store.boxes.items()}
        await adapter.send(message("lost", token="t1"))
        cursor = (await fetched(client))["cursor"]
    async with served(restored) as (adapter, client):
        page = await fetched(client, after=cursor, wait_s=60)
        assert (texts(page), page["anew"]) == (["before the backup"], True), "a cursor of a number that is not there yet"
        await adapter.send(message("since", token="t1"))
        known = await fetched(client, after=page["cursor"])
        assert (texts(known), known["anew"]) == (["since"], False)
        page = await fetched(client, after=cursor, wait_s=60)
        assert (texts(page), page["anew"]) == (["before the backup", "since"], True)
        assert page["cursor"].split(".")[0] == cursor.split(".")[0]
        assert page["cursor"] != cursor
        async with stream(client, **{"Last-Event-ID": cursor}) as answer:
            events = await read_events(answer, 3)
            assert [event["event"] for event in events] == ["anew", "message.created", "message.created"]
            assert [event["id"] for event in events] == ["0", *(one["cursor"] for one in page["messages"])]
    async with served() as (adapter, client):  # a new journal
        page = await fetched(client, after=cursor, wait_s=60)
        assert (page["messages"], page["cursor"], page["anew"]) == ([], "0", True)


async def test_another_attempt_is_not_read_twice() -> None:
    async with served() as (adapter, client):
        await adapter.send(message())
        await adapter.send(message())
        assert len((await fetched(client))["messages"]) == 1


async def test_who_waits_hears_at_once() -> None:
    async with served() as (adapter, client):
        waiting = [asyncio.create_task(fetched(client, wait_s=60)) for _ in range(3)]
        await eventually(lambda: adapter._fetching._readers["alerts"] == 3)
        await adapter.send(message("now"))
        assert [texts(page) for page in await asyncio.gather(*waiting)] == [["now"]] * 3
        assert not adapter._fetching._readers
        assert not adapter._fetching._news, "a reader that is gone costs nothing"


async def test_readers_are_bounded_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MOST_READERS", 2)
    monkeypatch.setattr(fetching, "LOOK_EVERY_S", 0.02)
    async with served() as (adapter, client):
        waiting = [asyncio.create_task(fetched(client, wait_s=60)) for _ in range(2)]
        await eventually(lambda: adapter._fetching._readers["alerts"] == 2)
        async with client.get("/out") as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "10"
        waiting.pop().cancel()
        await eventually(lambda: adapter._fetching._readers["alerts"] == 1)
        await adapter.close()
        assert (await waiting[0])["messages"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"after": "x"},
        {"after": "-1"},
        {"after": "9" * 30},
        {"after": "9" * 19},
        {"after": "1.x"},
        {"after": "1."},
        {"wait_s": "soon"},
        {"limit": "1e3"},
    ],
)
async def test_what_is_no_cursor_is_said(query: dict[str, str]) -> None:
    async with served() as (_, client), client.get("/out", params=query) as answer:
        assert answer.status == 400
        assert next(iter(query)) in (await answer.json())["error"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_nothing_is_written_by_a_key_that_reads(method: str) -> None:
    async with served() as (_, client), client.request(method, "/out", data=b"x") as answer:
        assert answer.status == 405


# -- server-sent events -----------------------------------------------------------------------------------------------------------


async def read_events(answer: aiohttp.ClientResponse, count: int) -> list[dict[str, str]]:
    """The next so many events; comments are none."""
    found: list[dict[str, str]] = []
    event: dict[str, str] = {}
    while len(found) < count:
        line = (await answer.content.readline()).decode().rstrip("\n")
        if not line:
            if "data" in event:
                found.append(event)
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value
    return found


@asynccontextmanager
async def stream(client: aiohttp.ClientSession, **headers: str) -> AsyncIterator[aiohttp.ClientResponse]:
    async with client.get("/out", headers={"Accept": "text/event-stream", **headers}) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield answer


async def test_events_come_as_they_happen_and_go_on_where_a_reader_was() -> None:
    async with served() as (adapter, client):
        await adapter.send(message("one\n\ntwo: три", token="t0"))
        async with stream(client) as answer:
            (first,) = await read_events(answer, 1)
            assert (first["id"].split(".")[0], first["event"]) == ("1", "message.created")
            assert json.loads(first["data"])["data"]["text"] == "one\n\ntwo: три"
            await adapter.send(message("next", token="t1"))
            (second,) = await read_events(answer, 1)
            assert second["id"].split(".")[0] == "2"
        await adapter.send(message("missed while away", token="t2"))
        async with stream(client, **{"Last-Event-ID": second["id"]}) as answer:
            (third,) = await read_events(answer, 1)
            assert json.loads(third["data"])["id"] == "t2"
        await eventually(lambda: not adapter._fetching._readers)


async def test_a_silent_stream_stays_open_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "HEARTBEAT_S", 0.02)
    async with served() as (adapter, client), stream(client) as answer:
        lines = [await answer.content.readline() for _ in range(6)]
        assert lines.count(b": nothing new\n") == 2
        await adapter.send(message("after the silence"))
        assert json.loads((await read_events(answer, 1))[0]["data"])["data"]["text"] == "after the silence"


async def test_a_reader_who_does_not_read_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what waits for it stays in memory, as does its connection."""
    monkeypatch.setattr(fetching, "_WRITE_TIMEOUT_S", 0.05)
    async with served() as (adapter, client):
        for number in range(100):
            await adapter.send(message("x" * 100_000, token=f"t{number}"))
        assert client._base_url is not None
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", client._base_url.port, limit=1)
            writer.write(b"GET /out HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            await reader.readexactly(1)
            await eventually(lambda: not adapter._fetching._readers)
            last = b""
            with suppress(ConnectionError):
                while piece := await reader.read(2**20):
                    last = (last + piece)[-5:]
            assert last != b"0\r\n\r\n", "what waited was kept until it was read"
            writer.close()


async def test_a_stop_ends_streams() -> None:
    async with served() as (adapter, client), stream(client) as answer:
        await answer.content.readline()
        await adapter.close()
        await answer.content.read()
        assert answer.content.at_eof()


async def test_what_was_kept_in_another_style_is_a_line() -> None:
    store = MemoryStore()
    for content in (b'{"message": {"id": "t0", "text": "old", "parent_id": ""}}', b"[]", b"no JSON"):
        await store.put_mail("alerts", f"t{len(store.boxes.get('alerts', []))}", content)
    async with served(store) as (adapter, client):
        await adapter.send(message("new", token="t9"))
        page = await fetched(client)
        assert [one["type"] for one in page["messages"]] == ["message.created"] * 4
        assert ["another form" in text for text in texts(page)] == [True, True, True, False]
        async with client.get("/out", headers={"Accept": "text/event-stream"}) as answer:
            streamed = b""
            while b"new" not in streamed:
                streamed += await answer.content.readany()
        assert streamed.count(b"another form") == 3
        await adapter.delete(OutboundDelete(copy=Copy(chat_id="alerts", message_ids=("t0",))))
        assert b"old" not in store.boxes["alerts"][0].content
