"""Chats are found by id or name, where the bot may list them."""

from __future__ import annotations

import pytest

from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import (
    Adapter,
)
from bridge.model.errors import ChatDown, RetryLater
from tests.adapters.teamspirit.harness import make_adapter, options_of


async def test_a_chat_is_found_by_id_or_name(emulator: TeamSpiritEmulator, adapter: Adapter) -> None:
    emulator.world.rules.chats_page_size = 2
    chats = [emulator.add_chat(f"chat-{number}") for number in range(5)]
    assert await adapter.resolve("chat-4") == chats[4].chat_id
    assert await adapter.resolve(chats[3].chat_id) == chats[3].chat_id
    for emulated in chats:
        assert await adapter.resolve(emulated.address) == emulated.chat_id
    assert list(emulator.calls()).count("GET /chats") == 3, "one listing serves all"
    with pytest.raises(ChatDown):
        await adapter.resolve("nowhere")
    await emulator.refuse_connections(True)
    await adapter.close()
    fresh = make_adapter(options_of(emulator))
    with pytest.raises(RetryLater):
        await fresh.resolve("chat-1")
    await fresh.close()


async def test_a_name_that_several_chats_have_is_refused_with_their_ids(emulator: TeamSpiritEmulator, adapter: Adapter) -> None:
    twins = [emulator.add_chat(name).chat_id for name in ("lobby", "other", "third")]
    for chat_id in twins[:2]:
        emulator.world.state.chats[chat_id].name = "lobby"
    with pytest.raises(ChatDown, match="2 chats are named 'lobby'") as caught:
        await adapter.resolve("lobby")
    assert caught.value.action.endswith(", ".join(sorted(twins[:2])))
    assert await adapter.resolve(twins[1]) == twins[1]


async def test_a_bot_that_may_not_list_chats_takes_ids(emulator: TeamSpiritEmulator) -> None:
    adapter = make_adapter(options_of(emulator, overrides={"operations": {"chats": {"path": "/no/such/path"}}}))
    assert await adapter.resolve("c17") == "c17"
    await adapter.close()
