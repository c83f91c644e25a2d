"""Forums and threads: what comes from them, and what becomes of a thread that is deleted."""

from __future__ import annotations

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault
from adapters.discord.adapter import DiscordAdapter
from bridge.model.events import MessageCreated, MessageDeleted, MessageEdited, ThreadChange, ThreadChanged, ThreadDeleted
from bridge.model.rich_text import text_of
from tests.adapters.discord.conftest import Bench
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually


def deleted(intake: RecordingIntake) -> set[str]:
    return {event.message_id for event in intake.events if isinstance(event, MessageDeleted)}


def said(intake: RecordingIntake) -> dict[str, MessageCreated]:
    return {text_of(e.content.text): e for e in intake.foreign() if isinstance(e, MessageCreated)}


@pytest.mark.parametrize("kind", [15, 16])
async def test_posts_arrive_with_their_titles_and_do_not_mix(bench: Bench, adapter: DiscordAdapter, kind: int) -> None:
    emulator = bench.emulator
    forum = emulator.add_forum("help", kind=kind).chat_id
    intake = RecordingIntake([forum])
    async with bench.running(adapter, intake):
        first = await emulator.start_post(forum, "Anna", "It does not start", "since yesterday")
        second = await emulator.start_post(forum, "Boris", "Thanks", "")
        await emulator.say(forum, "Clara", "me too", thread_id=first)
        await eventually(lambda: len(said(intake)) == 3, "three messages")
    events = said(intake)
    assert set(events) == {"It does not start\nsince yesterday", "Thanks\n(message without visible content)", "me too"}
    later = events["me too"]
    assert (later.meta.origin.chat_id, later.meta.thread_id) == (forum, first)
    assert later.content.reply_to is not None
    assert (later.content.reply_to.message_id, later.content.reply_to.excerpt) == (first, "It does not start")
    assert events["Thanks\n(message without visible content)"].message_id == second


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_deleted_post_takes_its_messages_with_it(bench: Bench, restarted: bool) -> None:
    emulator = bench.emulator
    forum = emulator.add_forum("help").chat_id
    intake = RecordingIntake([forum])
    first_adapter, second_adapter = bench.adapter(), bench.adapter()
    ids = set()
    async with bench.running(first_adapter, intake):
        post = await emulator.start_post(forum, "Anna", "Title", "words")
        other = await emulator.start_post(forum, "Anna", "Other", "stays")
        ids = {
            post,
            await emulator.say(forum, "Boris", "one", thread_id=post),
            await emulator.say(forum, "Anna", "two", thread_id=post),
        }
        await eventually(lambda: len(said(intake)) == 4, "all arrived")
        if not restarted:
            await emulator.delete_thread(post)
            await eventually(lambda: deleted(intake) == ids, "deletions")
    if restarted:
        async with bench.running(second_adapter, intake):
            await emulator.delete_thread(post)
            await eventually(lambda: deleted(intake) == ids, "deletions")
    assert other not in deleted(intake)
    assert {e.meta.thread_id for e in intake.events if isinstance(e, MessageDeleted)} == {post}


async def test_a_deleted_thread_leaves_the_message_that_it_began_from(bench: Bench, adapter: DiscordAdapter) -> None:
    emulator, intake = bench.emulator, bench.intake()
    async with bench.running(adapter, intake):
        start = await emulator.say(bench.chat, "Anna", "who comes?")
        thread = await emulator.start_thread(bench.chat, "Boris", "Tonight", message_id=start)
        inside = await emulator.say(bench.chat, "Boris", "I do", thread_id=thread)
        await eventually(lambda: "I do" in said(intake), "the answer")
        await emulator.delete_thread(thread)
        await eventually(lambda: inside in deleted(intake), "the deletion")
        await eventually(lambda: intake.of(ThreadDeleted), "the thread's end")
    assert deleted(intake) == {inside}
    (gone,) = intake.of(ThreadDeleted)
    assert (gone.meta.thread_id, gone.meta.thread_title, gone.meta.origin.chat_id) == (thread, "Tonight", bench.chat)


async def test_a_thread_is_renamed_once_and_by_somebody(bench: Bench, adapter: DiscordAdapter) -> None:
    emulator, intake = bench.emulator, bench.intake()
    async with bench.running(adapter, intake):
        thread = await emulator.start_thread(bench.chat, "Anna", "Tonight")
        await emulator.rename_thread(thread, "Boris", "Tomorrow")
        await emulator.say(bench.chat, "Anna", "fine", thread_id=thread)
        await eventually(lambda: "fine" in said(intake), "the message behind it")
    (renamed,) = [event for event in intake.events if isinstance(event, ThreadChanged)]
    assert (renamed.change, renamed.name, renamed.meta.thread_id) == (ThreadChange.RENAMED, "Tomorrow", thread)
    assert renamed.meta.author is not None
    assert renamed.meta.author.name == "Boris"
    answer = said(intake)["fine"].content.reply_to
    assert answer is not None
    assert answer.excerpt == "Tomorrow"


