"""The chats that bots can see, asked of each platform's emulator by the real client; and those that are heard."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.registry import load_platform
from bridge.cli.finding_chats import FoundChats, find_chats
from bridge.model.refs import AccountName
from tests.flows.world import World
from tests.support.patience import PATIENCE_S


async def find(world: World, name: str, *, listen_s: float = 0.0, enough: int = 1000) -> FoundChats:
    account = world.config().accounts[AccountName(name)]
    return await find_chats(account, load_platform(name), listen_s=listen_s, enough=enough)


@pytest.mark.parametrize("name", ["slack", "discord", "teamspirit"])
async def test_a_bot_lists_its_chats_as_bridge_yaml_writes_them(quiet_world: World, name: str) -> None:
    other = quiet_world.emulators[name].add_chat("another room")
    found = await find(quiet_world, name)
    assert (found.why, found.can_list) == ("", True)
    addresses = {chat.address for chat in found.chats}
    for chat in (quiet_world.chats[name], other):
        assert addresses & {chat.address, chat.chat_id}, (chat, found.chats)
    assert [load_platform(name).check_address(address) for address in addresses] == [None] * len(addresses)


async def test_telegram_hears_where_somebody_writes_and_confirms_nothing(quiet_world: World) -> None:
    group, other = quiet_world.chats["telegram"], quiet_world.emulators["telegram"].add_chat("second")
    assert not (await find(quiet_world, "telegram")).can_list
    await quiet_world.say("telegram", "first")
    listening = asyncio.create_task(find(quiet_world, "telegram", listen_s=PATIENCE_S, enough=2))
    await quiet_world.emulators["telegram"].say(other.chat_id, "Anna", "in the other one")
    found = await listening
    assert [(chat.address, chat.name) for chat in found.chats] == [(group.chat_id, group.name), (other.chat_id, other.name)]
    await quiet_world.start_bridge()
    await quiet_world.copy("discord", "first")


@pytest.mark.parametrize("name", ["slack", "discord", "teamspirit", "telegram"])
async def test_a_token_that_is_refused_is_told_with_what_to_do(quiet_world: World, name: str) -> None:
    quiet_world.emulators[name].inject(Fault(kind=FaultKind.UNAUTHORIZED))
    found = await find(quiet_world, name, listen_s=PATIENCE_S if name == "telegram" else 0.0)
    assert " - " in found.why
    assert not found.is_temporary
    assert found.chats == []


async def test_a_server_that_is_not_there_may_come_back(tmp_path: Path) -> None:
    world = World(tmp_path, platforms=("teamspirit",))
    await world.start_platforms()
    world.settings["routes"] = []
    world.account_options["teamspirit"] = {"server": "http://127.0.0.1:9"}
    found = await find(world, "teamspirit")
    await world.stop_platforms()
    assert found.is_temporary
    assert found.why
