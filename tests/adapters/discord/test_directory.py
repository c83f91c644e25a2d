"""Servers, channels and threads: rights, names, and what a broken part of a server costs."""

from __future__ import annotations

import pytest

from adapters.discord.directory import Places
from bridge.model.errors import ChatDown
from tests.adapters.discord.conftest import Bench


def test_permissions_follow_roles_then_overwrites() -> None:
    places = Places()
    roles = [
        {"id": "1", "name": "@everyone", "permissions": str(0b0011)},
        {"id": "2", "name": "bridge", "permissions": str(0b0100)},
    ]
    overwrites = [
        {"id": "1", "type": 0, "allow": "0", "deny": str(0b0001)},
        {"id": "2", "type": 0, "allow": str(0b1000), "deny": "0"},
        {"id": "9", "type": 1, "allow": "0", "deny": str(0b0010)},
    ]
    channels = [{"id": "5", "type": 0, "name": "a", "permission_overwrites": overwrites}, {"id": "6", "type": 0, "name": "b"}]
    guild = {
        "id": "1",
        "name": "g",
        "owner_id": "77",
        "roles": roles,
        "channels": channels,
        "threads": [{"id": "7", "type": 11, "name": "t", "parent_id": "5"}],
        "members": [{"user": {"id": "9"}, "roles": ["2"]}],
    }
    places.apply("GUILD_CREATE", guild, "9")
    assert places.permissions("5", "9") == 0b1100
    assert places.permissions("7", "9") == 0b1100, "a thread has its channel's"
    assert places.permissions("6", "9") == 0b0111
    assert places.permissions("404", "9") is None
    places.apply("GUILD_ROLE_UPDATE", {"guild_id": "1", "role": {"id": "2", "name": "bridge", "permissions": "8"}}, "9")
    assert places.permissions("5", "9") == -1, "an administrator may do everything"


async def test_channels_are_found_by_name(bench: Bench) -> None:
    adapter = bench.adapter()
    assert await adapter.resolve("#general") == bench.chat
    assert await adapter.resolve("general") == bench.chat
    assert await adapter.resolve(bench.chat) == bench.chat
    with pytest.raises(ChatDown):
        await adapter.resolve("nowhere")
    bench.emulator.add_chat("general")
    other = bench.adapter()
    with pytest.raises(ChatDown, match="2 channels"):
        await other.resolve("general")


async def test_a_threads_id_is_no_chat_of_its_own(bench: Bench) -> None:
    thread = await bench.emulator.start_thread(bench.chat, "Anna", "Topic")
    adapter = bench.adapter()
    async with bench.running(adapter, bench.intake()):
        with pytest.raises(ChatDown) as raised:
            await adapter.resolve(thread)
    assert f"{bench.chat}/{thread}" in raised.value.action


def test_one_broken_part_of_a_server_leaves_the_others() -> None:
    places = Places()
    guild = {
        "id": "1",
        "name": None,
        "premium_tier": "odd",
        "roles": [{"id": "1", "permissions": "2048"}, {"name": "without an id", "permissions": {}}, None],
        "emojis": {"not": "a list"},
        "channels": [{"id": "5", "type": 0, "name": "a", "permission_overwrites": [None, {"id": "1", "deny": []}]}, {"id": "6"}, 7],
        "threads": None,
        "members": [{"user": None}, {"user": {"id": "9"}, "roles": []}],
    }
    places.apply("GUILD_CREATE", guild, "9")
    assert places.channel_name("5") == "a"
    assert places.permissions("5", "9") == 2048
    places.apply("GUILD_EMOJIS_UPDATE", {"guild_id": "1", "emojis": [None, {"id": "3", "name": "party"}]}, "9")
    assert places.emoji("party") == "party:3"
