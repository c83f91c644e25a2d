"""Who has no URL fetches what is said in a chat, by the public listener with a key, through restarts of the bridge."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
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
    assert [one["type"] for one in found] in (["message.edited", "message.deleted"], ["message.deleted"] * 2)
    await world.stop_bridge()
    await world.start_bridge()
    await world.say("discord", "after the restart")
    assert texts(await fetch(world, client, after=page["cursor"], wait_s=60)) == ["after the restart"]
    whole = await fetch(world, client)
    assert [one["cursor"].split(".")[0] for one in whole["messages"]] == ["1", "2", "3", "4"]


async def test_who_comes_after_a_deletion_does_not_get_the_words(world: Fetched, client: aiohttp.ClientSession) -> None:
    discord, chat = world.emulators["discord"], world.chats["discord"].chat_id
    message = await world.say("discord", "xylophone")
    await discord.say(chat, "Boris", "an answer", reply_to=message)
    await discord.edit(chat, message, "xylophones")
    await world.say("discord", "of somebody else")
    page = await read_until(world, client, "of somebody else")
    reply = next(one for one in page["messages"] if one["data"].get("text") == "an answer")
    assert reply["data"]["reply_to"]["excerpt"] == "xylophone"
    await discord.delete(chat, message)
    await fetch(world, client, after=page["cursor"], wait_s=60)
    whole = await fetch(world, client)
    assert "xylophone" not in json.dumps(whole)
    assert sorted(texts(whole)) == ["an answer", "of somebody else"]
    assert [one["type"] for one in whole["messages"]].count("message.deleted") == 3
    assert whole["missed"] == 0
    (kept,) = [one for one in whole["messages"] if one["data"].get("text") == "an answer"]
    assert kept["data"]["reply_to"] == {**reply["data"]["reply_to"], "author": "", "excerpt": ""}
    assert len({one["id"] for one in whole["messages"]}) == len(whole["messages"])


async def test_events_are_sent_as_they_happen(world: Fetched, client: aiohttp.ClientSession) -> None:
    async with client.get(world.url, headers={"Accept": "text/event-stream"}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        await world.say("discord", "now")
        while not (line := await answer.content.readline()).startswith(b"data: "):
            assert line, "the stream ended"
        assert json.loads(line.removeprefix(b"data: "))["data"]["text"] == "now"


async def read_until(world: Fetched, client: aiohttp.ClientSession, text: str, after: str = "0") -> Any:
    """All pages up to that text, as one."""
    whole: dict[str, Any] = {"messages": [], "missed": 0, "anew": False, "cursor": after}
    while text not in texts(whole):
        page = await fetch(world, client, after=whole["cursor"], wait_s=60)
        whole["messages"] += page["messages"]
        whole |= {"cursor": page["cursor"], "missed": whole["missed"] + page["missed"], "anew": whole["anew"] or page["anew"]}
    return whole


async def test_a_reader_that_was_away_for_long_hears_what_it_missed(
    world: Fetched, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.journal.sqlite.mailboxes.MAILBOX_KEPT", 3)
    await world.say("discord", "0")
    cursor = (await read_until(world, client, "0"))["cursor"]
    for number in range(1, 8):
        await world.say("discord", str(number))
    newest = await read_until(world, client, "7", cursor)
    await world.stop_bridge()
    await world.start_bridge()
    page = await fetch(world, client, after=cursor)
    assert (texts(page), page["missed"], page["anew"]) == (["5", "6", "7"], 4, False)
    async with client.get(world.url, headers={"Accept": "text/event-stream", "Last-Event-ID": cursor}) as answer:
        lines = [await answer.content.readline() for _ in range(4)]
        assert lines[2:] == [b"event: missed\n", b"data: 4\n"]
    assert world.app is not None
    await world.app.journal.prune(before=datetime.now(UTC) + timedelta(days=1))  # as after `keep_days`
    page = await fetch(world, client, after=cursor)
    assert (page["messages"], page["missed"], page["anew"]) == ([], 7, False)
    assert page["cursor"] == newest["cursor"]
    page = await fetch(world, client, after=newest["cursor"])
    assert (page["messages"], page["missed"], page["anew"]) == ([], 0, False), "it had all that is gone"


async def test_after_a_backup_was_restored_no_reader_skips_anything(world: Fetched, client: aiohttp.ClientSession) -> None:
    await world.say("discord", "in the backup")
    await read_until(world, client, "in the backup")
    journal, backup = world.folder / "bridge.journal", world.folder / "backup"
    with contextlib.closing(sqlite3.connect(journal)) as origin, contextlib.closing(sqlite3.connect(backup)) as copy:
        origin.backup(copy)
    await world.say("discord", "after the backup")
    cursor = (await read_until(world, client, "after the backup"))["cursor"]
    assert world.app is not None
    key = (await world.app.journal.keys())[0]
    await world.stop_bridge()
    for name in ("", "-wal", "-shm"):
        journal.with_name(journal.name + name).unlink(missing_ok=True)
    backup.rename(journal)
    app = await world.start_bridge()
    assert [one.key_id for one in await app.journal.keys()] == [key.key_id]
    await world.say("discord", "since")
    await read_until(world, client, "since")  # its number is beyond that of the cursor
    page = await read_until(world, client, "since", cursor)
    assert page["anew"]
    assert texts(page) == ["in the backup", "after the backup", "since"], "what the messenger still has is read from it again"
    again = [one["cursor"] for one in page["messages"]]
    assert [one.split(".")[0] for one in again] == ["1", "2", "3"]
    assert cursor.startswith("2.")
    assert cursor not in again
    assert texts(await fetch(world, client, after="2")) == ["since"], "a number alone is what an earlier version gave"


async def test_a_key_that_reads_says_nothing_and_a_strangers_gets_nothing(world: Fetched, client: aiohttp.ClientSession) -> None:
    async with client.post(world.url, data=b"hello") as answer:
        assert answer.status == 405
    async with client.get(world.url + "x") as answer:
        assert answer.status in (401, 404)
    async with client.post(world.url.replace("/out/", "/in/"), data=b"hello") as answer:
        assert answer.status in (401, 403, 404)
    assert not world.seen("discord")
