"""Sending through the adapter into the emulator: what arrives, and what each fault is classified as."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from adapters.common.emulation.contract import Fault, FaultKind, SeenMessage, Upload
from adapters.teamspirit.capabilities import capabilities
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import (
    Adapter,
    Copy,
    Deletes,
    Edits,
    LooksUpPeople,
    OpensFiles,
    Outbound,
    OutboundDelete,
    OutboundEdit,
    OutboundFile,
    OutboundReaction,
    Reacts,
    ReadsHistory,
    Reconciles,
    Reply,
    Sender,
    SetsStatus,
    ShowsTyping,
)
from bridge.model.capabilities import Feature
from bridge.model.errors import AccountDown, ChatDown, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.model.events import Attachment, AttachmentKind, Contact, Location
from bridge.model.outcomes import Loss
from bridge.model.rich_text import Mark, Mention, MentionKind, Paragraph, RichText, Text, plain
from tests.adapters.teamspirit.harness import make_adapter, options_of, running
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually

SEND = "POST /chats/{chat}/messages"


@pytest.fixture
def chat(emulator: TeamSpiritEmulator) -> str:
    return emulator.add_chat("team").chat_id


@pytest.fixture
async def impatient(emulator: TeamSpiritEmulator) -> AsyncIterator[Adapter]:
    """For what hangs."""
    made = make_adapter(options_of(emulator, request_timeout_s=2.0))
    yield made
    await made.close()


def outbound(chat: str, text: str | RichText = "hello", **fields: Any) -> Outbound:
    said = plain(text) if isinstance(text, str) else text
    return Outbound(**{"token": "mbabcdef-1-0", "attempt": 1, "chat_id": chat, "text": said, **fields})


def file_of(path: Path, name: str, mime: str, kind: AttachmentKind) -> OutboundFile:
    attachment = Attachment(kind=kind, file_id="elsewhere", name=name, mime=mime)
    return OutboundFile(attachment=attachment, path=path, name=name, mime=mime, size_bytes=path.stat().st_size)


def seen(emulator: TeamSpiritEmulator, chat: str) -> SeenMessage:
    return emulator.transcript(chat)[-1]


async def test_a_message_with_everything(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    anna = emulator.add_person("Anna")
    first = await emulator.say(chat, "Anna", "question")
    text = RichText(
        (Paragraph((Text("bold", int(Mark.BOLD)), Text(" & "), Mention(MentionKind.USER, "anna", "Anna"), Text(" @all *x*"))),)
    )
    receipt = await adapter.send(
        outbound(
            chat,
            text=text,
            sender=Sender(name="Bert (Slack)", avatar_url="https://example.com/b.png"),
            reply=Reply(message_id=first),
            thread_id=first,
        )
    )
    shown = seen(emulator, chat)
    assert receipt.message_ids == (shown.message_id,)
    assert shown.html == '<b>bold</b> &amp; <span class="mention">@anna</span> @\u200ball *x*'
    assert (shown.author_name, shown.author_avatar_url) == ("Bert (Slack)", "https://example.com/b.png")
    assert (shown.reply_to, shown.thread_id) == (first, first)
    assert anna


async def test_edit_delete_react(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    assert isinstance(adapter, Edits)
    assert isinstance(adapter, Deletes)
    assert isinstance(adapter, Reacts)
    receipt = await adapter.send(outbound(chat))
    copy = Copy(chat_id=chat, message_ids=receipt.message_ids)
    assert (await adapter.edit(OutboundEdit(token="t", copy=copy, text=plain("there")))).message_ids == receipt.message_ids
    await adapter.react(OutboundReaction(copy=copy, wanted=("👍", "❤️"), added=("👍", "❤️")))
    await adapter.react(OutboundReaction(copy=copy, wanted=("❤️",), removed=("👍",)))
    shown = seen(emulator, chat)
    assert (shown.text, shown.edited, [reaction.emoji for reaction in shown.reactions]) == ("there", True, ["❤️"])
    with pytest.raises(Rejected):
        await adapter.react(OutboundReaction(copy=copy, wanted=(":party_parrot:",), added=(":party_parrot:",)))
    await adapter.delete(OutboundDelete(copy=copy))
    await adapter.delete(OutboundDelete(copy=copy))
    assert seen(emulator, chat).deleted
    with pytest.raises(Rejected):
        await adapter.edit(OutboundEdit(token="t", copy=copy, text=plain("too late")))


async def test_places_and_contacts_are_sent_and_changed_as_such(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    assert isinstance(adapter, Edits)
    there, elsewhere = Location(latitude=0.0, longitude=-0.5, title="Equator"), Location(latitude=1.0, longitude=2.0)
    somebody = Contact(name="Ivan", details=("Widgets", "calls back"))
    message = msgspec.structs.replace(outbound(chat), text=RichText(), location=there, contact=somebody)
    receipt = await adapter.send(message)
    (stored,) = emulator.world.state.chats[chat].messages
    assert (stored.text, stored.location) == ("", {"lat": 0.0, "lon": -0.5, "title": "Equator"})
    assert stored.contact == {"name": "Ivan", "note": "Widgets\ncalls back"}
    copy = Copy(chat_id=chat, message_ids=receipt.message_ids)
    await adapter.edit(OutboundEdit(token="t", copy=copy, text=RichText(), location=elsewhere))
    assert stored.location == {"lat": 1.0, "lon": 2.0}
    await adapter.edit(OutboundEdit(token="t", copy=copy, text=plain("words")))
    assert (stored.text, stored.location) == ("words", {"lat": 1.0, "lon": 2.0})


def test_a_dialect_that_does_not_say_how_has_places_as_lines() -> None:
    whole = TeamSpiritOptions.model_validate({"server": "https://im.example.com", "api_key": "k"})
    without = whole.model_copy(update={"overrides": {"operations": {"edit": {"json": {"location": None}}}}})
    for options, native in ((whole, True), (without, False)):
        known = capabilities(options)
        assert known.native(Feature.LOCATION) is native
        assert known.native(Feature.CONTACT)


async def test_files_both_ways(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, tmp_path: Path) -> None:
    assert isinstance(adapter, OpensFiles)
    assert isinstance(adapter, Edits)
    contents = {'фото "1".jpg': b"\xff\xd8" + b"j" * 5000, "song.ogg": b"o" * 100, "empty.txt": b""}
    kinds = (AttachmentKind.PHOTO, AttachmentKind.AUDIO, AttachmentKind.DOCUMENT)
    files = []
    for number, (name, content) in enumerate(contents.items()):
        path = tmp_path / str(number)
        path.write_bytes(content)
        files.append(file_of(path, name, ("image/jpeg", "audio/ogg", "text/plain")[number], kinds[number]))
    receipt = await adapter.send(outbound(chat, "caption", files=tuple(files)))
    shown = seen(emulator, chat)
    assert [file.name for file in shown.files] == ["фото '1'.jpg", "song.ogg", "empty.txt"]
    assert [file.kind for file in shown.files] == ["photo", "audio", "document"]
    for file, content in zip(shown.files, contents.values(), strict=True):
        assert emulator.file_bytes(file.file_id) == content
        async with adapter.open_file(Attachment(kind=AttachmentKind.DOCUMENT, file_id=file.file_id)) as stream:
            assert stream.size_bytes == len(content)
            assert b"".join([chunk async for chunk in stream.chunks]) == content
    copy = Copy(chat_id=chat, message_ids=receipt.message_ids)
    await adapter.edit(OutboundEdit(token="t", copy=copy, text=plain("other caption"), has_files=True))
    assert (seen(emulator, chat).text, len(seen(emulator, chat).files)) == ("other caption", 3)
    with pytest.raises(Rejected):
        async with adapter.open_file(Attachment(kind=AttachmentKind.DOCUMENT, file_id="f999")):
            pass


async def test_large_files_stream(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, tmp_path: Path) -> None:
    """The largest file there may be, 100 MiB. Neither way holds more than some chunks in memory."""
    assert isinstance(adapter, OpensFiles)
    path = tmp_path / "large"
    block = bytes(range(256)) * 4096
    digest = hashlib.sha256()
    with path.open("wb") as out:
        for _ in range(100):
            out.write(block)
            digest.update(block)
    file = file_of(path, "large.bin", "application/octet-stream", AttachmentKind.DOCUMENT)
    tracemalloc.start()
    await adapter.send(outbound(chat, files=(file,)))
    received = hashlib.sha256()
    async with adapter.open_file(Attachment(kind=AttachmentKind.DOCUMENT, file_id=seen(emulator, chat).files[0].file_id)) as stream:
        async for chunk in stream.chunks:
            received.update(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert received.hexdigest() == digest.hexdigest() == seen(emulator, chat).files[0].sha256
    assert peak < 24 * 1024**2, "the emulator's own buffer of 8 MiB included"


async def test_a_file_over_the_limit_is_refused(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, tmp_path: Path) -> None:
    emulator.world.rules.max_file_bytes = 1000
    (tmp_path / "f").write_bytes(b"x" * 2000)
    with pytest.raises(Rejected):
        await adapter.send(outbound(chat, files=(file_of(tmp_path / "f", "f", "text/plain", AttachmentKind.DOCUMENT),)))
    assert not emulator.transcript(chat)


async def test_a_cut_download_is_not_whole(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    assert isinstance(adapter, OpensFiles)
    await emulator.say(chat, "Anna", "", files=[Upload(name="a", mime="text/plain", content=b"x" * 4_000_000)])
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id=seen(emulator, chat).files[0].file_id)
    with pytest.raises(RetryLater):
        async with adapter.open_file(attachment) as stream:
            async for _ in stream.chunks:
                emulator._cut_connections()


async def test_downloads_follow_redirects_without_the_key(emulator: TeamSpiritEmulator, adapter: Adapter) -> None:
    """A file store on another server hears nothing of who we are."""
    heard: list[dict[str, str]] = []

    async def serve(request: web.Request) -> web.Response:
        heard.append(dict(request.headers))
        if request.path.endswith("/content"):
            raise web.HTTPFound(f"http://localhost:{port}/elsewhere")
        return web.Response(body=b"stored")

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    one = make_adapter(options_of(emulator, server=f"http://127.0.0.1:{port}"))
    assert isinstance(one, OpensFiles)
    async with one.open_file(Attachment(kind=AttachmentKind.DOCUMENT, file_id="f1")) as stream:
        assert b"".join([chunk async for chunk in stream.chunks]) == b"stored"
    assert ["Authorization" in headers for headers in heard] == [True, False]
    await one.close()
    await runner.cleanup()


async def test_a_full_disk_of_ours_is_not_the_networks_fault(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    assert isinstance(adapter, OpensFiles)
    await emulator.say(chat, "Anna", "", files=[Upload(name="a", mime="text/plain", content=b"x")])
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id=seen(emulator, chat).files[0].file_id)
    with pytest.raises(OSError, match="full"):
        async with adapter.open_file(attachment):
            raise OSError("disk full")


@pytest.mark.parametrize(
    ("fault", "error", "arrived"),
    [
        (Fault(kind=FaultKind.RATE_LIMIT, retry_after_s=7), RetryLater, False),
        (Fault(kind=FaultKind.RATE_LIMIT, retry_after_s=None), RetryLater, False),
        (Fault(kind=FaultKind.SERVER_ERROR, status=502), OutcomeUnknown, False),
        (Fault(kind=FaultKind.SERVER_ERROR_AFTER, status=500), OutcomeUnknown, True),
        (Fault(kind=FaultKind.HANG), OutcomeUnknown, False),
        (Fault(kind=FaultKind.HANG_AFTER), OutcomeUnknown, True),
        (Fault(kind=FaultKind.DROP), OutcomeUnknown, False),
        (Fault(kind=FaultKind.DROP_AFTER), OutcomeUnknown, True),
        (Fault(kind=FaultKind.UNAUTHORIZED), AccountDown, False),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Fault) else None,
)
async def test_faults_of_a_send_are_told_apart_and_resolved(
    emulator: TeamSpiritEmulator, impatient: Adapter, chat: str, fault: Fault, error: type[Exception], arrived: bool
) -> None:
    assert isinstance(impatient, Reconciles)
    started = datetime.now(UTC)
    emulator.inject(Fault(kind=fault.kind, operation=SEND, times=1, status=fault.status, retry_after_s=fault.retry_after_s))
    with pytest.raises(error) as caught:
        await impatient.send(outbound(chat))
    if isinstance(caught.value, RetryLater):
        assert caught.value.rate_limited
        assert (caught.value.after_s, caught.value.scope) == (fault.retry_after_s, Scope.ACCOUNT)
    assert list(emulator.calls()).count(SEND) == 1, "one attempt a call"
    assert len(emulator.transcript(chat)) == arrived
    if isinstance(caught.value, OutcomeUnknown):
        found = await impatient.reconcile(outbound(chat, attempt=2), started)
        assert (found is not None) == arrived
        again = await impatient.send(outbound(chat, attempt=2))
        assert found is None or found.message_ids == again.message_ids
    else:
        await impatient.send(outbound(chat, attempt=2))
    assert len(emulator.transcript(chat)) == 1


async def test_what_never_left_is_tried_again(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    await emulator.refuse_connections(True)
    with pytest.raises(RetryLater):
        await adapter.send(outbound(chat))
    await emulator.refuse_connections(False)
    await adapter.send(outbound(chat))


@pytest.mark.parametrize(
    "kind", [FaultKind.SERVER_ERROR, FaultKind.SERVER_ERROR_AFTER, FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.HANG]
)
async def test_what_can_be_repeated_is_no_unknown_outcome(
    emulator: TeamSpiritEmulator, impatient: Adapter, chat: str, kind: FaultKind, tmp_path: Path
) -> None:
    assert isinstance(impatient, Edits)
    assert isinstance(impatient, Deletes)
    assert isinstance(impatient, Reacts)
    copy = Copy(chat_id=chat, message_ids=(await impatient.send(outbound(chat))).message_ids)
    (tmp_path / "f").write_bytes(b"abc")
    file = file_of(tmp_path / "f", "f.txt", "text/plain", AttachmentKind.DOCUMENT)
    for attempt in (
        lambda: impatient.send(outbound(chat, token="mbabcdef-2-0", files=(file,))),
        lambda: impatient.edit(OutboundEdit(token="t", copy=copy, text=plain("x"))),
        lambda: impatient.react(OutboundReaction(copy=copy, wanted=("👍",), added=("👍",))),
        lambda: impatient.delete(OutboundDelete(copy=copy)),
    ):
        emulator.inject(Fault(kind=kind))
        with pytest.raises(RetryLater):
            await attempt()
        emulator.clear_faults()
        await attempt()
    assert [message.deleted for message in emulator.transcript(chat)] == [True, False]


async def test_reconciling_among_many_messages(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    assert isinstance(adapter, Reconciles)
    started = datetime.now(UTC)
    for number in range(150):
        await emulator.say(chat, "Anna", f"{number}")
    await adapter.send(outbound(chat, token="mbabcdef-1-0"))
    emulator.inject(Fault(kind=FaultKind.DROP_AFTER, operation=SEND, times=1))
    with pytest.raises(OutcomeUnknown):
        await adapter.send(outbound(chat, token="mbabcdef-2-0"))
    for number in range(150):
        await emulator.say(chat, "Anna", f"{number}")
    fresh = make_adapter(options_of(emulator))
    assert isinstance(fresh, Reconciles)
    for one in (adapter, fresh):
        found = await one.reconcile(outbound(chat, token="mbabcdef-2-0"), started)
        assert found is not None
        assert found.message_ids == (emulator.transcript(chat)[151].message_id,)
        assert await one.reconcile(outbound(chat, token="mbabcdef-3-0"), started) is None
    await fresh.close()


async def test_refusals_say_whom_they_concern(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    with pytest.raises(ChatDown) as down:
        await adapter.send(outbound("c999"))
    assert "bot" in down.value.action
    with pytest.raises(Rejected, match="4000 characters"):
        await adapter.send(outbound(chat, "x" * 4001))


@pytest.mark.parametrize("gone", ["answered", "thread", "both"])
async def test_what_a_message_answers_may_be_gone(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, gone: str) -> None:
    """It arrives all the same, once, with a line for what it answers, which an edit keeps."""
    thread, answered = [await emulator.say(chat, "Anna", text) for text in ("the thread", "the question")]
    for name, message_id in (("thread", thread), ("answered", answered)):
        if gone in (name, "both"):
            await emulator.delete(chat, message_id)
    reply = Reply(message_id=answered, author_name="Anna", excerpt="the question")
    receipt = await adapter.send(outbound(chat, "the answer", thread_id=thread, reply=reply))
    (shown,) = [message for message in emulator.transcript(chat) if "the answer" in message.text]
    words = shown.text.replace("\u2060", "")
    assert words == ("the answer" if gone == "thread" else "Anna: the question\nthe answer")
    assert (shown.reply_to == answered) is (gone == "thread")
    assert receipt.losses
    assert (shown.thread_id or "") == ("" if gone != "answered" else thread)
    assert isinstance(adapter, Edits)
    copy = Copy(chat_id=chat, message_ids=receipt.message_ids, thread_id=receipt.thread_id, adapter_data=receipt.adapter_data)
    await adapter.edit(OutboundEdit(token="t", copy=copy, text=plain("better"), reply=reply))
    (edited,) = [message for message in emulator.transcript(chat) if "better" in message.text]
    assert ("the question" in edited.text) is ("the question" in shown.text)


async def test_the_key_is_in_no_error_and_no_repr(emulator: TeamSpiritEmulator, chat: str) -> None:
    secret = "tsk_very_secret_indeed"
    adapter = make_adapter(options_of(emulator, api_key=secret))
    with pytest.raises(AccountDown) as caught:
        await adapter.send(outbound(chat))
    frames = [repr(caught.value), str(caught.value.__cause__), str(caught.value.__context__), repr(adapter.__dict__)]
    assert secret not in " ".join(frames)
    await adapter.close()


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a?b=c", "a#b", "%2e%2e", "a b", "ä", "../../me"])
async def test_no_id_leads_elsewhere(emulator: TeamSpiritEmulator, adapter: Adapter, name: str) -> None:
    """Whatever a chat is called, the call goes to that chat's messages."""
    state = emulator.world.state
    odd = state.new_chat("odd")
    state.chats[name] = state.chats.pop(odd.chat_id)
    odd.chat_id = name
    await adapter.send(outbound(name))
    assert emulator.calls()[-1] == SEND
    assert [message.text for message in odd.messages] == ["hello"]


