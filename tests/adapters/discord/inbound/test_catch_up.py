"""What happened while nobody listened: messages, edits, deletions, threads, and gaps."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.records import Permission
from bridge.model.events import MessageCreated, MessageDeleted, MessageEdited
from bridge.model.rich_text import text_of
from tests.adapters.discord.conftest import Bench
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually


@pytest.fixture
async def after_downtime(bench: Bench) -> RecordingIntake:
    """An intake that has heard of `before`, and whose session Discord has forgotten."""
    intake = bench.intake()
    adapter = bench.adapter()
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "before")
        await eventually(intake.texts)
    await adapter.close()
    bench.emulator.gateway.invalidate_sessions()
    return intake


async def test_messages_sent_while_the_bridge_was_down_arrive_in_order(
    bench: Bench, adapter: DiscordAdapter, after_downtime: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.01)
    intake = after_downtime
    for number in range(250):
        await bench.emulator.say(bench.chat, "Anna", f"{number}")
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "live")
        await eventually(lambda: "live" in intake.texts())
    assert intake.texts() == ["before", *map(str, range(250)), "live"]


async def test_live_messages_wait_until_the_gap_is_filled(
    bench: Bench, adapter: DiscordAdapter, after_downtime: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.01)
    intake = after_downtime
    await bench.emulator.say(bench.chat, "Anna", "missed")
    bench.emulator.inject(Fault(kind=FaultKind.LATENCY, operation="GET /channels/{channel}/messages", delay_s=0.3))

    async def talk() -> None:
        await eventually(lambda: intake.connections == 2)
        await bench.emulator.say(bench.chat, "Anna", "live")

    talking = asyncio.create_task(talk())
    async with bench.running(adapter, intake):
        await eventually(lambda: "live" in intake.texts())
    await talking
    assert intake.texts() == ["before", "missed", "live"]


async def test_edits_and_deletions_of_recent_messages_are_caught_up(
    bench: Bench, adapter: DiscordAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.01)
    intake = bench.intake()
    first = bench.adapter()
    async with bench.running(first, intake):
        edited = await bench.emulator.say(bench.chat, "Anna", "to be edited")
        deleted = await bench.emulator.say(bench.chat, "Anna", "to be deleted")
        thread = await bench.emulator.start_thread(bench.chat, "Anna", "Thread")
        await bench.emulator.say(bench.chat, "Anna", "in a thread", thread_id=thread)
        await bench.emulator.say(bench.chat, "Anna", "stays")
        await eventually(lambda: "stays" in intake.texts())
    await bench.emulator.archive_thread(thread)
    bench.emulator.gateway.invalidate_sessions()
    await bench.emulator.edit(bench.chat, edited, "edited")
    await bench.emulator.delete(bench.chat, deleted)
    async with bench.running(adapter, intake):
        await eventually(lambda: any(isinstance(e, MessageDeleted) for e in intake.events))
    changes = [e for e in intake.events if isinstance(e, MessageEdited | MessageDeleted)]
    assert [(type(e), e.message_id) for e in changes] == [(MessageEdited, edited), (MessageDeleted, deleted)]


async def test_threads_begun_and_archived_meanwhile_are_read_back(
    bench: Bench, adapter: DiscordAdapter, after_downtime: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.01)
    intake = after_downtime
    active = await bench.emulator.start_thread(bench.chat, "Anna", "Active")
    archived = await bench.emulator.start_thread(bench.chat, "Anna", "Archived")
    await bench.emulator.say(bench.chat, "Anna", "in the active", thread_id=active)
    await bench.emulator.say(bench.chat, "Anna", "in the archived", thread_id=archived)
    await bench.emulator.archive_thread(archived)
    async with bench.running(adapter, intake):
        await eventually(lambda: {"in the active", "in the archived"} <= set(intake.texts()))
    threads = {text_of(e.content.text): e.meta.thread_id for e in intake.events if isinstance(e, MessageCreated)}
    assert (threads["in the active"], threads["in the archived"]) == (active, archived)


async def test_a_gap_that_cannot_be_filled_is_told(
    bench: Bench, adapter: DiscordAdapter, after_downtime: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.01)
    intake = after_downtime
    await bench.emulator.say(bench.chat, "Anna", "missed")
    bench.emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="GET /channels/{channel}/messages"))
    monkeypatch.setattr("adapters.discord.inbound.catch_up.RETRY_S", 0.01)
    async with bench.running(adapter, intake):
        await eventually(lambda: intake.gaps)
        await bench.emulator.say(bench.chat, "Anna", "live")
        await eventually(lambda: "live" in intake.texts())
    assert [chat for chat, *_ in intake.gaps] == [bench.chat]


async def test_a_history_that_cannot_be_read_now_is_no_gap(
    bench: Bench, adapter: DiscordAdapter, after_downtime: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long Discord is away: what was missed is not given up for that."""
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.01)
    monkeypatch.setattr("adapters.discord.inbound.catch_up.RETRY_S", 0.001)
    intake = after_downtime
    await bench.emulator.say(bench.chat, "Anna", "missed")
    bench.emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="GET /channels/{channel}/messages", times=8))
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "live")
        await eventually(lambda: "live" in intake.texts())
    assert intake.texts() == ["before", "missed", "live"]
    assert not intake.gaps


async def test_without_the_right_to_read_history_the_gap_is_told_too(
    bench: Bench, adapter: DiscordAdapter, after_downtime: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.01)
    intake = after_downtime
    await bench.emulator.say(bench.chat, "Anna", "missed")
    bench.emulator.deny(bench.chat, Permission.READ_MESSAGE_HISTORY)
    async with bench.running(adapter, intake):
        await eventually(lambda: intake.gaps)
    assert "Read Message History" in intake.gaps[0][3]


async def test_invalid_session_while_running_is_filled_from_history(
    bench: Bench, adapter: DiscordAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.2)
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "before")
        await eventually(intake.texts)
        await bench.emulator.disturb(StreamFault.INVALIDATE_SESSION)
        await bench.emulator.say(bench.chat, "Anna", "nobody listens")
        await eventually(lambda: "nobody listens" in intake.texts())


async def test_a_message_read_back_and_undecoded_is_kept(bench: Bench) -> None:
    """Neither it nor a list that is refused takes the rest of a channel's history with it."""
    intake, emulator = bench.intake(), bench.emulator
    async with bench.running(bench.adapter(), intake):
        await emulator.say(bench.chat, "Anna", "before")
        await eventually(lambda: "before" in intake.texts())
    emulator.gateway.invalidate_sessions()
    odd = await emulator.say(bench.chat, "Anna", "odd")
    await emulator.say(bench.chat, "Anna", "missed")
    channel = emulator.world.channels[int(bench.chat)]
    message = channel.messages[int(odd)]
    channel.replace(msgspec.structs.replace(message, author=msgspec.structs.replace(message.author, id="nobody")))
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="GET */threads/archived/*", status=403))
    async with bench.running(bench.adapter(), intake):
        await eventually(lambda: "missed" in intake.texts(), "the message behind it")
    assert intake.gaps == []
    assert ["read back" in reason for _, reason in intake.undecoded] == [True]
