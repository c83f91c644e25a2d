"""Receiving: from what people do in the emulated Telegram to events, confirmed upstream only after they are accepted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from adapters.common.emulation.contract import StreamFault
from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.inbound.handover import TRIES
from bridge.model.errors import ConnectionLost
from bridge.model.events import (
    ChatRenamed,
    MembershipChanged,
    MessageCreated,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
)
from bridge.model.rich_text import CodeBlock, Mark, Paragraph, Quote, Text, text_of
from tests.support.intake import Gate
from tests.support.patience import PATIENCE_S, eventually, stays


async def test_text_with_formatting(emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any) -> None:
    async with receiving(adapter):
        message_id = await emulator.say(chat, "Anna Petrova", emulator.formatting_sample())
        await intake.until(lambda: intake.events)
    [event] = intake.events
    assert isinstance(event, MessageCreated)
    assert (event.message_id, event.meta.origin.chat_id) == (message_id, chat)
    assert event.meta.event_key == f"created:tg:{chat}:{message_id}"
    author = event.meta.author
    assert author is not None
    assert (author.name, author.username, author.is_bot) == ("Anna Petrova", "anna_petrova", False)
    paragraph, quote, code = event.content.text.blocks
    assert paragraph == Paragraph(
        (
            Text("bold", Mark.BOLD),
            Text(" "),
            Text("italic", Mark.ITALIC),
            Text(" "),
            Text("strike", Mark.STRIKE),
            Text(" "),
            Text("code", Mark.CODE),
            Text(" "),
            Text("label", 0, "https://example.com/"),
        )
    )
    assert quote == Quote((Paragraph((Text("quoted"),)),))
    assert code == CodeBlock("block", "python")


async def test_edits_replies_and_reactions(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    async with receiving(adapter):
        first = await emulator.say(chat, "Anna", "one")
        second = await emulator.say(chat, "Bob", "two", reply_to=first)
        await emulator.edit(chat, first, "**uno**")
        await emulator.react(chat, second, "Anna", "❤️")
        await emulator.react(chat, second, "Anna", "❤️", remove=True)
        await intake.until(lambda: len(intake.events) == 5)
    created, reply, edited, added, removed = intake.events
    assert isinstance(created, MessageCreated)
    assert isinstance(reply, MessageCreated)
    assert reply.content.reply_to is not None
    assert (reply.content.reply_to.message_id, reply.content.reply_to.author_name, reply.content.reply_to.excerpt) == (
        first,
        "Anna",
        "one",
    )
    assert isinstance(edited, MessageEdited)
    assert (edited.message_id, text_of(edited.content.text)) == (first, "uno")
    assert isinstance(added, ReactionsChanged)
    assert isinstance(removed, ReactionsChanged)
    assert (added.message_id, added.added, added.removed) == (second, ("❤️",), ())
    assert (removed.added, removed.removed) == ((), ("❤️",))


async def _confirmed(emulator: TelegramEmulator) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    await eventually(lambda: not len(queue))


async def test_nothing_is_confirmed_before_it_is_accepted(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    gate = Gate()
    queue = emulator.world.queues[emulator.bot().user_id]
    async with receiving(adapter):
        intake.before_accept = gate
        await emulator.say(chat, "Anna", "one")
        await emulator.say(chat, "Anna", "two")
        await eventually(lambda: gate.held)
        polls = len(emulator.calls())
        await stays(lambda: len(emulator.calls()) <= polls + 1 and len(queue) >= 1, "a poll confirms")
        assert intake.events == []
        gate.open()
        await intake.until(lambda: len(intake.events) == 2)
        await _confirmed(emulator)


async def test_a_crash_before_the_commit_loses_nothing(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any
) -> None:
    never = Gate()
    async with receiving(make_adapter()):
        intake.before_accept = never
        for n in range(5):
            await emulator.say(chat, "Anna", f"m{n}")
        await eventually(lambda: never.held)
    intake.before_accept = None
    async with receiving(make_adapter()):
        await intake.until(lambda: len(intake.events) == 5)
    assert intake.texts() == [f"m{n}" for n in range(5)]


async def test_a_poison_update_is_kept_and_the_stream_goes_on(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "before")
        await emulator.disturb(StreamFault.POISON)
        emulator.world.queues[emulator.bot().user_id].push_raw({"message": {"text": 5, "chat": []}})
        emulator.world.queues[emulator.bot().user_id].push_raw({"entirely_new_kind": {"a": 1}})
        new = {"message_id": 900, "date": 5, "chat": {"id": int(chat), "type": "group"}, "lens": {"depth": 3}}
        emulator.world.queues[emulator.bot().user_id].push_raw({"message": new})
        queue = emulator.world.queues[emulator.bot().user_id]
        queue.push_text(b'{"update_id":%d,"message":{"text":"\\ud83d half a pair"}}' % queue.next_id)
        await emulator.say(chat, "Anna", "after")
        await intake.until(lambda: "after" in intake.texts())
    assert intake.texts() == ["before", "(something Telegram calls lens)", "after"]
    assert len(intake.undecoded) == 4
    assert b"hologram" in intake.undecoded[0][0]
    assert intake.ignored_reasons["update of kind entirely_new_kind"] == 1


async def test_an_event_that_makes_its_acceptance_fail_is_set_aside_in_the_end(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    accept = intake.accept

    async def fails(events: Any, *, cursors: Any = ()) -> None:
        if any("poison" in text_of(event.content.text) for event in events):
            raise ValueError("a value that nobody foresaw")
        await accept(events, cursors=cursors)

    intake.accept = fails
    for words in ("before", "poison", "after"):
        await emulator.say(chat, "Anna", words)
    for _ in range(TRIES - 1):
        with pytest.raises(ValueError, match="nobody foresaw"):
            await asyncio.wait_for(adapter.run(intake), PATIENCE_S)
        assert intake.texts() == ["before"]
    async with receiving(adapter):
        await intake.until(lambda: "after" in intake.texts())
    assert intake.texts() == ["before", "after"]
    [(raw, reason)] = intake.undecoded
    assert b"poison" in raw
    assert "ValueError" in reason


async def test_redelivery_is_recognised(emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any) -> None:
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "one")
        await intake.until(lambda: intake.events)
        await emulator.disturb(StreamFault.REDELIVER)
        await emulator.say(chat, "Anna", "two")
        await intake.until(lambda: "two" in intake.texts())
    assert intake.texts() == ["one", "two"]


async def test_own_messages_are_known_as_such(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any, say: Any, copy_of: Any
) -> None:
    async with receiving(adapter):
        outbound = say("mine")
        await adapter.pin(copy_of(outbound, await adapter.send(outbound)), True)
        await emulator.say(chat, "Anna", "theirs")
        await intake.until(lambda: len(intake.events) == 2)
    pinned, theirs = intake.events
    assert isinstance(pinned, PinsChanged)
    assert pinned.meta.sent_by_us
    assert not theirs.meta.sent_by_us


async def test_topics_are_threads_and_their_first_message_is_no_reply(
    emulator: TelegramEmulator, adapter: Any, intake: Any, receiving: Any
) -> None:
    async with receiving(adapter):
        intake.chats.add((forum := emulator.add_forum("Forum")[0]).chat_id)
        topic = await emulator.start_thread(forum.chat_id, "Anna", "Release")
        await emulator.say(forum.chat_id, "Anna", "in topic", thread_id=topic)
        await emulator.say(forum.chat_id, "Anna", "in general")
        await intake.until(lambda: len(intake.events) == 2)
    inside, general = intake.events
    assert (inside.meta.thread_title, inside.meta.thread_id, inside.content.reply_to) == ("Release", topic, None)
    assert general.meta.thread_id is None


async def test_groups_that_nobody_relays_cost_no_disk(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    """Anybody may add the bot to a group."""
    intake.chats.add(chat)
    async with receiving(adapter):
        forum, [topic] = emulator.add_forum("of a stranger", ["Release"])
        await emulator.say(forum.chat_id, "Anna", "in topic", thread_id=topic)
        await emulator.ask_poll(forum.chat_id, "Anna", "Where?", ["here", "there"])
        await emulator.ask_poll(chat, "Anna", "When?", ["now", "then"])
        await intake.until(lambda: len(intake.events) == 3)
        known = await adapter._state.polls._known()
    assert not [name for name in intake.cursors if name.startswith("topics:")]
    assert [place.chat_id for place in known.values()] == [chat]


async def test_service_messages(emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any) -> None:
    member = {"id": 77, "is_bot": False, "first_name": "Carl"}
    async with receiving(adapter):
        await emulator.post(chat, "Anna", {"new_chat_members": [member]})
        await emulator.post(chat, "Anna", {"left_chat_member": member})
        await emulator.post(chat, "Anna", {"new_chat_title": "New"})
        await emulator.post(chat, "Anna", {"write_access_allowed": {}})
        await emulator.post(chat, "Anna", {"text": "copy of the channel's post"}, extra={"is_automatic_forward": True})
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: "end" in intake.texts())
    joined, left, renamed, _ = intake.events
    assert isinstance(joined, MembershipChanged)
    assert isinstance(left, MembershipChanged)
    assert (joined.change, joined.member.name, left.change) == ("joined", "Carl", "left")
    assert isinstance(renamed, ChatRenamed)
    assert intake.ignored_reasons["service message write_access_allowed"] == 1
    assert intake.ignored_reasons["automatic forward from the linked channel"] == 1


async def test_channel_posts_speak_for_the_channel(
    emulator: TelegramEmulator, adapter: Any, intake: Any, receiving: Any, say: Callable[..., Any]
) -> None:
    channel = emulator.add_channel("News").chat_id
    async with receiving(adapter):
        await adapter.send(say("ours", chat_id=channel))
        post = await emulator.say(channel, "Editor", "theirs")
        await emulator.edit(channel, post, "corrected")
        await intake.until(lambda: len(intake.events) == 2)
    created, edited = intake.events
    assert isinstance(created, MessageCreated)
    assert isinstance(edited, MessageEdited)
    assert created.meta.author is not None
    assert (created.meta.author.name, created.meta.author.user_id, edited.message_id) == ("News", channel, post)
    assert [seen.author_name for seen in emulator.transcript(channel)] == ["News", "News"]


async def test_a_migrated_group_is_followed(emulator: TelegramEmulator, adapter: Any, intake: Any, receiving: Any) -> None:
    group = emulator.add_group("Old")
    async with receiving(adapter):
        new = emulator.migrate(group.chat_id)
        await emulator.say(new.chat_id, "Anna", "here now")
        await intake.until(lambda: intake.events)
    assert set(intake.moves) == {(group.chat_id, new.chat_id)}


@pytest.mark.parametrize("what", [StreamFault.DISCONNECT, StreamFault.DISCONNECT_CLEAN, StreamFault.INVALIDATE_SESSION])
async def test_a_cut_connection_ends_the_run_and_the_next_one_continues(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any, what: StreamFault
) -> None:
    async with receiving(adapter) as task:
        await emulator.say(chat, "Anna", "one")
        await intake.until(lambda: intake.events)
        await emulator.disturb(what)
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(task, PATIENCE_S)
    await emulator.say(chat, "Anna", "meanwhile")
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "two")
        await intake.until(lambda: len(intake.events) == 3)
    assert intake.texts() == ["one", "meanwhile", "two"]


async def test_a_stop_longer_than_telegrams_memory_is_told_as_a_gap(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    intake.chats = {chat}
    name = f"updates:{emulator.bot().user_id}"
    intake.cursors[name] = json.dumps({"offset": 5, "seen_at": time.time() - 50 * 3600})
    async with receiving(adapter):
        pass
    [(told, since, until, _)] = intake.gaps
    assert told == chat
    assert 25 * 3600 < (until - since).total_seconds() < 27 * 3600
    async with receiving(adapter):
        pass
    assert len(intake.gaps) == 1


async def test_update_numbers_may_jump(emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "one")
        await intake.until(lambda: intake.events)
        queue.skip_ids(1_000_000)
        await emulator.say(chat, "Anna", "two")
        await intake.until(lambda: len(intake.events) == 2)
        queue.skip_ids(-1_500_000)
        await emulator.say(chat, "Anna", "three")
        await intake.until(lambda: len(intake.events) == 3)
    assert intake.texts() == ["one", "two", "three"]


async def test_a_hundred_updates_cost_one_commit(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    commits = 0

    async def count() -> None:
        nonlocal commits
        commits += 1

    for n in range(100):
        await emulator.say(chat, "Anna", f"m{n}")
    intake.before_accept = count
    async with receiving(adapter):
        await intake.until(lambda: len(intake.events) == 100)
    assert commits <= 2


async def test_the_core_is_told_what_the_bot_is_called(adapter: Any, intake: Any, receiving: Any) -> None:
    async with receiving(adapter):
        await intake.until(lambda: intake.connections)
    assert intake.names == {"Bridge", "bridge_emulated_bot"}


async def test_half_a_surrogate_pair_costs_itself_alone(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    body = b'{"update_id":%d,"message":{"message_id":%d,"date":5,"chat":{"id":%d},"from":{"id":5,"first_name":"Kim \\ud83d"},'
    body += b'"media_group_id":"g","photo":[{"file_id":"F","file_unique_id":"\\udc00"}],"caption":"half \\ud83d a pair"}}'
    async with receiving(adapter):
        queue.push_text(body % (queue.next_id, 70, int(chat)))
        await intake.until(lambda: any("a pair" in text for text in intake.texts()))
    assert intake.undecoded == []
    assert intake.events[0].meta.author.name.startswith("Kim ")


async def test_that_nothing_more_is_to_be_told_is_known_soon_after_the_start(
    emulator: TelegramEmulator, make_adapter: Any, intake: Any, receiving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is looked for after a stop waits for it, and a long poll of a quiet account takes most of a minute."""
    queue, asked_s = emulator.world.queues[emulator.bot().user_id], list[int]()
    poll = queue.poll

    async def recorded(*, timeout_s: int, **rest: Any) -> bytes:
        asked_s.append(timeout_s)
        return await poll(timeout_s=timeout_s, **rest)

    monkeypatch.setattr(queue, "poll", recorded)
    async with receiving(make_adapter(poll_timeout_s=50)):
        await eventually(lambda: len(asked_s) >= 3)
    assert asked_s[:3] == [0, 3, 50]
