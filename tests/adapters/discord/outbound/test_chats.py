"""Channels renamed through the adapter, where the bot may."""

from __future__ import annotations

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import Permission
from bridge.model.errors import Rejected
from tests.adapters.discord.conftest import Bench


async def test_a_channel_gets_the_name_as_discord_writes_it(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.bot.permissions |= Permission.MANAGE_CHANNELS
    assert await adapter.rename_chat(bench.chat, "War Room") == "war-room"
    assert bench.emulator.people.channel(bench.chat).name == "war-room"
    assert len(await adapter.rename_chat(bench.chat, "x" * 300)) == 100


async def test_without_the_permission_it_is_refused(bench: Bench, adapter: DiscordAdapter) -> None:
    with pytest.raises(Rejected, match="Manage Channels"):
        await adapter.rename_chat(bench.chat, "War Room")
