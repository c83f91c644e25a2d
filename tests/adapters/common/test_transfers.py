"""Files through each adapter's transport, against servers that stand still, break off, compress, or tell no length."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.common.transfers import Progress, open_watched
from adapters.registry import manifest
from bridge.contract import FileStream, OutboundFile
from bridge.errors import RetryLater
from bridge.events import Attachment, AttachmentKind

CONTENT = b"the whole file, " * 5000


# -- servers of no platform in particular -------------------------------------------------------------------------------------


@asynccontextmanager
async def serving(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> AsyncIterator[str]:
    writers = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await handle(reader, writer)

    server = await asyncio.start_server(one, "127.0.0.1", 0, limit=1 << 16)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in writers:
            writer.transport.abort()
        server.close()
        await server.wait_closed()


def answering(head: str, body: bytes) -> Any:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n{head}\r\n".encode() + body)
        await writer.drain()
        writer.close()

    return handle


async def standing_still(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")  # and not one byte of the body more than the buffers take


def outbound(path: Path) -> OutboundFile:
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="", name=path.name)
    return OutboundFile(attachment=attachment, path=path, name=path.name, mime="application/x-a", size_bytes=path.stat().st_size)


# -- the transports -----------------------------------------------------------------------------------------------------------

Upload = Callable[[OutboundFile], Any]
Download = Callable[[int | None], AbstractAsyncContextManager[FileStream]]


@asynccontextmanager
async def discord(url: str) -> AsyncIterator[tuple[Upload, Download]]:
    from adapters.discord.transport import Route, Transport

    transport = Transport(manifest("discord").options()(token="t", api_url=url, request_timeout_s=0.5))

    def upload(file: OutboundFile) -> Any:
        return transport.call(Route("POST", "/messages", "/messages"), json={}, files=[file], changes=True)

    yield upload, lambda stated_bytes: transport.download(f"{url}/file", stated_bytes)
    await transport.close()


@asynccontextmanager
async def teamspirit(url: str) -> AsyncIterator[tuple[Upload, Download]]:
    from adapters.teamspirit.encode import Request
    from adapters.teamspirit.transport import Transport

    options: Any = manifest("teamspirit").options()(server=url, api_key="k", request_timeout_s=0.5)
    transport = Transport(options.read_dialect, options)
    request = Request("upload", "POST", f"{url}/files", {}, (), multipart=())
    yield (
        lambda file: transport.upload(request, "file", file),
        lambda stated_bytes: transport.download(Request("download", "GET", f"{url}/file", {}, ()), stated_bytes),
    )
    await transport.close()


@asynccontextmanager
async def slack(url: str) -> AsyncIterator[tuple[Upload, Download]]:
    from adapters.slack.downloads import open_file
    from adapters.slack.transport import Transport

    options: Any = manifest("slack").options()(bot_token="b", app_token="a", api_url=url, request_timeout_s=0.5)
    transport = Transport(options)

    def download(stated_bytes: int | None) -> Any:
        file_id = f"F1 {url}/file"
        return open_file(transport, Attachment(kind=AttachmentKind.DOCUMENT, file_id=file_id, name="a", size_bytes=stated_bytes))

    yield lambda file: transport.upload(f"{url}/upload", file), download
    await transport.close()


@asynccontextmanager
async def telegram(url: str) -> AsyncIterator[tuple[Upload, Download]]:
    from adapters.telegram import encode
    from adapters.telegram.transport import Transport

    transport = Transport(manifest("telegram").options()(token="1:AAEmulated", base_url=url, request_timeout_s=0.5))

    def upload(file: OutboundFile) -> Any:
        document = encode.Upload(file, file.name)
        return transport.call(encode.Call("SendDocument", {"chat_id": 1, "document": document}, has_files=True))

    yield upload, lambda stated_bytes: transport.open_file("F1")
    await transport.close()


UPLOADING = [discord, teamspirit, slack, telegram]
DOWNLOADING = [discord, teamspirit, slack]


async def read(stream: FileStream) -> bytes:
    return b"".join([chunk async for chunk in stream.chunks])


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
    assert time.monotonic() - began_s < 5


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
    assert time.monotonic() - began_s < 5
