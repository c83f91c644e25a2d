"""Files both ways in bounded memory; what happened while nobody listened."""

from __future__ import annotations

import asyncio
import hashlib
import resource
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault, Upload
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.operations import author_of
from adapters.discord.emulator.world import Permission
from bridge.model.adapter import Outbound, OutboundFile, Sender
from bridge.model.errors import FileHarmed, OutcomeUnknown, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.rich_text import plain, text_of
from tests.support.intake import RecordingIntake
from tests.support.patience import PATIENCE_S, eventually

from .conftest import Bench

MEBIBYTE = 1024**2


async def received_file(bench: Bench, adapter: DiscordAdapter, upload: Upload) -> Attachment:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "", files=[upload])
        (event,) = await eventually(intake.foreign)
    assert isinstance(event, MessageCreated)
    return event.content.attachments[0]


async def read_all(adapter: DiscordAdapter, attachment: Attachment) -> bytes:
    async with adapter.open_file(attachment) as stream:
        return b"".join([chunk async for chunk in stream.chunks])


@pytest.mark.parametrize(
    ("mime", "name", "kind", "expected"),
    [
        ("image/jpeg", "a.jpg", "", AttachmentKind.PHOTO),
        ("image/gif", "a.gif", "", AttachmentKind.ANIMATION),
        ("video/mp4", "a.mp4", "", AttachmentKind.VIDEO),
        ("audio/mpeg", "a.mp3", "", AttachmentKind.AUDIO),
        ("audio/ogg", "v.ogg", "voice", AttachmentKind.VOICE),
        ("application/pdf", "a.pdf", "", AttachmentKind.DOCUMENT),
        ("image/svg+xml", "a.svg", "", AttachmentKind.DOCUMENT),
    ],
)
async def test_files_of_every_kind_are_received(
    bench: Bench, adapter: DiscordAdapter, mime: str, name: str, kind: str, expected: AttachmentKind
) -> None:
    attachment = await received_file(bench, adapter, Upload(name=name, mime=mime, content=b"content", kind=kind))
    assert attachment.kind is expected
    assert await read_all(adapter, attachment) == b"content"


EMBED = {"embeds": ({"type": "rich", "title": "Load", "image": {"url": "attachment://graph.png"}},)}
GALLERY = {
    "flags": 1 << 15,
    "components": ({"type": 17, "components": [{"type": 12, "items": [{"media": {"url": "attachment://graph.png"}}]}]},),
}


@pytest.mark.parametrize("shown", [EMBED, GALLERY], ids=["embed", "gallery"])
async def test_a_picture_that_a_bot_shows_in_its_message_is_fetched(
    bench: Bench, adapter: DiscordAdapter, shown: dict[str, Any]
) -> None:
    """It is not among the files of the message, and its address expires as theirs do."""
    emulator, intake = bench.emulator, bench.intake()
    bot, channel = emulator.add_bot("Monitor"), emulator.world.channels[int(bench.chat)]
    file = emulator._attach(Upload(name="graph.png", mime="image/png", content=b"content"))
    emulator.cdn.lifetime_s = -1
    async with bench.running(adapter, intake):
        message = emulator.operations.post(channel, author=author_of(bot.user), attachments=(file,), **shown)
        (event,) = await eventually(intake.foreign)
    assert isinstance(event, MessageCreated)
    (picture,) = event.content.attachments
    assert (picture.kind, picture.name) == (AttachmentKind.PHOTO, "graph.png")
    emulator.cdn.lifetime_s = 60
    assert await read_all(bench.adapter(), picture) == b"content"
    emulator.operations.edit(channel, message, attachments=(), content="none any more", embeds=(), components=())
    with pytest.raises(Rejected):
        await read_all(adapter, picture)


async def test_a_file_is_found_after_a_restart_and_after_its_address_expired(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.cdn.lifetime_s = -10
    attachment = await received_file(bench, adapter, Upload(name="a.bin", mime="", content=b"x" * 1000))
    assert bench.emulator.base_url not in attachment.file_id
    bench.emulator.cdn.lifetime_s = 60
    restarted = bench.adapter()
    assert await read_all(restarted, attachment) == b"x" * 1000


async def test_a_file_that_is_gone_is_refused_for_good(bench: Bench, adapter: DiscordAdapter) -> None:
    attachment = await received_file(bench, adapter, Upload(name="a.bin", mime="", content=b"x"))
    (message,) = bench.emulator.transcript(bench.chat)
    await bench.emulator.delete(bench.chat, message.message_id)
    with pytest.raises(Rejected):
        await read_all(adapter, attachment)


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.RATE_LIMIT, FaultKind.DROP])
@pytest.mark.parametrize("operation", ["GET /attachments/*", "GET /channels/*"])
async def test_a_download_that_fails_now_is_tried_later(
    bench: Bench, adapter: DiscordAdapter, kind: FaultKind, operation: str
) -> None:
    attachment = await received_file(bench, adapter, Upload(name="a.bin", mime="", content=b"x"))
    bench.emulator.inject(Fault(kind=kind, operation=operation))
    with pytest.raises(RetryLater):
        await read_all(adapter, attachment)


