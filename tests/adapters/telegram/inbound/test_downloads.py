"""Downloads: every kind of file, in bounded memory, and ends that come early."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from adapters.telegram.emulator import TelegramEmulator
from bridge.model.errors import AccountDown, Rejected, RetryLater
from bridge.model.events import AttachmentKind

MB = 1024**2


async def download(adapter: Any, attachment: Any) -> bytes:
    async with adapter.open_file(attachment) as stream:
        content = b"".join([chunk async for chunk in stream.chunks])
        assert stream.size_bytes in (None, len(content))
    return content


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
