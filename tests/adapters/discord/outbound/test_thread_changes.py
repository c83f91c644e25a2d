"""Threads that follow their partners: renamed, locked, unlocked, deleted, and what Discord refuses of that."""

from __future__ import annotations

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import Permission
from bridge.model.errors import Rejected, RetryLater, ThreadGone
from bridge.model.events import ThreadEvent
from bridge.model.threads import OutboundThread, ThreadCopy
from tests.adapters.discord.conftest import Bench
from tests.support.patience import eventually


def copy(bench: Bench, thread_id: str) -> ThreadCopy:
    return ThreadCopy(token="t", chat_id=bench.chat, thread_id=thread_id)


async def test_a_thread_is_renamed_locked_unlocked_and_deleted_and_nothing_of_it_comes_back(
    bench: Bench, adapter: DiscordAdapter
) -> None:
    intake, channels = bench.intake(), bench.emulator.world.channels
    async with bench.running(adapter, intake):
        thread_id = await adapter.open_thread(OutboundThread(token="t", chat_id=bench.chat, title="Releases"))
        thread, ours = channels[int(thread_id)], copy(bench, thread_id)
        await bench.emulator.archive_thread(thread_id)
        await adapter.rename_thread(ours, "V" * 150)
        assert (thread.name, thread.is_archived) == ("V" * 100, False), "a thread that sleeps is woken for it"
        for closed in (True, True, False, True):
            await adapter.close_thread(ours, closed)
            assert (thread.is_locked, thread.is_archived) == (closed, False)
        await adapter.delete_thread(ours)
        assert int(thread_id) not in channels
        await adapter.delete_thread(ours)
        with pytest.raises(ThreadGone):
            await adapter.rename_thread(ours, "again")
        with pytest.raises(ThreadGone):
            await adapter.close_thread(ours, True)
        await bench.emulator.say(bench.chat, "Anna", "the last word")
        await eventually(lambda: any("the last word" in str(event) for event in intake.events))
    told = [event for event in intake.foreign() if isinstance(event, ThreadEvent)]
    assert [type(event).__name__ for event in told] == ["ThreadDeleted"], "who deleted it is not told: the core knows its own"


async def test_people_lock_what_the_bot_has_just_unlocked(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        thread_id = await bench.emulator.start_thread(bench.chat, "Anna", "Releases")
        await adapter.close_thread(copy(bench, thread_id), True)
        await bench.emulator.lock_thread(thread_id, locked=False)
        await adapter.close_thread(copy(bench, thread_id), True)
        await adapter.close_thread(copy(bench, thread_id), False)
        await bench.emulator.lock_thread(thread_id)
        await eventually(lambda: len([event for event in intake.events if isinstance(event, ThreadEvent)]) == 2)
    changes = [str(event.change) for event in intake.events if hasattr(event, "change")]
    assert changes == ["reopened", "closed"]


async def test_without_the_right_it_is_refused_and_the_channel_is_not_down(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    bench.emulator.deny(bench.chat, Permission.MANAGE_THREADS)
    async with bench.running(adapter, intake):
        thread_id = await bench.emulator.start_thread(bench.chat, "Anna", "Releases")
        theirs = copy(bench, thread_id)
        for call in (adapter.rename_thread(theirs, "x"), adapter.close_thread(theirs, True), adapter.delete_thread(theirs)):
            with pytest.raises(Rejected):
                await call
        assert any("Manage Threads" in str(notice) for notice in intake.notices)
        own = await adapter.open_thread(OutboundThread(token="t", chat_id=bench.chat, title="Own"))
        await adapter.rename_thread(copy(bench, own), "Own, renamed")
        await bench.emulator.lock_thread(thread_id)  # by a moderator: it is not taken for the lock that was refused
        await eventually(lambda: [event for event in intake.events if isinstance(event, ThreadEvent)])


async def test_a_third_name_in_ten_minutes_has_to_wait_and_nothing_else_does(bench: Bench, adapter: DiscordAdapter) -> None:
    async with bench.running(adapter, bench.intake()):
        thread_id = await adapter.open_thread(OutboundThread(token="t", chat_id=bench.chat, title="Releases"))
        for name in ("one", "two"):
            await adapter.rename_thread(copy(bench, thread_id), name)
        for _ in range(2):  # Discord's answer, and then what is known of it
            with pytest.raises(RetryLater) as caught:
                await adapter.rename_thread(copy(bench, thread_id), "three")
            assert caught.value.rate_limited
            assert 500 < (caught.value.after_s or 0) < 601
        await adapter.close_thread(copy(bench, thread_id), True)
    assert bench.emulator.world.channels[int(thread_id)].name == "two"
