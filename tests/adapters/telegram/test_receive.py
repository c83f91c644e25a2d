"""Receiving: from what people do in the emulated Telegram to events, confirmed upstream only after they are accepted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.telegram.decode import Decoder
from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.obstacles import CONFLICTS_MAX, CONFLICTS_WITHIN_S, LOOK_AGAIN_S, Conflicts, Looks
from adapters.telegram.receive import TRIES
from adapters.telegram.unchanged import KEPT_MAX, MESSAGES_MAX, Unchanged
from bridge.emulator import Fault, FaultKind, StreamFault, Upload
from bridge.errors import AccountDown, ConnectionLost
from bridge.events import (
    AttachmentKind,
    ChatRenamed,
    MembershipChanged,
    MessageCreated,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
)
from bridge.refs import AccountName
from bridge.text import CodeBlock, Mark, Paragraph, Quote, Text, text_of, to_plain
from tests.patience import PATIENCE_S

NOW = datetime(2026, 11, 26, tzinfo=UTC)


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


async def test_edits_that_nobody_sees_are_not_told_twice(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    async with receiving(adapter):
        message_id = await emulator.say(chat, "Anna", "one")
        await emulator.touch(chat, message_id)
        await emulator.edit(chat, message_id, "two")
        await emulator.touch(chat, message_id)
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: "end" in intake.texts())
    assert intake.texts() == ["one", "two", "end"]
    assert intake.reasons["edit without a visible change"] == 2


async def test_an_album_is_one_message(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    uploads = [Upload(name=f"{n}.png", mime="image/png", content=png(10 + n, 10)) for n in range(3)]
    async with receiving(adapter):
        first = await emulator.say(chat, "Anna", "__holiday__", files=uploads)
        await intake.until(lambda: intake.events)
    [event] = intake.events
    assert isinstance(event, MessageCreated)
    assert event.message_id == first
    assert event.also_ids == (str(int(first) + 1), str(int(first) + 2))
    assert [attachment.kind for attachment in event.content.attachments] == [AttachmentKind.PHOTO] * 3
    assert text_of(event.content.text) == "holiday"


async def test_what_follows_an_album_stays_behind_it(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    uploads = [Upload(name="a.png", mime="image/png", content=png(8, 8))] * 2
    other = emulator.add_chat("Other").chat_id
    async with receiving(make_adapter(album_wait_s=10.0)):
        await emulator.say(chat, "Anna", "album", files=uploads)
        await emulator.say(other, "Bob", "elsewhere")
        await emulator.say(chat, "Anna", "after")
        await intake.until(lambda: len(intake.events) == 3)
    assert intake.texts() == ["elsewhere", "album", "after"]


async def test_an_album_in_a_quiet_chat_does_not_wait_for_a_busy_one(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    busy = emulator.add_chat("Busy").chat_id
    async with receiving(make_adapter(album_wait_s=0.3)):
        await emulator.say(chat, "Anna", "album", files=[Upload(name="a.png", mime="image/png", content=png(8, 8))] * 2)
        deadline = time.monotonic() + PATIENCE_S
        while "album" not in intake.texts() and time.monotonic() < deadline:
            await emulator.say(busy, "Bob", "more")
            await asyncio.sleep(0.05)
    assert "album" in intake.texts()


async def test_an_edit_of_an_album_that_is_not_complete_is_part_of_it(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any, png: Any
) -> None:
    uploads = [Upload(name=f"{n}.png", mime="image/png", content=png(8, 8)) for n in range(2)]
    async with receiving(make_adapter(album_wait_s=10.0)):
        first = await emulator.say(chat, "Anna", "album", files=uploads)
        await emulator.caption(chat, str(int(first) + 1), "second")
        await emulator.caption(chat, first, "first")
        await emulator.say(chat, "Anna", "after")
        await intake.until(lambda: "after" in intake.texts())
        assert intake.texts() == ["first\nsecond", "after"]
        await emulator.caption(chat, first, "FIRST")
        await intake.until(lambda: len(intake.events) == 3)
    album, _, edit = intake.events
    assert [text_of(item.text) for item in album.items] == ["first", "second"]
    assert (edit.album_item, edit.message_id, text_of(edit.content.text)) == (True, first, "FIRST")


async def test_an_unfinished_album_survives_a_crash(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    uploads = [Upload(name="a.png", mime="image/png", content=png(8, 8))] * 2
    async with receiving(make_adapter(album_wait_s=10.0)):
        await emulator.say(chat, "Anna", "album", files=uploads)
        await intake.until(lambda: any("media_group_id" in value for value in intake.cursors.values()))
        # confirmed upstream, not yet an event
        await asyncio.wait_for(_confirmed(emulator), PATIENCE_S)
    assert intake.events == []
    async with receiving(make_adapter()):
        await intake.until(lambda: intake.events)
    [event] = intake.events
    assert len(event.content.attachments) == 2
    assert (event.meta.author.name, text_of(event.content.text)) == ("Anna", "album")
    assert not any("media_group_id" in value for value in intake.cursors.values())


async def _confirmed(emulator: TelegramEmulator) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    while len(queue):  # noqa: ASYNC110 - the emulated server tells nobody
        await asyncio.sleep(0.01)


async def test_nothing_is_confirmed_before_it_is_accepted(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    gate = asyncio.Event()
    queue = emulator.world.queues[emulator.bot().user_id]
    async with receiving(adapter):
        intake.before_commit = gate.wait
        await emulator.say(chat, "Anna", "one")
        await emulator.say(chat, "Anna", "two")
        polls = len(emulator.calls())
        await asyncio.sleep(0.3)  # time for a wrong poll to confirm
        assert len(emulator.calls()) <= polls + 1
        assert len(queue) >= 1
        assert intake.events == []
        gate.set()
        await intake.until(lambda: len(intake.events) == 2)
        await asyncio.wait_for(_confirmed(emulator), PATIENCE_S)


async def test_a_crash_before_the_commit_loses_nothing(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any
) -> None:
    never = asyncio.Event()
    async with receiving(make_adapter()):
        intake.before_commit = never.wait
        for n in range(5):
            await emulator.say(chat, "Anna", f"m{n}")
        await asyncio.sleep(0.2)
    intake.before_commit = None
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
    assert intake.reasons["update of kind entirely_new_kind"] == 1


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
        forum, [topic] = emulator.add_forum("Forum", ["Release"])
        await emulator.say(forum.chat_id, "Anna", "in topic", thread_id=topic)
        await emulator.say(forum.chat_id, "Anna", "in general")
        await intake.until(lambda: len(intake.events) == 3)
    named, inside, general = intake.events
    assert isinstance(named, ChatRenamed)
    assert (named.name, named.meta.thread_id) == ("Release", topic)
    assert (inside.meta.thread_id, inside.content.reply_to) == (topic, None)
    assert general.meta.thread_id is None


async def test_service_messages(emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any) -> None:
    member = {"id": 77, "is_bot": False, "first_name": "Carl"}
    async with receiving(adapter):
        await emulator.post(chat, "Anna", {"new_chat_members": [member]})
        await emulator.post(chat, "Anna", {"left_chat_member": member})
        await emulator.post(chat, "Anna", {"new_chat_title": "New"})
        await emulator.post(chat, "Anna", {"video_chat_started": {}})
        await emulator.post(chat, "Anna", {"text": "copy of the channel's post"}, extra={"is_automatic_forward": True})
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: "end" in intake.texts())
    joined, left, renamed, _ = intake.events
    assert isinstance(joined, MembershipChanged)
    assert isinstance(left, MembershipChanged)
    assert (joined.change, joined.member.name, left.change) == ("joined", "Carl", "left")
    assert isinstance(renamed, ChatRenamed)
    assert intake.reasons["service message video_chat_started"] == 1
    assert intake.reasons["automatic forward from the linked channel"] == 1


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


async def test_being_removed_from_a_routed_chat_is_told(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    intake.chats = frozenset({chat})
    async with receiving(adapter):
        emulator.kick(chat)
        emulator.kick(emulator.add_chat("Not routed").chat_id)
        emulator.promote(chat, admin=False)
        await intake.until(lambda: len(intake.notices) == 2 and intake.reasons)
        assert intake.restorations == [chat], "back in the chat, though without rights"
        emulator.promote(chat)
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: intake.events)
    assert intake.restorations == [chat, chat]
    assert "removed from Team" in intake.notices[0][0]
    assert intake.notices[0][2] == chat
    assert "reactions" in intake.notices[1][0]


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


async def test_a_wrong_token_parks_the_account(emulator: TelegramEmulator, make_adapter: Any, intake: Any) -> None:
    for token in ("123456:" + "A" * 35, "nonsense"):
        with pytest.raises(AccountDown) as down:
            await make_adapter(token=token).run(intake)
        assert "BotFather" in down.value.action
        assert token not in down.value.reason + down.value.action


async def test_a_second_poller_is_explained(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, make_intake: Any, receiving: Any
) -> None:
    async with receiving(make_adapter()) as first:
        async with receiving(make_adapter(), make_intake()):
            with pytest.raises(ConnectionLost):
                await asyncio.wait_for(first, PATIENCE_S)
    assert "another program polls" in intake.notices[0][0]


async def test_who_keeps_polling_with_our_token_parks_the_account(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, make_intake: Any, receiving: Any
) -> None:
    adapter, other = make_adapter(), make_adapter()
    for number in range(CONFLICTS_MAX):
        ours: Any = asyncio.create_task(adapter.run(intake))
        await intake.until(lambda number=number: intake.connections > number)
        async with receiving(other, make_intake()):
            with pytest.raises(AccountDown if number == CONFLICTS_MAX - 1 else ConnectionLost) as down:
                await asyncio.wait_for(ours, PATIENCE_S)
    assert "another program polls with this bot's token" in down.value.reason
    assert "stop the other program" in down.value.action
    assert down.value.sends, "what others say still arrives here"
    assert intake.sending == CONFLICTS_MAX


async def test_a_conflict_that_is_over_is_no_longer_told(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, make_intake: Any, receiving: Any
) -> None:
    adapter = make_adapter()
    async with receiving(adapter) as ours:
        async with receiving(make_adapter(), make_intake()):
            with pytest.raises(ConnectionLost):
                await asyncio.wait_for(ours, PATIENCE_S)
    assert intake.restorations == []
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "alone again")
        await intake.until(lambda: "alone again" in intake.texts())
    assert intake.restorations == [""]


def test_conflicts_far_apart_are_no_reason_to_stop() -> None:
    now = 0.0
    conflicts = Conflicts(lambda: now)
    for _ in range(3 * CONFLICTS_MAX):
        now += CONFLICTS_WITHIN_S / 3
        assert not conflicts.add()
    assert [conflicts.add() for _ in range(CONFLICTS_MAX)][-1]


async def test_a_group_in_which_the_bot_hears_nothing_is_told_with_what_to_click(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    other = emulator.add_chat("Other").chat_id
    gone = emulator.add_chat("Gone").chat_id
    emulator.promote(chat, admin=False)
    emulator.kick(gone)
    bot = emulator.bot()
    bot.sees_everything = False
    intake.chats = frozenset({chat, other, gone, "555"})
    async with receiving(adapter):
        await intake.until(lambda: {told[2] for told in intake.notices} >= {chat, gone})
        told = {chat_id: (reason, action) for reason, action, chat_id in intake.notices}
        assert set(told) == {chat, gone}
        assert "sees no messages" in told[chat][0]
        assert "/setprivacy" in told[chat][1]
        assert "remove the bot from the chat and add it again" in told[chat][1]
        assert "add the bot" in told[gone][1]
        emulator.promote(other, admin=False)
        await intake.until(lambda: intake.notices[-1][2] == other)
        assert "sees no messages" in intake.notices[-1][0]
    bot.sees_everything = True
    intake.notices.clear()
    async with receiving(adapter):
        emulator.promote(other)
        emulator.promote(other, admin=False)
        await intake.until(lambda: any(chat_id == other for _, _, chat_id in intake.notices))
    assert {chat_id: reason for reason, _, chat_id in intake.notices if chat_id != gone} == {
        other: "the bot is no administrator of Other: it sees no reactions there"
    }


def test_a_connection_that_comes_and_goes_does_not_ask_again_and_again() -> None:
    now = 0.0
    looks = Looks(lambda: now)
    assert [looks.due("-1", sees_all=False) for _ in range(3)] == [True, False, False]
    assert looks.due("-2", sees_all=False)
    assert looks.due("-1", sees_all=True), "privacy mode was changed"
    now = LOOK_AGAIN_S
    assert looks.due("-1", sees_all=False)


async def test_a_look_at_the_chats_that_fails_harms_nothing(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    intake.chats = frozenset({chat})
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="getChatMember", times=100, status=502))
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "heard")
        await intake.until(lambda: "heard" in intake.texts())
    assert intake.notices == []


async def test_a_webhook_in_the_way_is_explained_or_taken_over(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any
) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    queue.webhook_url = "https://elsewhere.example/hook"
    with pytest.raises(ConnectionLost):
        await make_adapter().run(intake)
    assert "take_over_webhook" in intake.notices[0][1]
    async with receiving(make_adapter(take_over_webhook=True)):
        await emulator.say(chat, "Anna", "here")
        await intake.until(lambda: intake.events)


async def test_what_was_said_meanwhile_arrives_also_when_a_webhook_is_taken_over(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any
) -> None:
    async with receiving(make_adapter()):
        await emulator.say(chat, "Anna", "before")
        await intake.until(lambda: intake.events)
    emulator.world.queues[emulator.bot().user_id].webhook_url = "https://elsewhere.example/hook"
    said = [f"meanwhile {number}" for number in range(150)]
    for words in said:
        await emulator.say(chat, "Anna", words)
    async with receiving(make_adapter(take_over_webhook=True)):
        await intake.until(lambda: len(intake.events) == 151)
    assert intake.texts() == ["before", *said]


async def test_a_stop_longer_than_telegrams_memory_is_told_as_a_gap(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    intake.chats = frozenset({chat})
    name = f"updates:{emulator.bot().user_id}"
    intake.cursors[name] = json.dumps({"offset": 5, "seen_at": time.time() - 50 * 3600})
    async with receiving(adapter):
        pass
    [(told, since, until)] = intake.gaps
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
    intake.before_commit = count
    async with receiving(adapter):
        await intake.until(lambda: len(intake.events) == 100)
    assert commits <= 2


async def test_an_album_redelivered_after_a_crash_is_not_told_again(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    """Accepted, but the process died before the next poll could confirm it."""
    uploads = [Upload(name="a.png", mime="image/png", content=png(8, 8))] * 3
    async with receiving(make_adapter()):
        await emulator.say(chat, "Anna", "album", files=uploads)
        await intake.until(lambda: intake.events)
        await emulator.disturb(StreamFault.REDELIVER)
        await intake.until(lambda: intake.reasons["update delivered twice"])
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: "end" in intake.texts())
    assert intake.texts() == ["album", "end"]
    before = dict(intake.cursors)
    queue = emulator.world.queues[emulator.bot().user_id]
    await emulator.say(chat, "Anna", "second album", files=uploads)
    async with receiving(make_adapter()):
        await intake.until(lambda: "second album" in intake.texts())
    assert intake.cursors != before
    queue.redeliver()
    async with receiving(make_adapter()):
        await emulator.say(chat, "Anna", "last")
        await intake.until(lambda: "last" in intake.texts())
    assert intake.texts() == ["album", "end", "second album", "last"]


async def test_the_core_is_told_what_the_bot_is_called(adapter: Any, intake: Any, receiving: Any) -> None:
    async with receiving(adapter):
        await intake.until(lambda: intake.connections)
    assert intake.names == {"Bridge", "bridge_emulated_bot"}


async def test_edits_of_buttons_and_of_nothing_else(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    post = {"message_id": 70, "date": 5, "chat": {"id": int(chat), "type": "channel"}, "text": "vote", "media": None}

    def keyboard(votes: int, url: str) -> dict[str, Any]:
        row = [{"text": f"👍 {votes}", "callback_data": "x"}, {"text": "Open", "url": url}]
        return {"reply_markup": {"inline_keyboard": [row]}}

    async with receiving(adapter):
        queue.push("channel_post", post | keyboard(1, "https://a.example"))
        for votes in (2, 3):
            queue.push("edited_channel_post", post | {"edit_date": 5 + votes} | keyboard(votes, "https://a.example"))
        queue.push("edited_channel_post", post | {"edit_date": 9} | keyboard(3, "https://b.example"))
        queue.push("edited_channel_post", post | {"edit_date": 9} | keyboard(3, "https://a.example"))
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: "end" in intake.texts())
    links = [to_plain(event.content.text) for event in intake.events[:-1]]
    assert links == [f"vote\nOpen (https://{name}.example)" for name in "aba"]
    assert intake.reasons["edit without a visible change"] == 2
    queue.push("edited_channel_post", post | {"edit_date": 12} | keyboard(4, "https://a.example"))
    async with receiving(adapter):  # what buttons are touched for outlives a connection
        await intake.until(lambda: intake.reasons["edit without a visible change"] == 3)
        queue.push("edited_channel_post", post | {"text": "voted", "edit_date": 13} | keyboard(4, "https://a.example"))
        await intake.until(lambda: any("voted" in text for text in intake.texts()))


def test_what_is_known_of_messages_is_bounded() -> None:
    unchanged = Unchanged()
    for number in range(MESSAGES_MAX + 500):
        said = {"message_id": number + 1, "date": 5, "chat": {"id": -1}, "text": f"number {number}"}
        [event] = Decoder(account=AccountName("tg"), bot_id="7").update({"update_id": number, "message": said}, NOW)
        assert not unchanged.takes(event, has_buttons=True)
    assert len(unchanged.kept()) == KEPT_MAX
    assert len(unchanged._said) == MESSAGES_MAX


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


async def test_words_that_come_back_within_a_second_are_an_edit(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    said = {"message_id": 70, "date": 5, "chat": {"id": int(chat), "type": "group"}, "text": "thinking"}
    async with receiving(adapter):
        queue.push("message", said)
        for words in ("part", "thinking", "part", "part", "the answer", "part"):
            queue.push("edited_message", said | {"text": words, "edit_date": 6})
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: "end" in intake.texts())
    assert intake.texts() == ["thinking", "part", "thinking", "part", "the answer", "part", "end"]


async def test_an_edit_that_was_not_accepted_is_not_known(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any
) -> None:
    async with receiving(make_adapter()):
        message_id = await emulator.say(chat, "Anna", "one")
        await intake.until(lambda: intake.texts() == ["one"])

        async def fail() -> None:
            raise OSError("disk full")

        intake.before_commit = fail
        await emulator.edit(chat, message_id, "two")
    intake.before_commit = None
    async with receiving(make_adapter()):
        await intake.until(lambda: intake.texts() == ["one", "two"])
