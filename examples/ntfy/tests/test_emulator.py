"""The emulator as programs meet it: Apprise, which knows ntfy and not this adapter, and plain HTTP against what is documented."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import apprise
import pytest
from messenger_bridge_ntfy.emulator import NtfyEmulator

from adapters.common.emulation.contract import StreamFault, Upload


@pytest.fixture
async def ntfy() -> AsyncIterator[NtfyEmulator]:
    emulator = NtfyEmulator()
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest.fixture
async def http(ntfy: NtfyEmulator) -> AsyncIterator[aiohttp.ClientSession]:
    login = {"Authorization": f"Bearer {ntfy.token}"}
    async with aiohttp.ClientSession(ntfy.base_url, headers=login) as session:
        yield session


async def lines(http: aiohttp.ClientSession, path: str) -> list[dict[str, Any]]:
    async with http.get(path) as answer:
        assert answer.status == 200
        return [json.loads(line) for line in (await answer.read()).splitlines()]


async def refusal(http: aiohttp.ClientSession, method: str, path: str, **more: Any) -> dict[str, Any]:
    async with http.request(method, path, **more) as answer:
        found: dict[str, Any] = await answer.json()
        assert answer.status == found["http"]
        return found


async def test_apprise_publishes_words_and_a_file(ntfy: NtfyEmulator, tmp_path: Path) -> None:
    topic = ntfy.add_chat("alerts").chat_id
    paper = tmp_path / "paper.txt"
    paper.write_bytes(b"written down")
    client = apprise.Apprise()
    assert client.add(
        f"ntfy://bridge:{ntfy.password}@127.0.0.1:{ntfy.port}/{topic}?priority=high&tags=warning&click=https://a.example/x"
    )
    assert await asyncio.to_thread(client.notify, title="Größe", body="the disk is full")
    assert await asyncio.to_thread(client.notify, title="Paper", body="see", attach=str(paper))
    first, second = ntfy.transcript(topic)[:2]
    assert (first.author_name, first.text) == ("Größe", "the disk is full")
    assert second.author_name == "Paper"
    assert [ntfy.file_bytes(file.file_id) for file in second.files] == [b"written down"]


async def test_what_is_published_is_streamed_as_documented(ntfy: NtfyEmulator, http: aiohttp.ClientSession) -> None:
    topic = ntfy.add_chat("alerts").chat_id
    async with http.get(f"/{topic}/json") as stream:
        opened = json.loads(await stream.content.readline())
        assert opened == {"id": opened["id"], "time": opened["time"], "event": "open", "topic": topic}
        headers = {"Title": "=?UTF-8?B?w5xiZXI=?=", "Priority": "5", "Tags": "warning,skull", "X-Sequence-ID": "backup-7"}
        async with http.put(f"/{topic}", data="  words\n", headers=headers) as answer:
            told = await answer.json()
        assert json.loads(await stream.content.readline()) == told
    assert len(told["id"]) == 12
    assert told["expires"] == told["time"] + 12 * 3600
    assert {key: told[key] for key in ("event", "title", "message", "priority", "tags", "sequence_id")} == {
        "event": "message",
        "title": "Über",
        "message": "words",
        "priority": 5,
        "tags": ["warning", "skull"],
        "sequence_id": "backup-7",
    }


async def test_messages_are_kept_and_read_since(ntfy: NtfyEmulator, http: aiohttp.ClientSession) -> None:
    topic = ntfy.add_chat("alerts").chat_id
    ids = [await ntfy.say(topic, "Anna", f"number {number}") for number in range(4)]

    async def since(marker: str) -> list[str]:
        return [message["id"] for message in await lines(http, f"/{topic}/json?poll=1{marker}")]

    assert await since("") == ids
    assert await since("&since=all") == ids
    assert await since("&since=none") == []
    assert await since(f"&since={ids[1]}") == ids[2:]
    assert await since("&since=AAAAAAAAAAAA") == ids
    assert await since("&since=10m") == ids
    assert await since("&since=4000000000") == []
    assert (await refusal(http, "GET", f"/{topic}/json?since=yesterday"))["code"] == 40008


async def test_a_stream_tells_that_it_is_alive(ntfy: NtfyEmulator, http: aiohttp.ClientSession) -> None:
    ntfy.configure({"keepalive_s": 0.05})
    topic = ntfy.add_chat("alerts").chat_id
    async with http.get(f"/{topic}/json") as stream:
        events = [json.loads(await stream.content.readline())["event"] for _ in range(3)]
    assert events == ["open", "keepalive", "keepalive"]


async def test_a_body_that_is_no_message_becomes_an_attachment(ntfy: NtfyEmulator, http: aiohttp.ClientSession) -> None:
    topic = ntfy.add_chat("alerts").chat_id
    for body, name, mime in (
        (b"x" * 4097, "attachment.txt", "text/plain"),
        (b"\xff\x00", "attachment.bin", "application/octet-stream"),
    ):
        async with http.put(f"/{topic}", data=body) as answer:
            told = await answer.json()
        attachment = told["attachment"]
        assert (attachment["name"], attachment["type"].partition(";")[0], attachment["size"]) == (name, mime, len(body))
        assert told["message"] == f"You received a file: {name}"
        assert attachment["expires"] > told["time"]
        async with http.get(attachment["url"].removeprefix(ntfy.base_url)) as file:
            assert await file.read() == body
    async with http.put(f"/{topic}", data=b"x" * 4096) as answer:
        assert "attachment" not in await answer.json()


async def test_an_attachment_expires(ntfy: NtfyEmulator, http: aiohttp.ClientSession) -> None:
    ntfy.configure({"attachment_expiry_s": -1})
    topic = ntfy.add_chat("alerts").chat_id
    await ntfy.say(topic, "Anna", "", files=[Upload(name="a.txt", mime="text/plain", content=b"a")])
    (told,) = await lines(http, f"/{topic}/json?poll=1")
    assert (await refusal(http, "GET", told["attachment"]["url"].removeprefix(ntfy.base_url)))["code"] == 40401


async def test_refusals_are_those_of_the_server(ntfy: NtfyEmulator, http: aiohttp.ClientSession) -> None:
    ntfy.configure({"max_upload_bytes": 10_000})
    topic = ntfy.add_chat("alerts").chat_id
    large = await refusal(http, "PUT", f"/{topic}", data=b"x" * 10_001, headers={"Filename": "a.bin"})
    assert large["code"] == 41301
    assert large["link"].startswith("https://ntfy.sh/docs/")
    assert (await refusal(http, "PUT", "/of-others", data="x"))["code"] == 40301
    assert (await refusal(http, "PUT", "/not+a+topic", data="x"))["code"] == 40009
    assert (await refusal(http, "PUT", "/docs", data="x"))["code"] == 40010
    assert (await refusal(http, "GET", f"/{topic}/nothing/here"))["code"] == 40401
    assert (await refusal(http, "PUT", f"/{topic}", data="x", headers={"Authorization": "Bearer tk_wrong"}))["code"] == 40101
    assert (await refusal(http, "POST", "/", data="no json"))["code"] == 40017
    ntfy.configure({"attachments": False})
    assert (await refusal(http, "PUT", f"/{topic}", data=b"x", headers={"Filename": "a.bin"}))["code"] == 40014


async def test_updates_and_deletions_are_events_of_their_own(ntfy: NtfyEmulator, http: aiohttp.ClientSession) -> None:
    topic = ntfy.add_chat("alerts").chat_id
    async with http.put(f"/{topic}", data="first") as answer:
        first = (await answer.json())["id"]
    async with http.put(f"/{topic}/{first}", data="second") as answer:
        assert (await answer.json())["sequence_id"] == first
    async with http.delete(f"/{topic}/{first}") as answer:
        assert (await answer.json())["event"] == "message_delete"
    (seen,) = ntfy.transcript(topic)
    assert (seen.message_id, seen.text, seen.edited, seen.deleted) == (first, "second", True, True)
    ntfy.configure({"sequence_ids": False})
    assert (await refusal(http, "DELETE", f"/{topic}/{first}"))["code"] == 40401


async def test_a_stream_is_cut_on_command(ntfy: NtfyEmulator, http: aiohttp.ClientSession) -> None:
    topic = ntfy.add_chat("alerts").chat_id
    async with http.get(f"/{topic}/json") as stream:
        await stream.content.readline()
        await ntfy.disturb(StreamFault.DISCONNECT)
        with pytest.raises(aiohttp.ClientError):
            await stream.content.readline()
