"""Threads are written to, and archived ones wake up."""

from __future__ import annotations

import pytest

from adapters.discord.adapter import DiscordAdapter
from bridge.model.adapter import OutboundEdit, OutboundReaction
from bridge.model.errors import Rejected
from bridge.model.rich_text import plain
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import ANNA, copy_of, outbound


async def test_threads_are_written_to_and_archived_ones_wake_up(bench: Bench, adapter: DiscordAdapter) -> None:
    thread = await bench.emulator.start_thread(bench.chat, "Anna", "Details")
    await bench.emulator.archive_thread(thread)
    receipt = await adapter.send(outbound(bench, thread_id=thread))
    await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain("edited"), sender=ANNA))
    assert [(m.text, m.thread_id) for m in bench.emulator.transcript(thread)] == [("edited", thread)]
    await bench.emulator.archive_thread(thread)
    await adapter.edit(OutboundEdit(token="e", copy=copy_of(bench, receipt), text=plain("edited again"), sender=ANNA))
    await bench.emulator.archive_thread(thread)
    await adapter.react(OutboundReaction(copy=copy_of(bench, receipt), wanted=("👍",), added=("👍",)))
    (message,) = bench.emulator.transcript(thread)
    assert (message.text, [r.emoji for r in message.reactions]) == ("edited again", ["👍"])
    await bench.emulator.archive_thread(thread, locked=True)
    with pytest.raises(Rejected):
        await adapter.send(outbound(bench, thread_id=thread, token="t2"))
