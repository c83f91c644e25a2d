"""What people do in Slack, as the core gets it: over Socket Mode, through the real transport, against the emulator."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault, Upload
from adapters.slack.emulator import SlackEmulator
from bridge.model.events import (
    AttachmentKind,
    ChatRenamed,
    MembershipChanged,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
)
from bridge.model.rich_text import CodeBlock, Mark, Paragraph, Quote, Text, text_of
from tests.support.intake import Gate
from tests.support.patience import eventually, stays


async def test_a_message_with_its_author_text_and_reply(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    first = await emulator.say(chat, "Anna", emulator.formatting_sample())
    reply = await emulator.say(chat, "Boris", "yes :wave: <&>", reply_to=first)
    await eventually(lambda: len(account.intake.of(MessageCreated)) == 2)
    one, two = account.intake.of(MessageCreated)
    assert (one.message_id, one.meta.author.name, one.meta.origin.chat_id) == (first, "Anna", chat)
    assert one.meta.author.avatar_url.startswith("http")
    assert one.meta.event_key == f"created:team:{chat}:{first}"
    paragraph, quote, code = one.content.text.blocks
    assert isinstance(paragraph, Paragraph)
    runs = [run for run in paragraph.inlines if isinstance(run, Text)]
    marks = {run.text: run.marks for run in runs}
    assert (marks["bold"], marks["italic"], marks["strike"], marks["code"]) == (Mark.BOLD, Mark.ITALIC, Mark.STRIKE, Mark.CODE)
    assert any(run.link == "https://example.com/" and run.text == "label" for run in runs)
    assert isinstance(quote, Quote)
    assert isinstance(code, CodeBlock)
    assert code.text == "block"
    assert text_of(two.content.text) == "yes 👋 <&>"
    assert (two.content.reply_to.message_id, two.content.reply_to.author_name) == (first, "Anna")
    assert two.content.reply_to.excerpt == text_of(one.content.text)
    assert (two.message_id, two.meta.thread_id) == (reply, first)


async def test_edits_deletes_reactions_pins_members_renames(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    ts = await emulator.say(chat, "Anna", "before")
    await emulator.edit(chat, ts, "after")
    await emulator.unfurl(chat, ts, "a preview")
    await emulator.react(chat, ts, "Boris", "👍")
    await emulator.react(chat, ts, "Boris", "👍", remove=True)
    emulator.workspace.pin(emulator.workspace.message(chat, ts), emulator.add_person("Anna"), pinned=True)
    emulator.join(chat, "Carla")
    emulator.rename_chat(chat, "other")
    await emulator.delete(chat, ts)
    await eventually(lambda: account.intake.of(MessageDeleted))
    assert [text_of(event.content.text) for event in account.intake.of(MessageEdited)] == ["after"]
    added, removed = account.intake.of(ReactionsChanged)
    assert (added.added, added.removed, added.meta.author.name) == (("👍",), (), "Boris")
    assert removed.removed == ("👍",)
    assert account.intake.of(PinsChanged)[0].pinned
    assert account.intake.of(MembershipChanged)[0].member.name == "Carla"
    assert account.intake.of(ChatRenamed)[0].name == "other"
    assert account.intake.of(MessageDeleted)[0].message_id == ts
    assert len(account.intake.of(MessageCreated)) == 1
    await eventually(lambda: emulator.deliveries.unsettled == 0)


async def test_a_deleted_parent_with_replies_is_a_deletion(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    ts = await emulator.say(chat, "Anna", "parent")
    await emulator.say(chat, "Boris", "reply", reply_to=ts)
    await emulator.delete(chat, ts)
    await eventually(lambda: account.intake.of(MessageDeleted))
    assert account.intake.of(MessageDeleted)[0].message_id == ts


async def test_files_arrive_as_handles_and_are_streamed(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    adapter = await account.start()
    big = bytes(range(256)) * 50_000
    uploads = [
        Upload(name="photo.jpg", mime="image/jpeg", content=b"jpeg"),
        Upload(name="clip.mp4", mime="video/mp4", content=big),
        Upload(name="note.m4a", mime="audio/mp4", content=b"voice", kind="voice"),
        Upload(name="song.mp3", mime="audio/mpeg", content=b"song"),
        Upload(name="über.pdf", mime="application/pdf", content=b"pdf"),
    ]
    await emulator.say(chat, "Anna", "see", files=uploads)
    await eventually(lambda: account.intake.of(MessageCreated))
    attachments = account.intake.of(MessageCreated)[0].content.attachments
    assert [attachment.kind for attachment in attachments] == [
        AttachmentKind.PHOTO,
        AttachmentKind.VIDEO,
        AttachmentKind.VOICE,
        AttachmentKind.AUDIO,
        AttachmentKind.DOCUMENT,
    ]
    assert attachments[4].name == "über.pdf"
    for attachment, upload in zip(attachments, uploads, strict=True):
        assert emulator.workspace.bot_token not in attachment.file_id
        async with adapter.open_file(attachment) as stream:
            assert stream.size_bytes == len(upload.content)
            assert b"".join([chunk async for chunk in stream.chunks]) == upload.content


async def test_nothing_is_acknowledged_before_the_core_has_it(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    account.intake.before_accept = gate = Gate()
    await emulator.say(chat, "Anna", "one")
    await emulator.say(chat, "Anna", "two")
    await eventually(lambda: gate.held)
    await stays(lambda: emulator.deliveries.unsettled == 2)
    gate.open()
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert account.intake.texts() == ["one", "two"]


async def test_poison_is_kept_and_the_stream_goes_on(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    await emulator.say(chat, "Anna", "before")
    await emulator.disturb(StreamFault.POISON)
    await emulator.say(chat, "Anna", "after")
    await eventually(lambda: len(account.intake.texts()) == 2)
    assert len(account.intake.undecoded) == 1
    assert b"not" in account.intake.undecoded[0][0]
    await eventually(lambda: emulator.deliveries.unsettled == 0)


async def test_redelivery_is_the_same_event(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    await emulator.say(chat, "Anna", "once")
    await eventually(lambda: account.intake.texts() == ["once"])
    await emulator.disturb(StreamFault.REDELIVER)
    await eventually(lambda: account.intake.duplicates)
    emulator.deliveries.ack_deadline_s = 0.05
    emulator.deliveries.new_event_id_on_retry = True
    account.intake.before_accept = gate = Gate()
    await emulator.say(chat, "Anna", "twice")
    await eventually(lambda: emulator.deliveries.unsettled == 1)
    await asyncio.sleep(0.1)
    gate.open()
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    assert account.intake.texts() == ["once", "twice"]


async def test_events_that_arrive_together_are_put_in_order(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    account.intake.before_accept = gate = Gate()
    await emulator.say(chat, "Anna", "zero")
    await eventually(lambda: gate.held)
    await emulator.disturb(StreamFault.REORDER)
    for text in ("one", "two", "three"):
        await emulator.say(chat, "Anna", text)
    await asyncio.sleep(0.05)
    gate.open()
    await eventually(lambda: len(account.intake.texts()) == 4)
    assert account.intake.texts() == ["zero", "one", "two", "three"]


async def test_a_lost_channel_is_told(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    emulator.archive_chat(chat)
    emulator.remove_bot(chat)
    await eventually(lambda: len(account.intake.notices) == 2)
    assert [notice[2] for notice in account.intake.notices] == [chat, chat]
    emulator.archive_chat(chat, archived=False)
    emulator.workspace.join(emulator.workspace.channels[chat], emulator.workspace.bot_user_id)
    await eventually(lambda: account.intake.restorations)
    assert set(account.intake.restorations) == {chat}
    emulator.workspace.emit({"type": "channel_id_changed", "old_channel_id": chat, "new_channel_id": "C0NEW0001"})
    await eventually(lambda: account.intake.moves == [(chat, "C0NEW0001")])


async def test_a_reply_to_what_nobody_saw_is_quoted_all_the_same(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    theirs = await emulator.say(chat, "Anna", "long *before*")
    await account.start()
    for text in ("one", "two"):
        await emulator.say(chat, "Boris", text, reply_to=theirs)
    await eventually(lambda: len(account.intake.texts()) == 2)
    for event in account.intake.of(MessageCreated):
        assert (event.content.reply_to.author_name, event.content.reply_to.excerpt) == ("Anna", "long before")
    assert emulator.calls().count("conversations.replies") == 1


async def test_a_reply_does_not_wait_long_for_its_parent(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    theirs = await emulator.say(chat, "Anna", "long before")
    await account.start()
    emulator.inject(Fault(kind=FaultKind.HANG, operation="conversations.replies"))
    await emulator.say(chat, "Boris", "reply", reply_to=theirs)
    await eventually(lambda: account.intake.texts() == ["reply"])
    reply_to = account.intake.of(MessageCreated)[0].content.reply_to
    assert (reply_to.message_id, reply_to.author_name, reply_to.excerpt) == (theirs, "Anna", "")


async def test_an_edit_seen_live_is_not_brought_again(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    ts = await emulator.say(chat, "Anna", "before :wave:")
    await emulator.edit(chat, ts, "after :wave:")
    await eventually(lambda: account.intake.of(MessageEdited))
    await account.stop()
    await account.start(account.build())
    await emulator.say(chat, "Anna", "live")
    await eventually(lambda: "live" in account.intake.texts())
    assert len(account.intake.of(MessageEdited)) == 1
