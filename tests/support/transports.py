"""Each adapter's transport as two functions (an upload and a download; a repeatable call and one that creates), and servers of no
platform in particular to try them on."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.common.conformance import Ask, NetworkCase
from adapters.common.http_errors import Effect
from adapters.registry import load_platform
from bridge.model.adapter import FileStream, OutboundFile
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.events import Attachment, AttachmentKind

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
        kind = "" if "Content-Type:" in head else "Content-Type: application/octet-stream\r\n"
        writer.write(f"HTTP/1.1 200 OK\r\n{kind}{head}\r\n".encode() + body)
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
Download = Callable[..., AbstractAsyncContextManager[FileStream]]


@asynccontextmanager
async def discord(url: str, **more: Any) -> AsyncIterator[tuple[Upload, Download]]:
    from adapters.discord.config import DiscordOptions
    from adapters.discord.transport import Route, Transport

    transport = Transport(DiscordOptions(token="t", api_url=url, request_timeout_s=2.0, **more), SYSTEM_CLOCK)

    def upload(file: OutboundFile) -> Any:
        return transport.call(Route("POST", "/messages", "/messages"), json={}, files=[file], effect=Effect.CREATES)

    yield upload, lambda stated_bytes, sent_as=None: transport.download(f"{url}/file", stated_bytes, sent_as=sent_as)
    await transport.close()


@asynccontextmanager
async def teamspirit(url: str, **more: Any) -> AsyncIterator[tuple[Upload, Download]]:
    from adapters.teamspirit.transport import Transport
    from adapters.teamspirit.wire import Request

    options: Any = load_platform("teamspirit").options()(server=url, api_key="k", request_timeout_s=2.0, **more)
    transport = Transport(options.read_dialect, options)
    request = Request("upload", "POST", f"{url}/files", {}, (), multipart=())
    yield (
        lambda file: transport.upload(request, "file", file),
        lambda stated_bytes, sent_as=None: transport.download(
            Request("download", "GET", f"{url}/file", {}, ()), stated_bytes, sent_as=sent_as
        ),
    )
    await transport.close()


@asynccontextmanager
async def slack(url: str, **more: Any) -> AsyncIterator[tuple[Upload, Download]]:
    from adapters.slack.inbound.downloads import Downloads
    from adapters.slack.transport import Transport

    options: Any = load_platform("slack").options()(bot_token="b", app_token="a", api_url=url, request_timeout_s=2.0, **more)
    transport = Transport(options)

    def download(stated_bytes: int | None) -> Any:
        file_id = f"F1 {url}/file"
        attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id=file_id, name="a", size_bytes=stated_bytes)
        return Downloads(transport, SYSTEM_CLOCK.monotonic_s).open(attachment)

    yield lambda file: transport.upload(f"{url}/upload", file), download
    await transport.close()


@asynccontextmanager
async def telegram(url: str, **more: Any) -> AsyncIterator[tuple[Upload, Download]]:
    from adapters.telegram.inbound.downloads import Downloads
    from adapters.telegram.transport import Transport
    from adapters.telegram.wire import Call
    from adapters.telegram.wire import Upload as Uploaded

    options: Any = load_platform("telegram").options()(token="1:AAEmulated", base_url=url, request_timeout_s=2.0, **more)
    transport = Transport(options)

    def upload(file: OutboundFile) -> Any:
        call = Call("SendDocument", {"chat_id": 1, "document": Uploaded(file, file.name)}, has_files=True)
        return transport.call(call, effect=Effect.CREATES)

    yield upload, lambda stated_bytes: Downloads(transport, options).open_file("F1")
    await transport.close()


UPLOADING = [discord, teamspirit, slack, telegram]
DOWNLOADING = [discord, teamspirit, slack]


async def read(stream: FileStream) -> bytes:
    return b"".join([chunk async for chunk in stream.chunks])


# -- calls --------------------------------------------------------------------------------------------------------------------

Calls = AsyncIterator[tuple[Ask, Ask]]


@asynccontextmanager
async def _telegram_calls(options: Any) -> Calls:
    from adapters.telegram.transport import Transport
    from adapters.telegram.wire import Call

    transport = Transport(options)
    async with _closing(transport):
        creating = functools.partial(transport.call, Call("SendMessage", {"chat_id": 1, "text": "a"}), effect=Effect.CREATES)
        yield functools.partial(transport.updates, offset=0, timeout_s=1, allowed=()), creating


@asynccontextmanager
async def _slack_calls(options: Any) -> Calls:
    from adapters.slack.transport import Transport

    transport = Transport(options)
    async with _closing(transport):
        creating = functools.partial(transport.call, "chat.postMessage", effect=Effect.CREATES)
        yield functools.partial(transport.call, "auth.test"), creating


@asynccontextmanager
async def _discord_calls(options: Any) -> Calls:
    from adapters.discord.transport import Route, Transport

    transport = Transport(options, SYSTEM_CLOCK)
    async with _closing(transport):
        creating = functools.partial(transport.call, Route("POST", "/m", "/m"), json={}, effect=Effect.CREATES)
        yield functools.partial(transport.call, Route("GET", "/m", "/m")), creating


@asynccontextmanager
async def _teamspirit_calls(options: Any) -> Calls:
    from adapters.teamspirit.transport import Transport
    from adapters.teamspirit.wire import Request

    transport = Transport(options.read_dialect, options)
    async with _closing(transport):
        sent = Request("send", "POST", f"{options.server}/m", {}, ())
        asked = Request("me", "GET", f"{options.server}/m", {}, ())
        yield functools.partial(transport.call, asked, Effect.IDEMPOTENT), functools.partial(transport.call, sent, Effect.CREATES)


@asynccontextmanager
async def _closing(transport: Any) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await transport.close()


NETWORK = {
    "telegram": NetworkCase(options=lambda url: {"token": "1:AAEmulated", "base_url": url}, calls=_telegram_calls),
    "slack": NetworkCase(options=lambda url: {"bot_token": "xoxb-b", "app_token": "xapp-a", "api_url": url}, calls=_slack_calls),
    "discord": NetworkCase(options=lambda url: {"token": "t", "api_url": url}, calls=_discord_calls),
    # a dialect's refusals may have any form: a 403 is the chat's there
    "teamspirit": NetworkCase(
        options=lambda url: {"server": url, "api_key": "k"}, calls=_teamspirit_calls, pages_are_foreign=False
    ),
}


def calls(case: NetworkCase, platform: str, server: str, **more: Any) -> AbstractAsyncContextManager[tuple[Ask, Ask]]:
    """A call that may be repeated and one that creates a message, through the platform's client library."""
    return case.calls(load_platform(platform).options()(**case.options(server), **more))
