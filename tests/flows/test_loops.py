"""Chats that several routes, several bridges or another vendor's bridge relay: nothing goes round."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from adapters.common.emulation.contract import EmulatedChat
from adapters.discord.emulator import DiscordEmulator
from adapters.registry import load_platform
from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.config.load import load_config
from tests.flows.world import QUICK, World
from tests.support.patience import eventually


class Guild:
    """One Discord server with two rooms, and bridges with bots of their own between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.emulator = DiscordEmulator()
        self.rooms: list[EmulatedChat] = []
        self.bridges: list[App] = []

    async def bridge(self, account: dict[str, Any], routes: list[dict[str, Any]]) -> App:
        folder = self.folder / str(len(self.bridges))
        folder.mkdir()
        path = folder / "bridge.yaml"
        document = {"accounts": {"guild": {"platform": "discord", **account}}, "routes": routes}
        path.write_text(yaml.safe_dump(document))
        loaded = load_config(path, {}, manifests=load_platform)
        assert loaded.config is not None, loaded.faults
        app = App(loaded.config, manifests=load_platform, back_off=QUICK)
        await app.start()
        self.bridges.append(app)
        await eventually(lambda: app.account_states()["guild"].state is AccountState.UP)
        return app

    def route(self, name: str = "rooms") -> dict[str, Any]:
        return {"name": name, "between": [f"guild/{room.address}" for room in self.rooms]}

    def bots_said(self, room: int) -> list[str]:
        return [message.text for message in self.emulator.transcript(self.rooms[room].chat_id) if message.is_bot]


@pytest.fixture
async def guild(tmp_path: Path) -> AsyncIterator[Guild]:
    guild = Guild(tmp_path)
    await guild.emulator.start()
    guild.rooms = [guild.emulator.add_chat("one"), guild.emulator.add_chat("two")]
    yield guild
    for app in guild.bridges:
        await app.stop(drain_s=2)
    await guild.emulator.stop()


async def test_two_routes_over_the_same_chats_deliver_once(guild: Guild) -> None:
    await guild.bridge(guild.emulator.account_options(), [guild.route("first"), guild.route("second")])
    for text in ("hello", "fence"):
        await guild.emulator.say(guild.rooms[0].chat_id, "Anna", text)
    await eventually(lambda: "fence" in guild.bots_said(1))
    await guild.emulator.say(guild.rooms[1].chat_id, "Boris", "answer")
    await eventually(lambda: "answer" in guild.bots_said(0))
    assert guild.bots_said(1) == ["hello", "fence"]
    assert guild.bots_said(0) == ["answer"]


async def test_two_bridges_over_the_same_chats_do_not_echo(guild: Guild) -> None:
    other = guild.emulator.add_bot("Second bridge")
    await guild.bridge(guild.emulator.account_options(), [guild.route()])
    await guild.bridge(guild.emulator.account_options_of(other), [guild.route()])
    for text in ("hello", "how are you", "fence"):
        await guild.emulator.say(guild.rooms[0].chat_id, "Anna", text)
    await eventually(lambda: guild.bots_said(1).count("fence") == 2)
    await guild.emulator.say(guild.rooms[1].chat_id, "Boris", "answer")
    await eventually(lambda: guild.bots_said(0).count("answer") == 2)
    # each bridge relays each message once, which is what its admin asked for; no copy is copied
    assert sorted(guild.bots_said(1)) == ["fence", "fence", "hello", "hello", "how are you", "how are you"]
    assert guild.bots_said(0) == ["answer", "answer"]


async def test_another_vendors_bridge_does_not_echo(guild: Guild) -> None:
    """A bot that repeats what people say in the other room, with the name in front of the words."""
    other = guild.emulator.add_bot("matterbridge")
    await guild.bridge(guild.emulator.account_options(), [guild.route()])
    await guild.emulator.say(guild.rooms[0].chat_id, "Anna", "hello")
    await eventually(lambda: guild.bots_said(1) == ["hello"])
    url = f"{guild.emulator.base_url}/api/v10/channels/{guild.rooms[1].chat_id}/messages"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {other.token}"}) as session:
        for text in ("[discord] <Anna> hello", "the build is green"):
            async with session.post(url, json={"content": text}) as answer:
                assert answer.status == 200
    await eventually(lambda: "the build is green" in guild.bots_said(0))
    assert guild.bots_said(0) == ["the build is green"]


async def test_one_hundred_messages_each_way_cross_once(world: World) -> None:
    """The echoes of our own copies come back on every platform while people go on talking."""
    for number in range(25):
        for platform in world.emulators:
            await world.say(platform, f"{platform} {number}")
    for origin in world.emulators:
        for target in world.emulators:
            if origin != target:
                await eventually(
                    lambda target=target, origin=origin: world.copies(target, f"{origin} 24"), what=f"{origin} -> {target}"
                )
    for platform in world.emulators:
        assert len(world.seen(platform)) == 100, platform