async def test_a_truncated_download_never_looks_whole(bench: Bench, adapter: DiscordAdapter) -> None:
    attachment = await received_file(bench, adapter, Upload(name="a.bin", mime="", content=b"x" * MEBIBYTE))
    bench.emulator.inject(Fault(kind=FaultKind.SLOW_BODY, operation="GET /attachments/*", bytes_per_s=MEBIBYTE))
    with pytest.raises(RetryLater):
        async with adapter.open_file(attachment) as stream:
            async for _ in stream.chunks:
                await bench.emulator.refuse_connections(True)


async def test_the_callers_own_errors_pass_through_an_open_download(bench: Bench, adapter: DiscordAdapter) -> None:
    """A full disk is not Discord's fault."""
    attachment = await received_file(bench, adapter, Upload(name="a.bin", mime="", content=b"x"))
    with pytest.raises(OSError, match="disk full"):
        async with adapter.open_file(attachment):
            raise OSError("disk full")


async def test_a_large_file_travels_both_ways_in_bounded_memory(bench: Bench, adapter: DiscordAdapter, tmp_path: Path) -> None:
    size = 150 * MEBIBYTE
    path = tmp_path / "large.bin"
    block = bytes(range(256)) * 4096
    with path.open("wb") as out:
        for _ in range(size // len(block)):
            out.write(block)
    bench.emulator.world.file_limit_bytes = 200 * MEBIBYTE
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="", name=path.name)
    file = OutboundFile(attachment=attachment, path=path, name=path.name, mime="application/octet-stream", size_bytes=size)
    before = _peak_bytes()
    receipt = await adapter.send(_outbound(bench, "t", files=(file,)))
    message = bench.emulator.find(bench.chat, receipt.message_ids[0])[1]
    file_id = f"{bench.chat}/{message.id}/{message.attachments[0].id}"
    digest = hashlib.sha256()
    async with adapter.open_file(Attachment(kind=AttachmentKind.DOCUMENT, file_id=file_id)) as stream:
        assert stream.size_bytes == size
        async for chunk in stream.chunks:
            digest.update(chunk)
    assert digest.hexdigest() == message.attachments[0].sha256
    # emulator and adapter together, both in this process
    assert _peak_bytes() - before < 48 * MEBIBYTE


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _outbound(bench: Bench, text: str, **fields: object) -> Outbound:
    base = {"token": "t1", "attempt": 1, "chat_id": bench.chat, "text": plain(text), "sender": Sender(name="Anna")}
    return Outbound(**{**base, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.HANG_AFTER])
async def test_an_upload_that_stalls_ends_in_time_and_a_torn_one_posted_nothing(
    bench: Bench, tmp_path: Path, kind: FaultKind
) -> None:
    adapter = bench.adapter(request_timeout_s=2.0)
    await adapter.send(_outbound(bench, "warm up", token="t0"))
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(9 * MEBIBYTE))
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="")
    file = OutboundFile(attachment=attachment, path=path, name="large.bin", mime="", size_bytes=9 * MEBIBYTE)
    bench.emulator.inject(Fault(kind=kind, operation="POST /webhooks/*"))
    with pytest.raises(RetryLater if kind is FaultKind.HANG else OutcomeUnknown):
        await asyncio.wait_for(adapter.send(_outbound(bench, "", files=(file,))), PATIENCE_S)


async def test_a_file_that_vanished_from_the_spool_is_fetched_again(bench: Bench, adapter: DiscordAdapter, tmp_path: Path) -> None:
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="")
    file = OutboundFile(attachment=attachment, path=tmp_path / "gone", name="gone", mime="", size_bytes=1)
    with pytest.raises(FileHarmed):
        await adapter.send(_outbound(bench, "", files=(file,)))


