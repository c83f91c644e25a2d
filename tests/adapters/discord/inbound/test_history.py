"""Reading a chat back gives what live delivery gave."""

from __future__ import annotations

from adapters.discord.adapter import DiscordAdapter
from bridge.model.events import MessageCreated
from tests.adapters.discord.conftest import Bench


async def test_history_gives_the_events_of_live_delivery(bench: Bench, adapter: DiscordAdapter) -> None:
    ids = [await bench.emulator.say(bench.chat, "Anna", f"{n}") for n in range(3)]
    found = [event async for event in adapter.history(bench.chat, ids[0])]
    assert [e.message_id for e in found if isinstance(e, MessageCreated)] == ids[1:]
    assert [e.meta.event_key for e in found] == [f"created:guild:{bench.chat}:{i}" for i in ids[1:]]
