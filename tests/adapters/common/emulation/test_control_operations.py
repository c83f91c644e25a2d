"""What people do beside writing, in the emulators of the real platforms, asked through the control API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from adapters.common.emulation.contract import EmulatedChat, Emulator, SeenMessage, Upload
from adapters.common.emulation.control import control_app
from adapters.common.emulation.control_client import ControlClient, ControlError
from adapters.registry import load_emulator
from tests.support.patience import PATIENCE_S

PLATFORMS = ("telegram", "slack", "discord", "teamspirit")


class World:
    def __init__(self, client: ControlClient, emulators: dict[str, Emulator], chats: dict[str, EmulatedChat]) -> None:
        self.client = client
        self.emulators = emulators
        self.chats = chats

    async def do(self, platform: str, operation: str, **body: Any) -> Any:
        return await self.client.post(f"/{platform}/{operation}", {"chat_id": self.chats[platform].chat_id, **body})

    async def listed(self, platform: str, what: str) -> list[dict[str, Any]]:
        return await self.client.get(f"/{platform}/{what}", list[dict[str, Any]], chat_id=self.chats[platform].chat_id)

    def seen(self, platform: str, message_id: str) -> SeenMessage:
        found = self.emulators[platform].transcript(self.chats[platform].chat_id)
        return next(message for message in found if message.message_id == message_id)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        emulators: dict[str, Emulator] = {platform: load_emulator(platform) for platform in PLATFORMS}
        for emulator in emulators.values():
            await emulator.start()
            stack.push_async_callback(emulator.stop)
        chats = {platform: emulator.add_chat("room") for platform, emulator in emulators.items()}
        runner = web.AppRunner(control_app(emulators), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield World(await stack.enter_async_context(ControlClient(url, timeout_s=PATIENCE_S)), emulators, chats)


async def test_each_says_what_its_people_can(world: World) -> None:
    entries = await world.client.get("/", list[dict[str, Any]])
    can = {entry["platform"]: set(entry["can"]) for entry in entries}
    assert {"pin", "start_thread"} <= can["telegram"]
    assert {"pin", "start_thread", "type"} <= can["discord"]
    assert "pin" in can["slack"]
    assert "start_thread" not in can["slack"], "a thread grows from a message there"
    assert "pin" not in can["teamspirit"]
    assert all(entry["sending"] for entry in entries)
    with pytest.raises(ControlError, match="people of teamspirit cannot pin") as refused:
        await world.do("teamspirit", "pin", message_id="m1", person="Anna")
    assert refused.value.status == 422


@pytest.mark.parametrize("platform", ["telegram", "slack", "discord"])
async def test_a_pin_is_seen_and_taken_away(world: World, platform: str) -> None:
    said = await world.do(platform, "say", person="Anna", text="keep this")
    for _ in range(2):  # what is done already changes nothing
        await world.do(platform, "pin", message_id=said, person="Boris")
        assert world.seen(platform, said).pinned
    for _ in range(2):
        await world.do(platform, "pin", message_id=said, person="Boris", remove=True)
        assert not world.seen(platform, said).pinned


async def test_a_deleted_message_is_not_pinned_any_more(world: World) -> None:
    for platform in ("telegram", "slack", "discord"):
        said = await world.do(platform, "say", person="Anna", text="keep this")
        await world.do(platform, "pin", message_id=said, person="Boris")
        await world.do(platform, "delete", message_id=said)
        assert not world.seen(platform, said).pinned


async def test_threads_are_opened_and_listed(world: World) -> None:
    with pytest.raises(ControlError, match="this group has no topics"):
        await world.do("telegram", "start_thread", person="Anna", name="Website")
    telegram: Any = world.emulators["telegram"]
    world.chats["telegram"] = telegram.add_chat_with_topics("forum")
    assert world.chats["telegram"].names_threads
    said = await world.do("discord", "say", person="Anna", text="where is it?")
    for platform, more in (("telegram", {}), ("discord", {"message_id": said})):
        opened = await world.do(platform, "start_thread", person="Anna", name="Website", **more)
        assert await world.listed(platform, "threads") == [{"thread_id": opened, "name": "Website"}]
        inside = await world.do(platform, "say", person="Boris", text="here", thread_id=opened)
        assert world.seen(platform, inside).thread_id == opened
        await world.do(platform, "change_thread", person="Boris", thread_id=opened, name="Web pages", closed=True)
        assert await world.listed(platform, "threads") == [{"thread_id": opened, "name": "Web pages", "closed": True}]
        await world.do(platform, "change_thread", person="Boris", thread_id=opened, closed=False)
        assert await world.listed(platform, "threads") == [{"thread_id": opened, "name": "Web pages"}]
        with pytest.raises(ControlError, match="has no such t"):
            await world.do(platform, "change_thread", person="Boris", thread_id="404", name="x")
    with pytest.raises(ControlError, match="1 to 128 characters"):
        await world.do("telegram", "start_thread", person="Anna", name="x" * 129)
    assert await world.listed("slack", "threads") == []


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_what_the_composer_offers_becomes_a_mention(world: World, platform: str) -> None:
    world.emulators[platform].add_person("Chiara")
    world.emulators[platform].add_person("דנה")  # no user name can be made of this on Telegram
    offered = {each["name"]: each["mention"] for each in await world.listed(platform, "members")}
    for name in ("Chiara", "דנה"):
        said = await world.do(platform, "say", person="Boris", text=f"look here {offered[name]} please")
        shown = world.seen(platform, said)
        assert re.search(r'class="(text_)?mention\b', shown.html), shown.html
        assert "look here" in shown.text
        assert "please" in shown.text
    assert not any("bridge" in name.lower() for name in offered), "no bots"


async def test_typing_is_shown_until_the_words_are_there(world: World) -> None:
    for platform in ("discord", "teamspirit"):
        emulator: Any = world.emulators[platform]
        chat_id = world.chats[platform].chat_id
        await world.do(platform, "type", person="Anna")
        assert emulator.typing(chat_id) == ["Anna"]
        await world.do(platform, "say", person="Anna", text="typed")
        assert emulator.typing(chat_id) == []


async def test_a_file_is_sent_as_what_its_sender_says(world: World) -> None:
    body = {"chat_id": world.chats["telegram"].chat_id, "person": "Anna", "kinds": ["voice"]}
    upload = Upload(name="note.ogg", mime="audio/ogg", content=b"OggS" + bytes(60))
    said = await world.client.post("/telegram/say", body, [upload])
    assert [file.kind for file in world.seen("telegram", said).files] == ["voice"]


async def test_a_fault_with_an_end_is_listed_with_what_is_left_of_it(world: World) -> None:
    await world.client.post("/slack/inject", {"fault": {"kind": "rate_limit", "for_s": 1000.0}})
    entry = next(e for e in await world.client.get("/", list[dict[str, Any]]) if e["platform"] == "slack")
    assert 0 < entry["faults"][0]["for_s"] <= 1000.0
    await world.client.post("/slack/clear_faults", {})
    entry = next(e for e in await world.client.get("/", list[dict[str, Any]]) if e["platform"] == "slack")
    assert entry["faults"] == []


async def test_a_closed_chat_is_listed_until_it_is_opened(world: World) -> None:
    for platform in PLATFORMS:
        await world.do(platform, "close_chat")
    entries = await world.client.get("/", list[dict[str, Any]])
    assert all(entry["closed"] == [world.chats[entry["platform"]].chat_id] for entry in entries)
    slack: Any = world.emulators["slack"]
    assert slack.workspace.channels[world.chats["slack"].chat_id].archived, "an app may write to channels it is not in"
    for platform in PLATFORMS:
        await world.do(platform, "close_chat", reopen=True)
    assert all(entry["closed"] == [] for entry in await world.client.get("/", list[dict[str, Any]]))
    assert not slack.workspace.channels[world.chats["slack"].chat_id].archived


@pytest.mark.parametrize("platform", ["telegram", "discord"])
async def test_a_poll_is_asked_voted_on_and_closed(world: World, platform: str) -> None:
    asked = await world.do(platform, "ask", person="Anna", question="Where?", options=["here", "there"], many=True)
    await world.do(platform, "vote", message_id=asked, person="Boris", options=[0, 1])
    await world.do(platform, "vote", message_id=asked, person="Chiara", options=[1])
    poll = world.seen(platform, asked).poll
    assert poll is not None
    assert (poll.question, poll.many, poll.closed) == ("Where?", True, False)
    assert [(option.text, option.votes, option.by) for option in poll.options] == [
        ("here", 1, ("Boris",)),
        ("there", 2, ("Boris", "Chiara")),
    ]
    await world.do(platform, "vote", message_id=asked, person="Boris", options=[])
    poll = world.seen(platform, asked).poll
    assert poll is not None
    assert [option.votes for option in poll.options] == [0, 1]
    with pytest.raises(ControlError, match="no such answer"):
        await world.do(platform, "vote", message_id=asked, person="Boris", options=[2])
    await world.do(platform, "close_poll", message_id=asked)
    poll = world.seen(platform, asked).poll
    assert poll is not None
    assert poll.closed
    with pytest.raises(ControlError, match="closed"):
        await world.do(platform, "vote", message_id=asked, person="Boris", options=[0])
    with pytest.raises(ControlError):
        await world.do(platform, "ask", person="Anna", question="", options=["here", "there"])
    with pytest.raises(ControlError, match="people of slack cannot ask"):
        await world.do("slack", "ask", person="Anna", question="Where?", options=["here", "there"])
