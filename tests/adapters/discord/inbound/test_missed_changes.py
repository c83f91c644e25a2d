"""Looking for what became of channels and threads while nobody listened."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.discord.emulator.records import Permission
from adapters.discord.inbound import missed_changes
from bridge.model.events import ChatRenamed, MessageCreated, MessageDeleted, ThreadChange, ThreadChanged, ThreadDeleted
from bridge.model.threads import ThreadCopy
from tests.adapters.discord.conftest import Bench
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually

LOOK_UP = "GET /channels/{channel}"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.01)


async def hear(bench: Bench, intake: RecordingIntake, *threads: str) -> None:
    """The bridge runs, and hears of these threads."""
    async with bench.running(bench.adapter(), intake):
        for thread in threads:
            await bench.emulator.say(bench.chat, "Anna", f"in {thread}", thread_id=thread)
        await eventually(lambda: {f"in {thread}" for thread in threads} <= set(intake.texts()), "heard of")


async def restart(bench: Bench, intake: RecordingIntake, *, words: str) -> None:
    """A new session, until it is live: what is said first may be read from the history, before the search is over."""
    bench.emulator.gateway.invalidate_sessions()
    async with bench.running(bench.adapter(), intake):
        for said in (words, f"{words}, and then"):
            await bench.emulator.say(bench.chat, "Anna", said)
            await eventually(lambda said=said: said in intake.texts(), "live again")


async def test_a_thread_that_is_merely_hidden_is_not_deleted(bench: Bench) -> None:
    emulator, intake = bench.emulator, bench.intake()
    thread = await emulator.start_thread(bench.chat, "Anna", "Tonight")
    await hear(bench, intake, thread)
    await emulator.archive_thread(thread)
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="GET */threads/archived/*", status=403))
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=LOOK_UP, status=403))
    await restart(bench, intake, words="one")
    assert not intake.of(ThreadDeleted)
    assert not intake.of(MessageDeleted)
    emulator.clear_faults()
    await emulator.delete_thread(thread)
    await restart(bench, intake, words="two")
    assert [(e.meta.thread_id, e.meta.thread_title) for e in intake.of(ThreadDeleted)] == [(thread, "Tonight")]


async def test_a_channel_that_the_bot_sees_no_more_has_lost_nothing(bench: Bench) -> None:
    emulator = bench.emulator
    other = emulator.add_chat("other").chat_id
    intake = RecordingIntake([bench.chat, other])
    thread = await emulator.start_thread(other, "Anna", "Tonight")
    async with bench.running(bench.adapter(), intake):
        await emulator.say(other, "Anna", "inside", thread_id=thread)
        await eventually(lambda: "inside" in intake.texts(), "heard of")
    emulator.deny(other, Permission.VIEW_CHANNEL)
    await restart(bench, intake, words="one")
    assert not intake.of(ThreadDeleted)


async def test_a_server_in_trouble_makes_no_thread_deleted_and_the_next_start_looks_again(bench: Bench) -> None:
    emulator, intake = bench.emulator, bench.intake()
    thread = await emulator.start_thread(bench.chat, "Anna", "Tonight")
    await hear(bench, intake, thread)
    await emulator.delete_thread(thread)
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=LOOK_UP, status=500))
    await restart(bench, intake, words="one")
    assert not intake.of(ThreadDeleted)
    emulator.clear_faults()
    await restart(bench, intake, words="two")
    assert len(intake.of(ThreadDeleted)) == 1
    await restart(bench, intake, words="three")
    assert len(intake.of(ThreadDeleted)) == 1


async def test_only_so_many_are_asked_for_and_the_others_by_the_next_start(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missed_changes, "ASKED_FOR", 2)
    emulator, intake = bench.emulator, bench.intake()
    threads = [await emulator.start_thread(bench.chat, "Anna", f"Thread {number}") for number in range(5)]
    await hear(bench, intake, *threads)
    for thread in threads:
        await emulator.delete_thread(thread)
    gone: list[set[str]] = []
    for round_ in range(3):
        asked = Counter(emulator.calls())[LOOK_UP]
        await restart(bench, intake, words=f"round {round_}")
        assert Counter(emulator.calls())[LOOK_UP] - asked <= 2
        gone.append({event.meta.thread_id or "" for event in intake.of(ThreadDeleted)})
    assert [len(some) for some in gone] == [2, 4, 5]
    assert gone[-1] == set(threads)


async def test_the_same_lock_is_told_each_time_it_was_missed(bench: Bench) -> None:
    emulator, intake = bench.emulator, bench.intake()
    thread = await emulator.start_thread(bench.chat, "Anna", "Tonight")
    await hear(bench, intake, thread)
    for number, locked in enumerate((True, False, True)):
        await emulator.lock_thread(thread, locked=locked)
        await restart(bench, intake, words=f"round {number}")
    await restart(bench, intake, words="nothing new")
    closed, reopened = ThreadChange.CLOSED, ThreadChange.REOPENED
    assert [event.change for event in intake.of(ThreadChanged)] == [closed, reopened, closed]
    assert {event.meta.thread_title for event in intake.of(ThreadChanged)} == {"Tonight"}


async def test_a_new_name_is_told_once_and_by_whom_if_its_message_can_be_read(bench: Bench) -> None:
    emulator, intake = bench.emulator, bench.intake()
    thread = await emulator.start_thread(bench.chat, "Anna", "Tonight")
    await hear(bench, intake, thread)
    await emulator.rename_thread(thread, "Boris", "Tomorrow")
    await restart(bench, intake, words="one")
    (named,) = intake.of(ThreadChanged)
    assert (named.name, named.meta.author and named.meta.author.name) == ("Tomorrow", "Boris")
    emulator.deny(bench.chat, Permission.READ_MESSAGE_HISTORY)
    await emulator.rename_thread(thread, "Boris", "Next week")
    await restart(bench, intake, words="two")
    named = intake.of(ThreadChanged)[-1]
    assert (named.name, named.meta.thread_title, named.meta.author) == ("Next week", "Tomorrow", None)
    assert len(intake.of(ThreadChanged)) == 2


@pytest.mark.parametrize("is_forgotten", [True, False], ids=["new session", "resumed"])
async def test_a_new_name_of_a_channel_is_told(bench: Bench, is_forgotten: bool) -> None:
    emulator, intake = bench.emulator, bench.intake()
    await hear(bench, intake)
    emulator.operations.rename(emulator.world.channels[int(bench.chat)], "lobby")
    if is_forgotten:
        emulator.gateway.invalidate_sessions()
    for words in ("one", "two", "three"):
        async with bench.running(bench.adapter(), intake):
            await emulator.say(bench.chat, "Anna", words)
            await eventually(lambda words=words: words in intake.texts(), "live again")
    assert [event.name for event in intake.of(ChatRenamed)] == ["lobby"]


async def test_what_was_not_kept_before_a_crash_is_found_again(bench: Bench) -> None:
    """The disk fails under the event: the same adapter, connected again, must not take it for seen."""
    emulator, intake = bench.emulator, bench.intake()
    thread = await emulator.start_thread(bench.chat, "Anna", "Tonight")
    await hear(bench, intake, thread)
    failures = 0

    async def fail_once() -> None:
        nonlocal failures
        if failures == 0 and emulator.threads(bench.chat)[0].closed:
            failures += 1
            raise OSError("no space left")

    adapter = bench.adapter()
    intake.before_accept = fail_once
    task = asyncio.create_task(adapter.run(intake))
    await eventually(lambda: intake.connections >= 2, "connected")
    await emulator.lock_thread(thread)
    await eventually(task.done, "the run ends")
    assert isinstance(task.exception(), OSError)
    async with bench.running(adapter, intake):
        await eventually(lambda: intake.of(ThreadChanged), "the lock")
    assert failures == 1


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "unlocked"])
async def test_what_the_bot_itself_did_before_a_stop_is_not_told_as_somebodys(bench: Bench, locked: bool) -> None:
    """Nothing else happened in the chat, so nothing but the bot's own doing moved the position."""
    emulator, intake = bench.emulator, bench.intake()
    thread = await emulator.start_thread(bench.chat, "Anna", "Tonight")
    if not locked:
        await emulator.lock_thread(thread)
    await hear(bench, intake, thread)
    adapter = bench.adapter()
    async with bench.running(adapter, intake):
        before = intake.cursors[f"seen:{bench.chat}"]
        await adapter.close_thread(ThreadCopy(token="t", chat_id=bench.chat, thread_id=thread), locked)
        await eventually(lambda: intake.cursors[f"seen:{bench.chat}"] != before, "the bot's own doing is on disk")
    await restart(bench, intake, words="one")
    assert not intake.of(ThreadChanged)


