"""The adapter receives from the emulated gateway: every kind of event, in order, through every disturbance of the stream."""

from __future__ import annotations

import asyncio

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault, Upload
from adapters.discord.adapter import DiscordAdapter
from bridge.model.adapter import Outbound, Sender
from bridge.model.errors import AccountDown, ConnectionLost
from bridge.model.events import (
    AttachmentKind,
    ChatRenamed,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
    TypingStarted,
)
from bridge.model.rich_text import plain, text_of
from tests.support.intake import Gate
from tests.support.patience import eventually

from .conftest import Bench


async def test_a_message_arrives_with_its_author_text_and_files(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        upload = Upload(name="cat.png", mime="image/png", content=b"\x89PNG\r\n\x1a\n" + bytes(8) + bytes([0, 0, 0, 4, 0, 0, 0, 3]))
        message_id = await bench.emulator.say(bench.chat, "Anna Petrova", "**hello**", files=[upload])
        event = (await eventually(intake.foreign))[0]
    assert isinstance(event, MessageCreated)
    assert event.message_id == message_id
    assert event.meta.origin.chat_id == bench.chat
    assert event.meta.author is not None
    assert event.meta.author.name == "Anna Petrova"
    assert event.meta.author.avatar_url.startswith(bench.emulator.base_url + "/avatars/")
    assert text_of(event.content.text) == "hello"
    photo = event.content.attachments[0]
    assert (photo.kind, photo.name, photo.size_bytes, photo.width, photo.height) == (AttachmentKind.PHOTO, "cat.png", 24, 4, 3)


async def test_edits_deletes_reactions_replies_typing_and_pins(bench: Bench, adapter: DiscordAdapter) -> None:
    intake, emulator, chat = bench.intake(), bench.emulator, bench.chat
    async with bench.running(adapter, intake):
        first = await emulator.say(chat, "Anna", "first")
        second = await emulator.say(chat, "Boris", "second", reply_to=first)
        await emulator.resolve_embeds(chat, first, "https://example.com/")
        await emulator.edit(chat, first, "first, corrected")
        await emulator.react(chat, first, "Boris", "👍")
        await emulator.react(chat, first, "Boris", "👍", remove=True)
        await emulator.type(chat, "Anna")
        await emulator.pin(chat, second, "Anna")
        await emulator.delete(chat, first)
        await eventually(lambda: any(isinstance(e, MessageDeleted) for e in intake.events))
    kinds = [type(e) for e in intake.events]
    expected = [MessageCreated, MessageCreated, MessageEdited, ReactionsChanged, ReactionsChanged, TypingStarted, PinsChanged]
    assert kinds == [*expected, MessageDeleted]
    reply, edit, added, removed = intake.events[1:5]
    assert isinstance(reply, MessageCreated)
    assert reply.content.reply_to is not None
    assert (reply.content.reply_to.message_id, reply.content.reply_to.author_name) == (first, "Anna")
    assert reply.content.reply_to.excerpt == "first"
    assert isinstance(edit, MessageEdited)
    assert text_of(edit.content.text) == "first, corrected"
    assert isinstance(added, ReactionsChanged)
    assert isinstance(removed, ReactionsChanged)
    assert (added.added, removed.removed) == (("👍",), ("👍",))
    assert added.meta.author is not None
    assert added.meta.author.name == "Boris"


async def test_a_purge_becomes_one_deletion_per_message(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        ids = [await bench.emulator.say(bench.chat, "Spammer", f"spam {n}") for n in range(3)]
        await bench.emulator.delete_many(bench.chat, ids)
        deleted = lambda: [e.message_id for e in intake.events if isinstance(e, MessageDeleted)]  # noqa: E731
        await eventually(lambda: len(deleted()) == 3)
    assert deleted() == ids


async def test_own_messages_are_marked_whichever_way_they_were_sent(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        by_webhook = await adapter.send(_outbound("t1", bench.chat, "as Anna", sender=Sender(name="Anna")))
        by_bot = await adapter.send(_outbound("t2", bench.chat, "by the bot"))
        await bench.emulator.say(bench.chat, "Boris", "a person")
        await eventually(lambda: len(intake.events) == 3)
    marks = {e.message_id: (e.meta.sent_by_us, e.meta.delivery_id) for e in intake.events if isinstance(e, MessageCreated)}
    assert marks[by_webhook.message_ids[0]] == (True, "")
    assert marks[by_bot.message_ids[0]] == (True, "t2")
    assert intake.texts() == ["a person"]


async def test_other_bots_and_their_webhooks_are_people_to_us(bench: Bench, adapter: DiscordAdapter) -> None:
    """Echo recognition goes by id: filtering every bot would hide other bridges' and services' messages."""
    intake = bench.intake()
    other = bench.emulator.add_bot("Alerts")
    stranger = bench.adapter(token=other.token)
    async with bench.running(adapter, intake):
        await stranger.send(_outbound("x", bench.chat, "disk full", sender=Sender(name="Monitor")))
        await stranger.send(_outbound("y", bench.chat, "disk still full"))
        await eventually(lambda: len(intake.events) == 2)
    await stranger.close()
    assert intake.texts() == ["disk full", "disk still full"]
    author = intake.events[0].meta.author
    assert author is not None
    assert (author.name, author.is_bot) == ("Monitor", True)


async def test_messages_of_a_thread_belong_to_its_channel(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        root = await bench.emulator.say(bench.chat, "Anna", "root")
        thread = await bench.emulator.start_thread(bench.chat, "Anna", "Details", message_id=root)
        await bench.emulator.say(bench.chat, "Boris", "inside", thread_id=thread)
        await eventually(lambda: "inside" in intake.texts())
    inside = intake.foreign()[-1]
    assert (inside.meta.origin.chat_id, inside.meta.thread_id) == (bench.chat, thread)


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


@pytest.mark.parametrize("disturbance", [StreamFault.DISCONNECT, StreamFault.DISCONNECT_CLEAN, StreamFault.INVALIDATE_SESSION])
async def test_nothing_is_lost_or_doubled_when_the_connection_ends(
    bench: Bench, adapter: DiscordAdapter, disturbance: StreamFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.receiver.random.uniform", lambda low, high: 0.05)
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "before")
        await eventually(intake.texts)
        await bench.emulator.disturb(disturbance)
        for number in range(20):
            await bench.emulator.say(bench.chat, "Anna", f"meanwhile {number}")
        await eventually(lambda: len(intake.texts()) == 21)
        await bench.emulator.say(bench.chat, "Anna", "after")
        await eventually(lambda: len(intake.texts()) == 22)
    assert intake.texts() == ["before", *(f"meanwhile {n}" for n in range(20)), "after"]


async def test_a_poison_payload_is_kept_and_the_stream_goes_on(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.disturb(StreamFault.POISON)
        await bench.emulator.say(bench.chat, "Anna", "still here")
        await eventually(lambda: intake.texts() == ["still here"])
    assert len(intake.undecoded) == 1
    assert b"poison" in intake.undecoded[0][0]
    assert bench.emulator.calls().count("GATEWAY") == 1, "the connection must survive it"


async def test_a_redelivered_event_has_the_same_key(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "once")
        await eventually(intake.texts)
        await bench.emulator.disturb(StreamFault.REDELIVER)
        await bench.emulator.say(bench.chat, "Anna", "twice")
        await eventually(lambda: len(intake.texts()) == 2)
    assert intake.texts() == ["once", "twice"]


async def test_what_was_read_but_not_stored_is_replayed_after_a_crash(bench: Bench) -> None:
    """The session is resumed at the last event on disk, by another process too."""
    intake = bench.intake()
    crashed = bench.adapter()
    async with bench.running(crashed, intake):
        await bench.emulator.say(bench.chat, "Anna", "stored")
        await eventually(intake.texts)

        intake.before_accept = disk_hangs = Gate()
        lost = await bench.emulator.say(bench.chat, "Anna", "read, not stored")
        await bench.emulator.react(bench.chat, lost, "Boris", "👍")
        await eventually(lambda: bench.emulator.gateway.ready_sessions == 1)
        await eventually(lambda: disk_hangs.held)
    await crashed.close()
    intake.before_accept = None
    await bench.emulator.delete(bench.chat, lost)
    fresh = bench.adapter()
    async with bench.running(fresh, intake):
        await eventually(lambda: any(isinstance(e, MessageDeleted) for e in intake.events))
    await fresh.close()
    assert [type(e) for e in intake.events] == [MessageCreated, MessageCreated, ReactionsChanged, MessageDeleted]


async def test_refused_connections_and_server_errors_end_run_with_connection_lost(bench: Bench, adapter: DiscordAdapter) -> None:
    await bench.emulator.refuse_connections(True)
    with pytest.raises(ConnectionLost):
        await adapter.run(bench.intake())
    await bench.emulator.refuse_connections(False)
    bench.emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="GET /users/@me", times=1))
    with pytest.raises(ConnectionLost):
        await adapter.run(bench.intake())
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "healed")
        await eventually(lambda: intake.texts() == ["healed"])


async def test_a_wrong_token_and_a_missing_intent_say_what_to_do(bench: Bench) -> None:
    wrong = bench.adapter(token="not.a.token")
    with pytest.raises(AccountDown) as refused:
        await wrong.run(bench.intake())
    assert "token" in refused.value.action
    await wrong.close()
    bench.emulator.bot.message_content = False
    blind = bench.adapter()
    with pytest.raises(AccountDown) as missing:
        await blind.run(bench.intake())
    assert "MESSAGE CONTENT INTENT" in missing.value.action
    await blind.close()


async def test_the_last_sessions_of_a_day_are_not_used_up(bench: Bench, adapter: DiscordAdapter) -> None:
    """Discord resets the token of a bot that identifies more than 1000 times a day."""
    bench.emulator.gateway.identify_limit, bench.emulator.gateway.identifies = 1000, 990
    with pytest.raises(AccountDown):
        await adapter.run(bench.intake())
    assert bench.emulator.gateway.identifies == 990


async def test_order_holds_when_the_intake_is_slow(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()

    async def slow_disk() -> None:
        await asyncio.sleep(0.01)

    intake.before_accept = slow_disk
    async with bench.running(adapter, intake):
        for number in range(300):
            await bench.emulator.say(bench.chat, "Anna", f"{number}")
        await eventually(lambda: len(intake.texts()) == 300)
    assert intake.texts() == [str(n) for n in range(300)]


def _outbound(token: str, chat: str, text: str, sender: Sender | None = None) -> Outbound:
    return Outbound(token=token, attempt=1, chat_id=chat, text=plain(text), sender=sender)


async def test_the_core_is_told_what_the_bot_is_called_and_of_its_nicknames(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.set_nick("Relay of the house")
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await eventually(lambda: intake.names == {"bridge", "Relay of the house"})
        bench.emulator.set_nick("Postman")
        await eventually(lambda: intake.names == {"bridge", "Postman"})
        bench.emulator.set_nick(None)
        await eventually(lambda: intake.names == {"bridge"})
