"""Files both ways: kinds, fall-backs, limits, streaming in bounded memory, downloads that end early."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from adapters.telegram.emulator import TelegramEmulator
from bridge.model.adapter import OutboundDelete, OutboundFile
from bridge.model.errors import AccountDown, Rejected, RetryLater
from bridge.model.events import AttachmentKind
from tests.support.patience import PATIENCE_S

MB = 1024**2


async def download(adapter: Any, attachment: Any) -> bytes:
    async with adapter.open_file(attachment) as stream:
        content = b"".join([chunk async for chunk in stream.chunks])
        assert stream.size_bytes in (None, len(content))
    return content


@pytest.mark.parametrize(
    ("kind", "name", "mime", "shown"),
    [
        ("document", "a.pdf", "application/pdf", "document"),
        ("document", "a.gif", "image/gif", "document"),
        ("video", "a.mp4", "video/mp4", "video"),
        ("video", "a.webm", "video/webm", "document"),
        ("audio", "a.mp3", "audio/mpeg", "audio"),
        ("audio", "a.flac", "audio/flac", "document"),
        ("voice", "a.ogg", "audio/ogg", "voice"),
        ("voice", "a.wav", "audio/wav", "document"),
        ("animation", "a.gif", "image/gif", "animation"),
        ("animation", "a.mp4", "video/mp4", "animation"),
        ("video_note", "a.mp4", "video/mp4", "video"),
        ("sticker", "a.webp", "image/webp", "document"),
    ],
)
async def test_each_kind_goes_as_what_telegram_can_show(
    emulator: TelegramEmulator,
    chat: str,
    adapter: Any,
    say: Any,
    file: Callable[..., OutboundFile],
    kind: str,
    name: str,
    mime: str,
    shown: str,
) -> None:
    content = b"content of " + name.encode()
    facts = {"width": 20, "height": 10} if kind == "video_note" else {}
    await adapter.send(say("caption", files=(file(kind, name, mime, content, **facts),)))
    [seen] = emulator.transcript(chat)
    [one] = seen.files
    assert (one.kind, one.sha256, seen.text) == (shown, hashlib.sha256(content).hexdigest(), "caption")
    assert one.name == name


async def test_stickers_without_words_stay_stickers(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any
) -> None:
    receipt = await adapter.send(say("", files=(file("sticker", "a.webp", "image/webp", b"webp", emoji="👍"),)))
    [seen] = emulator.transcript(chat)
    assert seen.files[0].kind == "sticker"
    assert receipt.adapter_data.startswith("none:")


@pytest.mark.parametrize(("width", "height", "kind"), [(100, 100, "photo"), (10_000, 400, "document"), (2100, 100, "document")])
async def test_pictures_that_are_no_photos_for_telegram_go_as_documents(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any, png: Any, width: int, height: int, kind: str
) -> None:
    picture = png(width, height)
    known = file("photo", "a.png", "image/png", picture, width=width, height=height)
    unknown = file("photo", "a.png", "image/png", picture)
    await adapter.send(say("", files=(known,)))
    receipt = await adapter.send(say("", files=(unknown,)))
    assert [seen.files[0].kind for seen in emulator.transcript(chat)] == [kind, kind]
    assert bool(receipt.losses) == (kind == "document")


async def test_what_only_claims_to_be_a_picture_still_arrives(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any, png: Any
) -> None:
    await adapter.send(say("one", files=(file("photo", "a.png", "image/png", b"no picture"),)))
    mixed = (file("photo", "a.png", "image/png", b"no picture"), file("photo", "b.png", "image/png", png(9, 9)))
    await adapter.send(say("album", files=mixed))
    one, album = emulator.transcript(chat)
    assert [shown.kind for shown in (*one.files, *album.files)] == ["document"] * 3
    assert (one.text, album.text) == ("one", "album")


async def test_files_of_different_kinds_share_an_album_as_documents(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any, png: Any
) -> None:
    files = (file("photo", "a.png", "image/png", png(9, 9)), file("document", "b.pdf", "application/pdf", b"pdf"))
    receipt = await adapter.send(say("both", files=files))
    assert len(receipt.message_ids) == 2
    [seen] = emulator.transcript(chat)
    assert [shown.name for shown in seen.files] == ["a.png", "b.pdf"]


async def test_strange_names_stay_names(emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any) -> None:
    name = 'отчёт "final"; name=x\\y.txt'
    await adapter.send(say("", files=(file("document", name, "text/plain", b"x"),)))
    [seen] = emulator.transcript(chat)
    assert seen.files[0].name == "отчёт 'final'; name=x_y.txt"
    await adapter.send(say("", files=(file("document", "a\r\nX-Evil: 1\r\n\r\n.txt", "text/plain\r\nX: y", b"x"),)))
    assert emulator.transcript(chat)[-1].files[0].name == "aX-Evil: 1.txt"


@pytest.mark.parametrize(
    ("kind", "name", "mime"),
    [
        (AttachmentKind.DOCUMENT, "report.pdf", "application/pdf"),
        (AttachmentKind.PHOTO, "picture.png", "image/png"),
        (AttachmentKind.VIDEO, "clip.mp4", "video/mp4"),
        (AttachmentKind.AUDIO, "song.mp3", "audio/mpeg"),
        (AttachmentKind.VOICE, "voice.ogg", "audio/ogg"),
        (AttachmentKind.ANIMATION, "loop.gif", "image/gif"),
    ],
)
async def test_files_from_people(
    emulator: TelegramEmulator,
    chat: str,
    adapter: Any,
    intake: Any,
    receiving: Any,
    png: Any,
    kind: AttachmentKind,
    name: str,
    mime: str,
) -> None:
    content = png(30, 20) if kind is AttachmentKind.PHOTO else b"bytes of " + name.encode()
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "look", files=[Upload(name=name, mime=mime, content=content)])
        await intake.until(lambda: intake.events)
        [attachment] = intake.events[0].content.attachments
        assert attachment.kind is kind
        assert attachment.size_bytes == len(content)
        assert await download(adapter, attachment) == content
    if kind is AttachmentKind.DOCUMENT:
        assert (attachment.name, attachment.mime) == (name, mime)


async def test_a_file_telegram_does_not_hand_out_says_so_at_once(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "", files=[Upload(name="big.bin", mime="application/x-big", content=bytes(20 * MB + 1))])
        await intake.until(lambda: intake.events)
    [attachment] = intake.events[0].content.attachments
    assert "20 MB" in attachment.problem
    with pytest.raises(Rejected, match="too big"):
        await download(adapter, attachment)


async def received(emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any, content: bytes) -> Any:
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "", files=[Upload(name="a.bin", mime="application/x-a", content=content)])
        await intake.until(lambda: intake.events)
    return intake.events[0].content.attachments[0]


@pytest.mark.parametrize(
    ("kind", "operation", "expected"),
    [
        (FaultKind.RATE_LIMIT, "getFile", RetryLater),
        (FaultKind.SERVER_ERROR, "getFile", RetryLater),
        (FaultKind.DROP, "getFile", RetryLater),
        (FaultKind.UNAUTHORIZED, "getFile", AccountDown),
        (FaultKind.SERVER_ERROR, "file", RetryLater),
        (FaultKind.DROP, "file", RetryLater),  # aiohttp asks once more when a kept connection breaks on a GET
    ],
)
async def test_downloads_that_fail_are_tried_later(
    emulator: TelegramEmulator,
    chat: str,
    adapter: Any,
    intake: Any,
    receiving: Any,
    kind: FaultKind,
    operation: str,
    expected: type[Exception],
) -> None:
    attachment = await received(emulator, chat, adapter, intake, receiving, b"x" * 1000)
    emulator.inject(Fault(kind=kind, operation=operation))
    with pytest.raises(expected):
        await download(adapter, attachment)
    emulator.clear_faults()
    assert await download(adapter, attachment) == b"x" * 1000


async def test_a_truncated_download_never_looks_whole(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    attachment = await received(emulator, chat, adapter, intake, receiving, b"x" * 100_000)
    stored = emulator.world.files.get(attachment.file_id)
    assert stored is not None
    stored.content = b"x" * 60_000  # the server's copy is shorter than what it told
    with pytest.raises(RetryLater, match="60000 of 100000"):
        await download(adapter, attachment)


async def test_uploads_and_downloads_are_streamed(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any, say: Any, file: Any
) -> None:
    size = 40 * MB
    big = file("document", "big.bin", "application/octet-stream", b"")
    with big.path.open("wb") as out:
        out.truncate(size)
    big = msgspec.structs.replace(big, size_bytes=size)
    attachment = await received(emulator, chat, adapter, intake, receiving, b"x")
    stored = emulator.world.files.get(attachment.file_id)
    assert stored is not None
    stored.content, stored.path, stored.size_bytes = None, big.path, 19 * MB
    with stored.path.open("r+b") as out:
        out.truncate(size)
    tracemalloc.start()
    try:
        await adapter.send(say("", files=(big,)))
        with big.path.open("r+b") as out:
            out.truncate(19 * MB)
        async with adapter.open_file(attachment) as stream:
            total = 0
            async for chunk in stream.chunks:
                total += len(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 19 * MB
    # the emulator keeps up to 8 MB of an upload in memory before it goes to disk
    assert peak < 24 * MB


async def test_a_local_server_hands_out_large_files_from_its_disk(
    tmp_path: Path, make_adapter: Any, intake: Any, receiving: Any
) -> None:
    emulator = TelegramEmulator(local=True)
    await emulator.start()
    try:
        chat = emulator.add_chat("Local").chat_id
        adapter = make_adapter(**emulator.account_options())
        assert adapter.capabilities.limits.download_bytes is None
        content = bytes(21 * MB)
        attachment = await received(emulator, chat, adapter, intake, receiving, content)
        assert attachment.problem == ""
        assert await download(adapter, attachment) == content
    finally:
        await emulator.stop()


async def test_a_slow_upload_is_not_cut_while_it_moves(make_adapter: Any, say: Any, file: Any) -> None:
    """The wait for the answer begins when the body is written."""
    total = 0

    async def read_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal total
        started = asyncio.get_running_loop().time()
        tail = b""
        async with asyncio.timeout(PATIENCE_S):
            while not tail.endswith(b"\r\n0\r\n\r\n"):  # the end of a chunked body
                chunk = await reader.read(1 << 18)
                total += len(chunk)
                tail = (tail + chunk)[-16:]
                await asyncio.sleep(0.05)
        assert asyncio.get_running_loop().time() - started > 4.2, "longer than the wait for an answer, which is 4 s"
        body = b'{"ok":true,"result":{"message_id":7}}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(read_slowly, "127.0.0.1", 0, limit=1 << 18)
    adapter = make_adapter(base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", request_timeout_s=4.0)
    content = b"x" * (24 * MB)
    receipt = await adapter.send(say("", files=(file("document", "a.bin", "application/x-a", content),)))
    assert receipt.message_ids == ("7",)
    assert total > len(content)
    server.close()
    await server.wait_closed()


async def test_an_upload_that_is_never_answered_ends(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, say: Any, file: Any, copy_of: Any
) -> None:
    adapter = make_adapter(request_timeout_s=2.0)
    outbound = say("", files=(file("document", "a.bin", "application/x-a", b"x" * 1000),))
    copy = copy_of(outbound, await adapter.send(outbound))
    await adapter.delete(OutboundDelete(copy=copy))
    emulator.inject(Fault(kind=FaultKind.HANG, operation="sendDocument", times=1))
    with pytest.raises(Exception, match="no answer in time"):
        await asyncio.wait_for(adapter.send(outbound), PATIENCE_S)


async def test_a_file_that_is_unavailable_for_the_moment_is_tried_again(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    attachment = await received(emulator, chat, adapter, intake, receiving, b"content")
    stored = emulator.world.files._by_id.pop(attachment.file_id)
    with pytest.raises(RetryLater, match="temporarily unavailable"):
        await download(adapter, attachment)
    emulator.world.files._by_id[attachment.file_id] = stored
    assert await download(adapter, attachment) == b"content"


async def test_a_servers_path_that_leads_elsewhere_is_not_followed(
    tmp_path: Path, emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any, make_adapter: Any
) -> None:
    attachment = await received(emulator, chat, adapter, intake, receiving, b"content")
    stored = emulator.world.files.get(attachment.file_id)
    assert stored is not None
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"content")
    for path in (str(secret), "../secret", f"http://127.0.0.1{secret}", f"/srv/{emulator.token}/../{secret}"):
        stored.file_path = path
        with pytest.raises(Rejected):
            await download(adapter, attachment)
    local = make_adapter(local_server=True)
    for path in (str(secret), f"/srv/{emulator.token}/../../..{secret}", "documents/file_1.txt"):
        stored.file_path = path
        with pytest.raises(Rejected):
            await download(local, attachment)
