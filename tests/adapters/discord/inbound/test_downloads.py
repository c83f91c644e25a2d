"""Files received: every kind, after a restart, and when the CDN does not serve them."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.operations import author_of
from bridge.model.errors import Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind, MessageCreated
from bridge.model.rich_text import text_of
from tests.adapters.discord.conftest import Bench
from tests.support.patience import eventually

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
    file = emulator.people.attach(Upload(name="graph.png", mime="image/png", content=b"content"))
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


async def test_a_sticker_is_a_file_of_the_cdn(bench: Bench, adapter: DiscordAdapter) -> None:
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.post_raw(bench.chat, "Anna", stickers=({"id": "77", "name": "wave", "format_type": 1},))
        await bench.emulator.post_raw(bench.chat, "Anna", stickers=({"id": "78", "name": "spin", "format_type": 3},))
        await eventually(lambda: len(intake.events) == 2)
    png, lottie = (e.content.attachments[0] for e in intake.events if isinstance(e, MessageCreated))
    assert (png.kind, png.name, png.problem) == (AttachmentKind.STICKER, "wave.png", "")
    assert (await read_all(adapter, png)).startswith(b"\x89PNG")
    assert (lottie.name, lottie.mime, lottie.problem) == ("spin.json", "application/json", "")


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
