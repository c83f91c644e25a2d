"""Who has no URL fetches what is said in a chat, by the public listener with a key, through restarts of the bridge."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.model.refs import AccountName, ChatAddress
from bridge.model.web_mount import KeyDirection
from bridge.web.new_keys import make_key, url_of
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import PATIENCE_S

READER = ChatAddress(AccountName("webhook"), "reader")


class Fetched(World):
    """A chat whose messages are fetched at `url`."""

    url = ""

    def document(self) -> dict[str, Any]:
        document = super().document()
        document["accounts"]["webhook"]["ends"]["reader"] = {"fetch": True}
        document["routes"] = [{"name": "out", "from": f"discord/{self.chats['discord'].address}", "to": ["webhook/reader"]}]
        return document


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Fetched]:
    made = Fetched(tmp_path, ("discord", "webhook"))
    port = free_port()
    made.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    await made.start_platforms()
    app = await made.start_bridge()
    key, secret = make_key(READER, KeyDirection.OUT, now=datetime.now(UTC))
    await app.journal.add_key(key)
    made.url = url_of(f"http://127.0.0.1:{port}", KeyDirection.OUT, secret)
    yield made
    await made.stop_bridge()
    await made.stop_platforms()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as made:
        yield made


async def fetch(world: Fetched, client: aiohttp.ClientSession, **query: Any) -> Any:
    async with client.get(world.url, params=query) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def texts(page: Any) -> list[str]:
    return [one["data"]["text"] for one in page["messages"] if "text" in one["data"]]


async def test_what_is_said_waits_for_who_fetches_it_in_order(world: Fetched, client: aiohttp.ClientSession) -> None:
    waiting = asyncio.create_task(fetch(world, client, wait_s=60))
    message = await world.say("discord", "first")
    page = await waiting
    assert texts(page) == ["first"]
    assert page["messages"][0]["data"]["author"]["name"] == "Anna"
    discord, chat = world.emulators["discord"], world.chats["discord"].chat_id
    await discord.edit(chat, message, "first, corrected")
    await discord.delete(chat, message)
    found: list[Any] = []
    while len(found) < 2:
        page = await fetch(world, client, after=page["cursor"], wait_s=10)
        found += page["messages"]
    assert [one["type"] for one in found] == ["message.edited", "message.deleted"]
    await world.stop_bridge()
    await world.start_bridge()
    await world.say("discord", "after the restart")
    assert texts(await fetch(world, client, after=page["cursor"], wait_s=60)) == ["after the restart"]
    whole = await fetch(world, client)
    assert [one["cursor"].split(".")[0] for one in whole["messages"]] == ["1", "2", "3", "4"]


async def test_events_are_sent_as_they_happen(world: Fetched, client: aiohttp.ClientSession) -> None:
    async with client.get(world.url, headers={"Accept": "text/event-stream"}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        await world.say("discord", "now")
        while not (line := await answer.content.readline()).startswith(b"data: "):
            assert line, "the stream ended"
        assert json.loads(line.removeprefix(b"data: "))["data"]["text"] == "now"


async def test_a_key_that_reads_says_nothing_and_a_strangers_gets_nothing(world: Fetched, client: aiohttp.ClientSession) -> None:
    async with client.post(world.url, data=b"hello") as answer:
        assert answer.status == 405
    async with client.get(world.url + "x") as answer:
        assert answer.status in (401, 404)
    async with client.post(world.url.replace("/out/", "/in/"), data=b"hello") as answer:
        assert answer.status in (401, 403, 404)
    assert not world.seen("discord")