async def test_a_lock_closes_a_thread_and_falling_asleep_does_not(bench: Bench, adapter: DiscordAdapter) -> None:
    emulator, intake = bench.emulator, bench.intake()
    async with bench.running(adapter, intake):
        thread = await emulator.start_thread(bench.chat, "Anna", "Tonight")
        await emulator.archive_thread(thread)
        await emulator.say(bench.chat, "Anna", "woken", thread_id=thread)
        await emulator.lock_thread(thread)
        await emulator.archive_thread(thread, locked=True)
        await emulator.lock_thread(thread, locked=False)
        await emulator.say(bench.chat, "Anna", "the end")
        await eventually(lambda: "the end" in said(intake), "the message behind it")
    changes = [event for event in intake.events if isinstance(event, ThreadChanged)]
    assert [event.change for event in changes] == [ThreadChange.CLOSED, ThreadChange.REOPENED]
    assert {(event.meta.thread_id, event.meta.thread_title, event.meta.origin.chat_id) for event in changes} == {
        (thread, "Tonight", bench.chat)
    }
    assert len({event.meta.event_key for event in changes}) == 2


async def test_posts_missed_meanwhile_are_caught_up_and_the_forum_itself_is_not_asked(
    bench: Bench, adapter: DiscordAdapter
) -> None:
    emulator = bench.emulator
    forum = emulator.add_forum("help").chat_id
    intake = RecordingIntake([forum])
    async with bench.running(adapter, intake):
        post = await emulator.start_post(forum, "Anna", "Title", "words")
        await eventually(lambda: len(said(intake)) == 1, "the first")
    await emulator.disturb(StreamFault.INVALIDATE_SESSION)
    await emulator.say(forum, "Boris", "late", thread_id=post)
    await emulator.start_post(forum, "Boris", "New", "more")
    async with bench.running(bench.adapter(), intake):
        await eventually(lambda: {"late", "New\nmore"} <= set(said(intake)), "what was missed")
    assert intake.gaps == []


async def test_what_became_of_posts_meanwhile_is_told(bench: Bench) -> None:
    """Edits, deletions and whole posts that are gone: the forum itself shows no messages to compare."""
    emulator = bench.emulator
    forum = emulator.add_forum("help").chat_id
    intake = RecordingIntake([forum])
    async with bench.running(bench.adapter(), intake):
        first = await emulator.start_post(forum, "Anna", "Title", "words")
        second = await emulator.start_post(forum, "Anna", "Other", "more")
        answer = await emulator.say(forum, "Boris", "an answer", thread_id=first)
        gone = await emulator.say(forum, "Boris", "regretted", thread_id=first)
        await eventually(lambda: len(said(intake)) == 4, "all arrived")
    emulator.gateway.invalidate_sessions()
    await emulator.edit(forum, answer, "a better answer")
    await emulator.delete(forum, gone)
    await emulator.delete_thread(second)
    async with bench.running(bench.adapter(), intake):
        await eventually(lambda: deleted(intake) == {gone, second}, "deletions")
        await eventually(lambda: any(isinstance(e, MessageEdited) for e in intake.events), "the edit")
    (edited,) = [e for e in intake.events if isinstance(e, MessageEdited)]
    assert (edited.message_id, text_of(edited.content.text)) == (answer, "a better answer")


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.RATE_LIMIT, FaultKind.DROP])
async def test_a_thread_that_cannot_be_looked_up_for_a_moment_loses_no_message(bench: Bench, kind: FaultKind) -> None:
    emulator, intake = bench.emulator, bench.intake()
    thread = await emulator.start_thread(bench.chat, "Anna", "Old")
    adapter = bench.adapter()
    async with bench.running(adapter, intake):
        adapter._context.guilds._drop(thread)  # as if no event had told of it
        emulator.inject(Fault(kind=kind, operation="GET /channels/{channel}", times=6, retry_after_s=0.05))
        await emulator.say(bench.chat, "Boris", "back again", thread_id=thread)
        await eventually(lambda: "back again" in said(intake), "the message")
    assert said(intake)["back again"].meta.thread_id == thread


async def test_a_thread_made_again_at_the_same_message_is_told_to_be_gone_again(bench: Bench, adapter: DiscordAdapter) -> None:
    emulator, intake = bench.emulator, bench.intake()
    async with bench.running(adapter, intake):
        start = await emulator.say(bench.chat, "Anna", "who comes?")
        for number in (1, 2):
            assert await emulator.start_thread(bench.chat, "Boris", "Tonight", message_id=start) == start, "the message's own id"
            await emulator.delete_thread(start)
            await eventually(lambda number=number: len(intake.of(ThreadDeleted)) == number, "the thread's end")
    keys = [event.meta.event_key for event in intake.of(ThreadDeleted)]
    assert len(set(keys)) == 2, "that is no repetition"
