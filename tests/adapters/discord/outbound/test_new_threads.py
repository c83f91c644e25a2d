"""Threads that cannot be made: a channel goes on without, a forum waits for the right."""

from __future__ import annotations

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import Permission
from bridge.model.errors import ChatDown, Rejected
from bridge.model.threads import OutboundThread
from tests.adapters.discord.conftest import Bench


async def test_without_the_right_a_channel_takes_the_message_itself_and_a_forum_is_down(
    bench: Bench, adapter: DiscordAdapter
) -> None:
    forum = bench.emulator.add_forum("help").chat_id
    bench.emulator.deny(bench.chat, Permission.CREATE_PUBLIC_THREADS)
    bench.emulator.deny(forum, Permission.SEND_MESSAGES)
    async with bench.running(adapter, bench.intake()):
        with pytest.raises(Rejected):
            await adapter.open_thread(OutboundThread(token="t1", chat_id=bench.chat, title="Releases"))
        with pytest.raises(ChatDown):
            await adapter.open_thread(OutboundThread(token="t2", chat_id=forum, title="Releases"))