async def test_messages_of_a_thread_deleted_meanwhile_are_deleted_in_its_channel(bench: Bench) -> None:
    emulator, intake = bench.emulator, bench.intake()
    thread = await emulator.start_thread(bench.chat, "Anna", "Tonight")
    await hear(bench, intake, thread)
    (said,) = [event.message_id for event in intake.of(MessageCreated) if event.meta.thread_id == thread]
    await emulator.delete_thread(thread)
    intake.known_ids.clear()  # none of the channel's latest messages, which are compared one by one
    await restart(bench, intake, words="one")
    (deleted,) = intake.of(MessageDeleted)
    assert (deleted.message_id, deleted.meta.origin.chat_id, deleted.meta.thread_id) == (said, bench.chat, thread)


async def test_a_server_in_trouble_is_asked_for_one_thread_alone(bench: Bench) -> None:
    emulator, intake = bench.emulator, bench.intake()
    threads = [await emulator.start_thread(bench.chat, "Anna", f"Thread {number}") for number in range(4)]
    await hear(bench, intake, *threads)
    for thread in threads:
        await emulator.delete_thread(thread)
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=LOOK_UP, status=500))
    asked = Counter(emulator.calls())[LOOK_UP]
    await restart(bench, intake, words="one")
    tries = Counter(emulator.calls())[LOOK_UP] - asked
    emulator.clear_faults()
    await restart(bench, intake, words="two")
    assert {event.meta.thread_id for event in intake.of(ThreadDeleted)} == set(threads)
    assert tries == 1
