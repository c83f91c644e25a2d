"""Files through each adapter's transport, against servers that stand still, break off, compress, or tell no length."""

from __future__ import annotations

import asyncio
import gzip
import time
from pathlib import Path
from typing import Any

import pytest

from adapters.common.transfers import Progress, open_watched
from bridge.model.errors import RetryLater
from bridge.model.events import Attachment, AttachmentKind
from tests.support.patience import PATIENCE_S
from tests.support.transports import (
    DOWNLOADING,
    UPLOADING,
    answering,
    discord,
    outbound,
    read,
    serving,
    standing_still,
    teamspirit,
)

CONTENT = b"the whole file, " * 5000


# -- uploads ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", UPLOADING)
async def test_an_upload_that_stands_still_is_over_soon_and_nothing_came_of_it(transport: Any, tmp_path: Path) -> None:
    """The limit for a whole transfer is an hour; a server that takes no more bytes is known much earlier, and it is known too that
    the message cannot have been posted."""
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(30_000_000))
    began_s = time.monotonic()
    async with serving(standing_still) as url, transport(url) as (upload, _):
        with pytest.raises(RetryLater):
            await upload(outbound(path))
    assert time.monotonic() - began_s < PATIENCE_S


async def test_progress_counts_as_long_as_something_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(1000))
    progress = Progress()
    with open_watched(outbound(path), progress) as file:
        async with progress.moving(0.15):
            for _ in range(10):
                await asyncio.sleep(0.05)
                file.read(100)
        assert not progress.is_torn


async def test_after_the_last_byte_the_wait_is_another(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(10))
    progress = Progress()
    with open_watched(outbound(path), progress) as file:
        async with progress.moving(0.1, answer_s=2):
            file.read()
            await asyncio.sleep(0.4)
        with pytest.raises(TimeoutError):
            async with progress.moving(0.1, answer_s=0.2):
                await asyncio.sleep(5)


# -- downloads ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", DOWNLOADING)
@pytest.mark.parametrize("length", [f"Content-Length: {len(CONTENT)}\r\n", "Transfer-Encoding: chunked\r\n", ""])
async def test_half_a_file_never_looks_whole(transport: Any, length: str) -> None:
    """Neither where the server told a length, nor where it sends chunks, nor where the body just ends with the connection."""
    half = CONTENT[: len(CONTENT) // 2]
    body = b"%x\r\n%s\r\n" % (len(half), half) if "chunked" in length else half
    async with serving(answering(length, body)) as url, transport(url) as (_, download):
        with pytest.raises(RetryLater):
            async with download(len(CONTENT)) as stream:
                await read(stream)


@pytest.mark.parametrize("transport", [discord, teamspirit])
async def test_a_compressed_body_is_measured_by_what_it_holds(transport: Any) -> None:
    """A server that compresses though it was asked not to: the length that it tells is not the file's."""
    packed = gzip.compress(CONTENT)
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n"
    async with serving(answering(head, packed)) as url, transport(url) as (_, download), download(len(CONTENT)) as stream:
        assert stream.size_bytes is None
        assert await read(stream) == CONTENT


@pytest.mark.parametrize("transport", DOWNLOADING)
async def test_a_body_of_no_told_length_is_taken_when_it_is_whole(transport: Any) -> None:
    async with serving(answering("", CONTENT)) as url, transport(url) as (_, download), download(len(CONTENT)) as stream:
        assert stream.size_bytes == len(CONTENT)
        assert await read(stream) == CONTENT


PAGE = b"<!doctype html><title>Sign in</title>"


@pytest.mark.parametrize("transport", [discord, teamspirit])
@pytest.mark.parametrize(
    ("kind", "mime", "size_bytes", "is_taken"),
    [
        (AttachmentKind.PHOTO, "image/jpeg", len(CONTENT), False),
        (AttachmentKind.PHOTO, "", None, False),
        (AttachmentKind.DOCUMENT, "application/pdf", len(PAGE), False),
        (AttachmentKind.DOCUMENT, "text/html", len(CONTENT), False),
        (AttachmentKind.DOCUMENT, "text/html; charset=utf-8", len(PAGE), True),
        (AttachmentKind.DOCUMENT, "application/octet-stream", len(CONTENT), False),
        (AttachmentKind.DOCUMENT, "", None, True),
    ],
)
async def test_a_web_page_is_no_picture(
    transport: Any, kind: AttachmentKind, mime: str, size_bytes: int | None, is_taken: bool
) -> None:
    """A login page, or a proxy's notice, with status 200."""
    attachment = Attachment(kind=kind, file_id="1", name="a", mime=mime, size_bytes=size_bytes)
    head = f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(PAGE)}\r\n"
    async with serving(answering(head, PAGE)) as url, transport(url) as (_, download):
        if is_taken:
            async with download(size_bytes, attachment) as stream:
                assert await read(stream) == PAGE
        else:
            with pytest.raises(RetryLater, match="a web page came instead of the file"):
                async with download(size_bytes, attachment):
                    pass


@pytest.mark.parametrize("transport", DOWNLOADING)
async def test_a_download_that_stands_still_is_over_soon(transport: Any) -> None:
    async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\n\r\n".encode() + CONTENT[:100])
        await writer.drain()

    began_s = time.monotonic()
    async with serving(stalls) as url, transport(url) as (_, download):
        with pytest.raises(RetryLater):
            async with download(len(CONTENT)) as stream:
                await read(stream)
    assert time.monotonic() - began_s < PATIENCE_S
