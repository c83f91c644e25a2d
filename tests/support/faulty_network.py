"""Networks that fail, each in one way: real sockets, proxies and TLS servers on this machine, of no platform in particular.

A fault is an async context manager that gives the options of an account behind it: `server` (its platform's address), and what else
belongs to it (`proxy`, `ca_file`)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.network import Certificates, Serve, listening, pass_on, server_context

Options = dict[str, Any]
Fault = Callable[["Certificates"], AbstractAsyncContextManager[Options]]


# -- servers ------------------------------------------------------------------------------------------------------------------


async def _request(reader: asyncio.StreamReader) -> bytes:
    """A whole request: whatever is done with it afterwards may have come of it."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return head + (await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b"")


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def for_ever(*_: object) -> None:
    await asyncio.Event().wait()


async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    _reset(writer)


def _answer(status: str, body: bytes = b"", *head: str, content_type: str = "text/html") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", "Connection: close", *head]
    return "\r\n".join([*lines, "", ""]).encode() + body


# -- before the request left --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def nobody_listens(_: Certificates) -> AsyncIterator[Options]:
    with socket.socket() as held:  # bound and not listening: nobody else gets the port
        held.bind(("127.0.0.1", 0))
        yield {"server": f"http://127.0.0.1:{held.getsockname()[1]}"}


@asynccontextmanager
async def no_such_name(_: Certificates) -> AsyncIterator[Options]:
    yield {"server": "http://nowhere.invalid"}


@asynccontextmanager
async def nobody_takes_connections(_: Certificates) -> AsyncIterator[Options]:
    """A host that swallows what is sent to it: the listener's queue is full."""
    with contextlib.ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _number in range(8):
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield {"server": f"http://127.0.0.1:{listener.getsockname()[1]}", "request_timeout_s": 1.0}


def by_tls(name: str, *, trusted: bool) -> Fault:
    """A server with that certificate."""

    @asynccontextmanager
    async def fault(certificates: Certificates) -> AsyncIterator[Options]:
        certificate: Path = getattr(certificates, name)
        async with listening(for_ever, server_context(certificate)) as port:
            yield {"server": f"https://localhost:{port}", **({"ca_file": certificate} if trusted else {})}

    return fault


def instead_of_tls(serve: Serve) -> Fault:
    @asynccontextmanager
    async def fault(_: Certificates) -> AsyncIterator[Options]:
        async with listening(serve) as port:
            yield {"server": f"https://localhost:{port}"}

    return fault


async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(_answer("400 Bad Request"))
    await writer.drain()


# -- proxies ------------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def no_proxy_listens(certificates: Certificates) -> AsyncIterator[Options]:
    async with nobody_listens(certificates) as options:
        yield {"server": "https://im.example.invalid", "proxy": options["server"]}


def proxy_answers(status: str, *head: str, scheme: str = "https") -> Fault:
    """To CONNECT, or for http to the request itself."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(_answer(status, b"<html>", *head))
        await writer.drain()
        writer.close()

    return proxy_does(serve, scheme=scheme)


def proxy_does(serve: Serve, *, scheme: str = "https", **more: Any) -> Fault:
    @asynccontextmanager
    async def fault(_: Certificates) -> AsyncIterator[Options]:
        async with listening(serve) as port:
            yield {"server": f"{scheme}://im.example.invalid", "proxy": f"http://127.0.0.1:{port}", **more}

    return fault


async def hang_up_on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _request(reader)
    writer.close()


async def reset_on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _request(reader)
    _reset(writer)


async def speak_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _request(reader)
    writer.write(b"nonsense\r\n\r\n")
    await writer.drain()
    writer.close()


@asynccontextmanager
async def tunnel_to_another_certificate(certificates: Certificates) -> AsyncIterator[Options]:
    """As a proxy does that reads what is encrypted."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", behind)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(pass_on(reader, up_writer))
                tasks.create_task(pass_on(up_reader, writer))
        finally:
            up_writer.close()

    async with listening(for_ever, server_context(certificates.good)) as behind, listening(serve) as port:
        yield {"server": "https://localhost", "proxy": f"http://127.0.0.1:{port}"}


# -- after the request left ---------------------------------------------------------------------------------------------------


def server_does(serve: Serve, **more: Any) -> Fault:
    @asynccontextmanager
    async def fault(_: Certificates) -> AsyncIterator[Options]:
        async with listening(serve) as port:
            yield {"server": f"http://127.0.0.1:{port}", **more}

    return fault


def server_sends(raw: bytes) -> Fault:
    """After the whole request; then it hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(raw)
        await writer.drain()
        writer.close()

    return server_does(serve)


def server_answers(status: str, *head: str, body: bytes = b"<html>no</html>", content_type: str = "text/html") -> Fault:
    return server_sends(_answer(status, body, *head, content_type=content_type))


def broken_body(head: bytes) -> Fault:
    """An answer that ends before it says it does."""
    return server_sends(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head)


silent = server_does(for_ever, request_timeout_s=3.0)


@asynccontextmanager
async def tls_that_ends(certificates: Certificates) -> AsyncIterator[Options]:
    """The good certificate, a whole request, and no answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.close()

    async with listening(serve, server_context(certificates.good)) as port:
        yield {"server": f"https://localhost:{port}"}


class TurningProxy:
    """A proxy for http that serves `left` requests, and then asks whoever comes for another login."""

    def __init__(self, left: int) -> None:
        self.left = left

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if self.left <= 0:
            writer.write(_answer("407 Proxy Authentication Required", b"<html>", "Proxy-Authenticate: Basic"))
            writer.write_eof()
            while await reader.read(1 << 16):  # to hang up on what was not read would take the answer back
                pass
            writer.close()
            return
        self.left -= 1
        line, headers = head.split(b"\r\n", 1)
        method, target, _ = line.decode().split(" ")
        host, _, path = target.partition("://")[2].partition("/")
        name, _, port = host.partition(":")
        up_reader, up_writer = await asyncio.open_connection(name, int(port))
        is_socket = b"upgrade: websocket" in headers.lower()
        closing = "" if is_socket else "Connection: close\r\n"
        up_writer.write(f"{method} /{path} HTTP/1.1\r\n{closing}".encode() + headers)
        try:
            async with asyncio.TaskGroup() as tasks:
                asking = tasks.create_task(pass_on(reader, up_writer))
                await pass_on(up_reader, writer)
                asking.cancel()
        finally:
            up_writer.close()
