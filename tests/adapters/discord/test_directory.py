"""Channels are found by name, and a thread is no chat of its own."""

from __future__ import annotations

import pytest

from bridge.model.errors import ChatDown
from tests.adapters.discord.conftest import Bench


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
