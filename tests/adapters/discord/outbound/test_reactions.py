"""Reactions and pins: custom emoji by name, and rights that are missing."""

from __future__ import annotations

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import Permission
from bridge.model.adapter import Copy, OutboundReaction
from bridge.model.errors import ChatDown, Rejected
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import copy_of, outbound, shown


async def test_custom_emoji_react_by_name_and_unknown_ones_are_refused(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.add_emoji("party")
    message_id = await bench.emulator.say(bench.chat, "Anna", "news")
    copy = Copy(chat_id=bench.chat, message_ids=(message_id,))
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await adapter.react(OutboundReaction(copy=copy, wanted=(":party:",), added=(":party:",)))
        with pytest.raises(Rejected, match=":nope:"):
            await adapter.react(OutboundReaction(copy=copy, wanted=(":nope:", "👍"), added=(":nope:", "👍")))
    assert [r.emoji for r in shown(bench)[0].reactions] == [":party:", "👍"]


async def test_a_missing_right_to_react_or_pin_is_no_trouble_of_the_chat(bench: Bench, adapter: DiscordAdapter) -> None:
    copy = copy_of(bench, await adapter.send(outbound(bench)))
    bench.emulator.deny(bench.chat, Permission.ADD_REACTIONS | Permission.PIN_MESSAGES)
    with pytest.raises(Rejected, match="Add Reactions"):
        await adapter.react(OutboundReaction(copy=copy, wanted=("👍",), added=("👍",)))
    with pytest.raises(Rejected, match="Pin Messages"):
        await adapter.pin(copy, True)
    await adapter.send(outbound(bench, token="t2"))
    bench.emulator.deny(bench.chat, Permission.VIEW_CHANNEL)
    with pytest.raises(ChatDown):
        await adapter.react(OutboundReaction(copy=copy, wanted=("👍",), added=("👍",)))
