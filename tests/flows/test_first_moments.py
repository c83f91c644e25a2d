"""A bridge that starts for the first time while people talk: nothing that is said from then on is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.slack.emulator import SlackEmulator
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually, stays


class Talking(World):
    def __init__(self, folder: Path, receive: str) -> None:
        super().__init__(folder, ("teamspirit", "discord"))
        self.receive = receive
        self.port = free_port()

    def document(self) -> dict[str, Any]:
        document = super().document()
        document["web"] = {"public": {"listen": f"127.0.0.1:{self.port}", "url": f"http://127.0.0.1:{self.port}"}}
        account = document["accounts"]["teamspirit"]
        account.update(receive=self.receive, poll_interval_s=0.05, poll_idle_interval_s=0.05)
        return document


@pytest.mark.parametrize("receive", ["webhook", "history"])
@pytest.mark.parametrize("pause_s", [0.0, 0.02])
async def test_what_is_said_from_the_first_moment_on(tmp_path: Path, receive: str, pause_s: float) -> None:
    world = Talking(tmp_path, receive)
    await world.start_platforms()
    try:
        await world.say("teamspirit", "before")
        starting = asyncio.create_task(world.start_bridge())
        await eventually(lambda: bool(world.emulators["teamspirit"].calls()), what="the bridge's first call")
        said = [f"word {number}" for number in range(10)]
        for text in said:
            await world.say("teamspirit", text)
            await asyncio.sleep(pause_s)
        await starting
        await world.say("teamspirit", "last")
        await eventually(lambda: world.copies("discord", "last"), what=f"{world.texts('discord')}")
        await stays(
            lambda: [message.text for message in world.seen("discord") if message.is_bot] == [*said, "last"], for_s=1.0
        )  # what comes again comes now
    finally:
        await world.stop_bridge()
        await world.stop_platforms()


@pytest.mark.parametrize("receive", ["webhook", "history"])
async def test_what_is_said_right_after_a_route_was_added(tmp_path: Path, receive: str) -> None:
    world = Talking(tmp_path, receive)
    await world.start_platforms()
    try:
        app = await world.start_bridge()
        chats = {name: emulator.add_chat("second") for name, emulator in world.emulators.items()}
        there = world.emulators["teamspirit"]
        await there.say(chats["teamspirit"].chat_id, "Anna", "before")
        await asyncio.sleep(1.0)  # a second before the route, nobody listens
        world.settings["routes"] = [
            world.document()["routes"][0],
            {"name": "second", "between": [f"{name}/{chat.address}" for name, chat in chats.items()]},
        ]
        await app.reload(world.config())
        said = [f"word {number}" for number in range(10)]
        for text in said:
            await there.say(chats["teamspirit"].chat_id, "Anna", text)

        def copies() -> list[str]:
            seen = world.emulators["discord"].transcript(chats["discord"].chat_id)
            return [message.text for message in seen if message.is_bot]

        await eventually(lambda: len(copies()) >= len(said), what=f"{copies()}")
        assert copies() == said
    finally:
        await world.stop_bridge()
        await world.stop_platforms()


async def test_what_is_said_while_the_platform_is_slow_to_tell_where_a_new_route_leads(tmp_path: Path) -> None:
    world = World(tmp_path, ("slack", "discord"))
    await world.start_platforms()
    try:
        app = await world.start_bridge()
        slack = world.emulators["slack"]
        assert isinstance(slack, SlackEmulator)
        chats = {"discord": world.emulators["discord"].add_chat("second")}
        chats["slack"] = slack.add_chat("draft")
        slack.rename_chat(chats["slack"].chat_id, "second")  # its name is looked up anew
        elsewhere = slack.add_chat("elsewhere")
        await slack.say(elsewhere.chat_id, "Anna", "of no route")
        await world.say("slack", "known")
        await world.copy("discord", "known")
        world.settings["routes"] = [
            world.document()["routes"][0],
            {"name": "second", "between": ["slack/#second", f"discord/{chats['discord'].address}"]},
        ]
        slack.inject(Fault(kind=FaultKind.LATENCY, operation="conversations.*", delay_s=1.0))
        before = len(slack.calls())
        reloading = asyncio.create_task(app.reload(world.config()))
        await eventually(lambda: any(name.startswith("conversations.") for name in slack.calls()[before:]))
        said = [f"during {number}" for number in range(3)] + [f"after {number}" for number in range(3)]
        for text in said[:3]:
            await slack.say(chats["slack"].chat_id, "Anna", text)
        await reloading
        for text in said[3:]:
            await slack.say(chats["slack"].chat_id, "Anna", text)

        def copies() -> list[str]:
            seen = world.emulators["discord"].transcript(chats["discord"].chat_id)
            return [message.text for message in seen if message.is_bot]

        await eventually(lambda: len(copies()) >= len(said), what=f"{copies()}")
        assert copies() == said
    finally:
        await world.stop_bridge()
        await world.stop_platforms()
