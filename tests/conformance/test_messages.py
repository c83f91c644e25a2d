"""Messages of every platform, there and back through its emulator: what people see and what the core is told."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from adapters.common.conformance import Lacks
from adapters.common.emulation.contract import StreamFault, Upload
from bridge.identity.names import Names
from bridge.identity.people import People
from bridge.model.adapter import (
    Copy,
    Deletes,
    Edits,
    OutboundDelete,
    OutboundEdit,
    OutboundFile,
    OutboundReaction,
    Reacts,
    Reply,
    Sender,
)
from bridge.model.capabilities import Feature
from bridge.model.checksums import BLOCK_BYTES, BlockSums
from bridge.model.errors import FileHarmed
from bridge.model.events import (
    Attachment,
    AttachmentKind,
    Author,
    ChatEvent,
    Content,
    EventMeta,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    ReactionsChanged,
)
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import CodeBlock, Mention, Paragraph, RichText, Text, plain, text_of
from bridge.render.attachments import Target
from bridge.render.message import render
from bridge.render.origin import Origin
from bridge.render.slice import runs
from tests.conformance.cases import CASES, skip_if_lacking
from tests.conformance.rig import ACCOUNT, Rig
from tests.conformance.test_text import FOREIGN, bare
from tests.support.strategies import NOON

PINGS = re.compile(r'class="(?:mention|broadcast|channel|spoiler|emoji|time)[ "]')
MARKUP = re.compile(r"<(?:b|i|u|s|code|pre|blockquote|ul|ol|li|h\d)[ >]")
LINK = re.compile(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>')


def kept(event: ChatEvent) -> ChatEvent:
    """The event as the journal gives it back."""
    back: ChatEvent = msgspec.json.decode(msgspec.json.encode(event), type=ChatEvent)
    return back


# -- out: what people see ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", [0, 1])
async def test_foreign_text_is_shown_as_it_is_and_pings_nobody(rig: Rig, half: int) -> None:
    rig.emulator.add_person("anna")
    text = "\n".join(f"x {line} y" if number % 2 else line for number, line in enumerate(FOREIGN[half::2]))
    seen = await rig.send(plain(text))
    assert bare(seen.text) == bare(text)
    assert not PINGS.search(seen.html)
    assert not MARKUP.search(seen.html)
    for address, label in LINK.findall(seen.html):
        assert re.sub("^(mailto:|https?://)", "", address).rstrip("/") in label.replace("&amp;", "&")


async def test_plain_text_arrives_unchanged(rig: Rig) -> None:
    text = "Grüße, 世界! 👨‍👩‍👧‍👦\nsecond line\n\nfourth 'line' \"quoted\" 100% a_b c*d e~f (g) [h] {i} <j> & k"
    seen = await rig.send(plain(text))
    assert bare(seen.text) == bare(text)
    assert seen.is_bot


async def test_the_longest_parts_are_taken(rig: Rig) -> None:
    """What `measure` and the limits allow, the platform takes: plain words, marks in every word, characters outside the BMP."""
    limits = rig.adapter.capabilities.limits
    for unit in ("word ", "🙂", "*_`|<>&", "日本"):
        fitting = plain("x")
        low, high = 1, 4 * limits.text_length
        while high - low > 1:
            middle = (low + high) // 2
            candidate = plain((unit * (middle // len(unit) + 1))[:middle].strip())
            if rig.adapter.measure(candidate) <= limits.text_length:
                low, fitting = middle, candidate
            else:
                high = middle
        seen = await rig.send(fitting)
        assert bare(seen.text) == bare(text_of(fitting))


async def test_a_long_message_arrives_whole_in_parts(rig: Rig) -> None:
    limits = rig.adapter.capabilities.limits
    length = int(limits.text_length * 1.6)
    words = " ".join(f"w{number}" for number in range(length // 5))[:length]
    rich = RichText((Paragraph((Text(words, 1),)), CodeBlock("\n".join(f"    code {n}" for n in range(length // 60)), "python")))
    meta = EventMeta(
        event_key="k",
        origin=ChatRef(AccountName("other"), "C"),
        occurred_at=NOON,
        received_at=NOON,
        author=Author(user_id="1", name="Kim"),
    )
    made = render(
        MessageCreated(meta=meta, message_id="1", content=Content(text=rich)),
        origin=Origin(account=AccountName("other"), platform="other"),
        target=Target(account=ACCOUNT, platform=rig.platform, capabilities=rig.adapter.capabilities, measure=rig.adapter.measure),
        fetched=(),
        reply=None,
        people=People(),
        names=Names(),
    )
    assert len(made.parts) >= 2
    shown = ""
    for part in made.parts:
        assert rig.adapter.measure(part.text) <= limits.text_length
        seen = await rig.send(part.text, sender=part.sender)
        shown += re.sub(r"^Kim( …)?:?\n", "", seen.text) + "\n"
    expected = text_of(rich)
    assert "".join(bare(shown).split()) == "".join(expected.split())


async def test_a_sender_is_shown_by_name(rig: Rig) -> None:
    if not rig.adapter.capabilities.native(Feature.SENDER_NAME):
        pytest.skip("the core puts the name into the text")
    seen = await rig.send(plain("hi"), sender=Sender(name="Kim Lee"))
    assert seen.author_name == "Kim Lee"


async def test_edits_and_deletes_reach_the_message(rig: Rig) -> None:
    adapter = rig.adapter
    receipt = await adapter.send(rig.outbound(plain("first")))
    copy = Copy(
        chat_id=rig.chat_id, message_ids=receipt.message_ids, thread_id=receipt.thread_id, adapter_data=receipt.adapter_data
    )
    if isinstance(adapter, Edits):
        await adapter.edit(OutboundEdit(token="mbabc123-900-0", copy=copy, text=plain("second *literal*")))
        assert bare(rig.seen(receipt.message_ids[0]).text) == "second *literal*"
    if isinstance(adapter, Deletes):
        await adapter.delete(OutboundDelete(copy=copy))
        remaining = [m for m in rig.emulator.transcript(rig.chat.chat_id) if m.message_id == receipt.message_ids[0]]
        assert all(message.deleted for message in remaining)
        await adapter.delete(OutboundDelete(copy=copy))


async def test_a_reaction_is_shown_and_taken_away(rig: Rig) -> None:
    adapter = rig.adapter
    if not isinstance(adapter, Reacts):
        pytest.skip("the platform has no reactions for bots")
    receipt = await adapter.send(rig.outbound(plain("like me")))
    copy = Copy(
        chat_id=rig.chat_id, message_ids=receipt.message_ids, thread_id=receipt.thread_id, adapter_data=receipt.adapter_data
    )
    await adapter.react(OutboundReaction(copy=copy, wanted=("👍",), added=("👍",)))
    assert [reaction.emoji for reaction in rig.seen(receipt.message_ids[0]).reactions] == ["👍"]
    await adapter.react(OutboundReaction(copy=copy, wanted=(), removed=("👍",)))
    assert rig.seen(receipt.message_ids[0]).reactions == ()


async def test_a_further_part_of_a_reply_has_nothing_to_quote(rig: Rig) -> None:
    """It goes where the first part went; a reply without words is no line of its own."""
    answered = await rig.adapter.send(rig.outbound(plain("question")))
    reply = Reply(message_id=answered.message_ids[0], thread_id=answered.thread_id)
    assert (await rig.send(plain("second half"), reply=reply)).text == "second half"


@pytest.mark.parametrize("name", ["notes.txt", "naïve файл 文.txt", 'a"b;c=d.txt', "..txt"])
async def test_a_file_arrives_byte_for_byte(rig: Rig, tmp_path: Path, name: str) -> None:
    if not rig.adapter.capabilities.native(Feature.DOCUMENT):
        pytest.skip("the platform takes no files")
    content = bytes(range(256)) * 300
    path = tmp_path / "spooled"
    path.write_bytes(content)
    file = OutboundFile(
        attachment=Attachment(kind=AttachmentKind.DOCUMENT, file_id="x", name=name, mime="text/plain", size_bytes=len(content)),
        path=path,
        name=name,
        mime="text/plain",
        size_bytes=len(content),
    )
    seen = await rig.send(plain("the *caption*"), files=(file,))
    assert "the *caption*" in seen.text
    (arrived,) = seen.files
    assert rig.emulator.file_bytes(arrived.file_id) == content


@pytest.mark.parametrize("harm", ["one bit of the last block", "cut", "gone"])
async def test_a_file_that_was_harmed_on_disk_is_not_sent(rig: Rig, tmp_path: Path, harm: str) -> None:
    if not rig.adapter.capabilities.native(Feature.DOCUMENT):
        pytest.skip("the platform takes no files")
    content = bytearray(random.Random(2).randbytes(4 * BLOCK_BYTES + 9))
    sums = BlockSums()
    sums.add(content)
    path = tmp_path / "spooled"
    file = OutboundFile(
        attachment=Attachment(kind=AttachmentKind.DOCUMENT, file_id="x", name="f.bin", size_bytes=len(content)),
        path=path,
        name="f.bin",
        mime="application/octet-stream",
        size_bytes=len(content),
        block_sums=sums.sums(),
    )
    if harm == "cut":
        path.write_bytes(content[:-1])
    elif harm != "gone":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(FileHarmed) as raised:
        await rig.adapter.send(rig.outbound(plain("look"), files=(file,)))
    assert raised.value.path == path
    assert not rig.emulator.transcript(rig.chat.chat_id)
    path.write_bytes(content)
    (arrived,) = (await rig.send(plain("look"), files=(file,))).files
    assert rig.emulator.file_bytes(arrived.file_id) == content


# -- in: what the core is told ----------------------------------------------------------------------------------------------


async def test_a_message_is_told_with_all_that_it_needs(rig: Rig) -> None:
    message_id = await rig.emulator.say(rig.chat.chat_id, "Anna Petrova", "hello there")
    event = await rig.first(MessageCreated)
    assert text_of(event.content.text) == "hello there"
    assert event.message_id == message_id
    meta = event.meta
    assert meta.event_key
    assert meta.origin == ChatRef(ACCOUNT, rig.chat_id)
    assert meta.author
    assert meta.author.name == "Anna Petrova"
    assert meta.author.user_id
    assert meta.author.is_bot is (Lacks.HUMANS in CASES[rig.platform].lacks)
    assert meta.occurred_at.utcoffset() == meta.received_at.utcoffset() == timedelta(0)
    assert kept(event) == event


async def test_every_change_has_its_own_key_and_survives_the_journal(rig: Rig) -> None:
    chat = rig.chat.chat_id
    able = rig.adapter.capabilities
    message_id = await rig.emulator.say(chat, "Anna", "one")
    await rig.first(MessageCreated)
    if able.native(Feature.SEES_EDITS):
        await rig.emulator.edit(chat, message_id, "two")
        first = await rig.first(MessageEdited)
        assert text_of(first.content.text) == "two"
        await rig.emulator.edit(chat, message_id, "three")
        second = await rig.first(MessageEdited, 2)
        assert second.message_id == message_id
        assert text_of(second.content.text) == "three"
    if able.native(Feature.SEES_REACTIONS) and "webhooks" not in able.note(Feature.SEES_REACTIONS):
        await rig.emulator.react(chat, message_id, "Kim", "👍")
        reacted = await rig.first(ReactionsChanged)
        assert (reacted.message_id, reacted.added) == (message_id, ("👍",))
    if able.native(Feature.SEES_DELETES):
        await rig.emulator.delete(chat, message_id)
        assert (await rig.first(MessageDeleted)).message_id == message_id
    keys = [event.meta.event_key for event in rig.intake.handed]
    assert len(set(keys)) == len(keys)
    assert all(kept(event) == event for event in rig.intake.handed)


async def test_a_redelivered_event_has_the_same_key(rig: Rig) -> None:
    await rig.emulator.say(rig.chat.chat_id, "Anna", "once")
    first = await rig.first(MessageCreated)
    await rig.emulator.disturb(StreamFault.REDELIVER)
    await rig.emulator.say(rig.chat.chat_id, "Anna", "after")
    await rig.eventually(lambda: any(text_of(e.content.text) == "after" for e in rig.foreign(MessageCreated)), "the next one")
    again = [event for event in rig.foreign(MessageCreated) if text_of(event.content.text) == "once"]
    assert {event.meta.event_key for event in again} == {first.meta.event_key}


async def test_an_event_of_unknown_shape_is_kept_and_does_not_stop_the_stream(rig: Rig) -> None:
    await rig.emulator.disturb(StreamFault.POISON)
    await rig.emulator.say(rig.chat.chat_id, "Anna", "after the poison")
    event = await rig.first(MessageCreated)
    assert text_of(event.content.text) == "after the poison"


async def test_the_order_of_a_chat_is_kept(rig: Rig) -> None:
    for number in range(20):
        await rig.emulator.say(rig.chat.chat_id, f"Person {number % 3}", f"number {number}")
    await rig.first(MessageCreated, 20)
    assert [text_of(event.content.text) for event in rig.foreign(MessageCreated)] == [f"number {n}" for n in range(20)]


async def test_our_own_messages_are_never_foreign(rig: Rig) -> None:
    await rig.send(plain("ours"))
    await rig.emulator.say(rig.chat.chat_id, "Anna", "theirs")
    await rig.first(MessageCreated)
    assert [text_of(event.content.text) for event in rig.foreign(MessageCreated)] == ["theirs"]


async def test_the_core_is_told_what_the_account_is_called(rig: Rig) -> None:
    skip_if_lacking(rig.platform, Lacks.OWN_NAME)
    message = await rig.send(plain("who says that?"))
    native = rig.adapter.capabilities.native(Feature.SENDER_NAME)
    await rig.eventually(lambda: rig.intake.names, "names")
    assert all(rig.intake.names)
    assert native or message.author_name in rig.intake.names


async def test_a_reply_names_what_it_answers(rig: Rig) -> None:
    skip_if_lacking(rig.platform, Lacks.REPLIES)
    asked = await rig.emulator.say(rig.chat.chat_id, "Anna", "shall we?")
    await rig.emulator.say(rig.chat.chat_id, "Kim", "yes", reply_to=asked)
    answer = await rig.first(MessageCreated, 2)
    assert text_of(answer.content.text) == "yes"
    assert answer.content.reply_to
    assert answer.content.reply_to.message_id == asked


async def test_a_composers_formatting_is_understood(rig: Rig) -> None:
    skip_if_lacking(rig.platform, Lacks.FORMATTING)
    await rig.emulator.say(rig.chat.chat_id, "Anna", rig.emulator.formatting_sample())
    event = await rig.first(MessageCreated)
    marks = {bit for run in runs(event.content.text) if isinstance(run, Text) for bit in (1, 2, 8, 32) if run.marks & bit}
    assert marks == {1, 2, 8, 32}
    assert re.findall(r"\w+", text_of(event.content.text)) == ["bold", "italic", "strike", "code", "label", "quoted", "block"]
    assert not any(isinstance(run, Mention) for run in runs(event.content.text))


async def test_a_file_is_a_handle_that_can_be_opened(rig: Rig) -> None:
    content = b"attached" * 5000
    await rig.emulator.say(rig.chat.chat_id, "Anna", "see", files=[Upload(name="notes.txt", mime="text/plain", content=content)])
    event = kept(await rig.first(MessageCreated))
    assert isinstance(event, MessageCreated)
    (attachment,) = event.content.attachments
    assert attachment.name == "notes.txt"
    assert attachment.size_bytes in (len(content), None)
    async with rig.adapter.open_file(attachment) as stream:  # type: ignore[attr-defined]
        assert b"".join([chunk async for chunk in stream.chunks]) == content
