"""The adapter receives from the emulated gateway: every kind of event, in order, stored before it goes on."""

from __future__ import annotations

import asyncio

from adapters.common.emulation.contract import StreamFault, Upload
from adapters.discord.adapter import DiscordAdapter
from bridge.model.adapter import Outbound, Sender
from bridge.model.events import (
    AttachmentKind,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
    TypingStarted,
)
from bridge.model.rich_text import plain, text_of
from tests.adapters.discord.conftest import Bench
from tests.support.intake import Gate
from tests.support.patience import eventually


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

        def deleted() -> list[str]:
            return [e.message_id for e in intake.events if isinstance(e, MessageDeleted)]

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