async def test_a_sticker_is_a_file_of_the_cdn(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.post_raw(bench.chat, "Anna", stickers=({"id": "77", "name": "wave", "format_type": 1},))
        await bench.emulator.post_raw(bench.chat, "Anna", stickers=({"id": "78", "name": "spin", "format_type": 3},))
        await eventually(lambda: len(intake.events) == 2)
    png, lottie = (e.content.attachments[0] for e in intake.events if isinstance(e, MessageCreated))
    assert (png.kind, png.name, png.problem) == (AttachmentKind.STICKER, "wave.png", "")
    assert (await read_all(adapter, png)).startswith(b"\x89PNG")
    assert lottie.problem


async def test_a_forwarded_file_is_fetched_through_the_forwarding_message(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    elsewhere = bench.emulator.add_chat("elsewhere").chat_id
    async with bench.running(adapter, intake):
        upload = Upload(name="a.txt", mime="text/plain", content=b"forwarded")
        original = await bench.emulator.say(elsewhere, "Anna", "**look**", files=[upload])
        await bench.emulator.forward(elsewhere, original, "Boris", bench.chat)
        event = (await eventually(lambda: [e for e in intake.foreign() if e.meta.origin.chat_id == bench.chat]))[0]
    assert isinstance(event, MessageCreated)
    assert text_of(event.content.text) == "look"
    assert event.content.forwarded_from is not None
    assert event.content.forwarded_from.chat_name == "#elsewhere"
    assert await read_all(adapter, event.content.attachments[0]) == b"forwarded"


# -- catch-up -----------------------------------------------------------------------------------------------------------------


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
    monkeypatch.setattr("adapters.discord.receiver.random.uniform", lambda low, high: 0.01)
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
    monkeypatch.setattr("adapters.discord.receiver.random.uniform", lambda low, high: 0.01)
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
    monkeypatch.setattr("adapters.discord.receiver.random.uniform", lambda low, high: 0.01)
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
    monkeypatch.setattr("adapters.discord.receiver.random.uniform", lambda low, high: 0.01)
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
    monkeypatch.setattr("adapters.discord.receiver.random.uniform", lambda low, high: 0.01)
    intake = after_downtime
    await bench.emulator.say(bench.chat, "Anna", "missed")
    bench.emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="GET /channels/{channel}/messages"))
    monkeypatch.setattr("adapters.discord.catch_up.RETRY_S", 0.01)
    async with bench.running(adapter, intake):
        await eventually(lambda: intake.gaps)
        await bench.emulator.say(bench.chat, "Anna", "live")
        await eventually(lambda: "live" in intake.texts())
    assert [chat for chat, *_ in intake.gaps] == [bench.chat]


async def test_a_history_that_cannot_be_read_now_is_no_gap(
    bench: Bench, adapter: DiscordAdapter, after_downtime: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long Discord is away: what was missed is not given up for that."""
    monkeypatch.setattr("adapters.discord.receiver.random.uniform", lambda low, high: 0.01)
    monkeypatch.setattr("adapters.discord.catch_up.RETRY_S", 0.001)
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
    monkeypatch.setattr("adapters.discord.receiver.random.uniform", lambda low, high: 0.01)
    intake = after_downtime
    await bench.emulator.say(bench.chat, "Anna", "missed")
    bench.emulator.deny(bench.chat, Permission.READ_MESSAGE_HISTORY)
    async with bench.running(adapter, intake):
        await eventually(lambda: intake.gaps)
    assert "Read Message History" in intake.gaps[0][3]


async def test_history_gives_the_events_of_live_delivery(bench: Bench, adapter: DiscordAdapter) -> None:
    ids = [await bench.emulator.say(bench.chat, "Anna", f"{n}") for n in range(3)]
    found = [event async for event in adapter.history(bench.chat, ids[0])]
    assert [e.message_id for e in found if isinstance(e, MessageCreated)] == ids[1:]
    assert [e.meta.event_key for e in found] == [f"created:guild:{bench.chat}:{i}" for i in ids[1:]]


async def test_invalid_session_while_running_is_filled_from_history(
    bench: Bench, adapter: DiscordAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.receiver.random.uniform", lambda low, high: 0.2)
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "before")
        await eventually(intake.texts)
        await bench.emulator.disturb(StreamFault.INVALIDATE_SESSION)
        await bench.emulator.say(bench.chat, "Anna", "nobody listens")
        await eventually(lambda: "nobody listens" in intake.texts())
