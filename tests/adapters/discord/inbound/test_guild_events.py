"""What events tell of channels and people around the messages."""

from __future__ import annotations

from adapters.discord.adapter import DiscordAdapter
from bridge.model.events import (
    ChatRenamed,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
)
from tests.adapters.discord.conftest import Bench
from tests.support.patience import eventually


async def test_an_archived_thread_that_no_event_told_of_is_looked_up(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    thread = await bench.emulator.start_thread(bench.chat, "Anna", "Old")
    await bench.emulator.archive_thread(thread)
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Boris", "back again", thread_id=thread)
        await eventually(lambda: "back again" in intake.texts())
    assert intake.foreign()[-1].meta.thread_id == thread


async def test_renames_joins_and_system_lines(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        bench.emulator.operations.rename(bench.emulator.world.channels[int(bench.chat)], "renamed")
        await bench.emulator.post_raw(bench.chat, "Clara", type=7)
        await bench.emulator.post_raw(bench.chat, "Clara", type=10)
        await eventually(lambda: len(intake.events) == 3)
    renamed, joined, boosted = intake.events
    assert isinstance(renamed, ChatRenamed)
    assert renamed.name == "renamed"
    assert isinstance(joined, MembershipChanged)
    assert joined.member.name == "Clara"
    assert intake.texts() == ["boosted the server to level 2"]
    assert isinstance(boosted, MessageCreated)


async def test_who_leaves_is_told_where_joining_is_announced(bench: Bench) -> None:
    intake, adapter = bench.intake(), bench.adapter(members=True)
    bench.emulator.set_system_channel(bench.chat)
    async with bench.running(adapter, intake):
        await bench.emulator.join("Clara")
        await bench.emulator.leave("Clara")
        await eventually(lambda: len(intake.events) == 2)
    changes = [(e.change, e.member.name, e.meta.origin.chat_id) for e in intake.events if isinstance(e, MembershipChanged)]
    assert changes == [(MembershipKind.JOINED, "Clara", bench.chat), (MembershipKind.LEFT, "Clara", bench.chat)]


async def test_a_deleted_channel_is_noticed(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        bench.emulator.operations.remove_channel(bench.emulator.world.channels[int(bench.chat)])
        await eventually(lambda: intake.notices)
    assert intake.notices[0][2] == bench.chat