async def test_a_dialect_that_does_not_fit_needs_a_human(emulator: TeamSpiritEmulator, intake: RecordingIntake) -> None:
    adapter = make_adapter(options_of(emulator, overrides={"base": "{{ account.server }}/other"}))
    with pytest.raises(AccountDown) as caught:
        await adapter.run(intake)
    assert "base" in caught.value.action
    await adapter.close()


async def test_status_typing_and_people(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    assert isinstance(adapter, SetsStatus)
    assert isinstance(adapter, ShowsTyping)
    assert isinstance(adapter, LooksUpPeople)
    await adapter.set_status("busy", "bridging")
    assert (emulator.world.state.bot.status, emulator.world.state.bot.status_text) == ("busy", "bridging")
    await adapter.show_typing(chat, None)
    assert emulator.calls()[-1] == "POST /chats/{chat}/typing"
    person = await adapter.person(emulator.add_person("Anna Petrova"))
    assert person is not None
    assert (person.name, person.username) == ("Anna Petrova", "anna_petrova")
    assert await adapter.person("u999") is None


async def test_history_reads_on_from_a_message(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    assert isinstance(adapter, ReadsHistory)
    first = await emulator.say(chat, "Anna", "first")
    ids = [await emulator.say(chat, "Anna", f"{number}") for number in range(130)]
    events = [event async for event in adapter.history(chat, first)]
    assert [getattr(event, "message_id", "") for event in events] == ids


async def test_probe_tells_what_is_wrong(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    items = {item.name: item for item in await adapter.probe([chat, "c999"])}
    assert items["identity"].ok
    assert "ASSUMED" in items["dialect"].detail
    assert items[f"chat {chat}"].ok
    assert not items["chat c999"].ok
    assert items["chat c999"].action
    assert "history" in items["receiving"].detail
    wrong = make_adapter(options_of(emulator, api_key="wrong"))
    identity = next(item for item in await wrong.probe([chat]) if item.name == "identity")
    assert not identity.ok
    assert "api_key" in identity.action
    await wrong.close()


async def test_sends_wait_for_nobody(emulator: TeamSpiritEmulator, adapter: Adapter) -> None:
    """A chat whose sends hang holds back no other chat."""
    slow, quick = emulator.add_chat("slow").chat_id, emulator.add_chat("quick").chat_id
    emulator.inject(Fault(kind=FaultKind.HANG, operation=SEND, times=1))
    hanging = asyncio.create_task(adapter.send(outbound(slow)))
    await eventually(lambda: SEND in emulator.calls())
    await adapter.send(outbound(quick, token="mbabcdef-2-0"))
    assert not hanging.done()
    hanging.cancel()
    await asyncio.wait({hanging})


@pytest.fixture
async def receiving(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> AsyncIterator[RecordingIntake]:
    intake = RecordingIntake(chats={chat})
    async with running(adapter, intake):
        yield intake


async def test_our_own_messages_come_back_as_ours(adapter: Adapter, receiving: RecordingIntake, chat: str) -> None:
    receipt = await adapter.send(outbound(chat, sender=Sender(name="Anna")))
    await receiving.until(lambda: bool(receiving.own()))
    assert receiving.own()[0].meta.delivery_id == "mbabcdef-1-0"
    assert getattr(receiving.own()[0], "message_id", "") == receipt.message_ids[0]
    assert not receiving.foreign()


async def test_abilities_and_capabilities_agree(adapter: Adapter) -> None:
    for feature, ability in (
        (Feature.EDIT, Edits),
        (Feature.DELETE, Deletes),
        (Feature.REACT, Reacts),
        (Feature.HISTORY, ReadsHistory),
        (Feature.RECONCILE, Reconciles),
        (Feature.TYPING, ShowsTyping),
        (Feature.STATUS, SetsStatus),
    ):
        assert adapter.capabilities.native(feature) == isinstance(adapter, ability), feature


async def test_refused_formatting_does_not_cost_the_words(emulator: TeamSpiritEmulator, adapter: Adapter, chat: str) -> None:
    bold = RichText((Paragraph((Text("so "), Text("bold", Mark.BOLD))),))
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=SEND, status=400, times=1))
    receipt = await adapter.send(outbound(chat, bold))
    assert (seen(emulator, chat).text, "<b>" in seen(emulator, chat).html) == ("so bold", False)
    assert Loss.FORMATTING_REFUSED in receipt.losses
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=SEND, status=400))
    before = len(emulator.calls())
    for text, asked in ((bold, 2), (plain("words"), 1)):
        with pytest.raises(Rejected):
            await adapter.send(outbound(chat, text))
        assert len(emulator.calls()) == before + asked
        before += asked
