"""Raw connections to a listener, and the handler behind it."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bridge.web.door import Door
from bridge.web.public import PublicWeb
from tests.support.patience import PATIENCE_S

KEY = "X-Key: right\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


class Hook:
    """A handler that reads no body without the key."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.asked = 0
        self.hold: asyncio.Event | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if request.headers.get("X-Key") != "right":
            return web.Response(status=401, text="wrong key, dear stranger")
        self.bodies.append(await request.read())
        if self.hold is not None:
            await self.hold.wait()
        return web.Response()


class Caller:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, text: str | bytes) -> None:
        self.writer.write(text.encode() if isinstance(text, str) else text)

    async def answer(self) -> bytes:
        """Everything until the server hangs up, or the whole of one answer; empty if it hung up without."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                head = await self.reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return b""
            lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            return head + (await self.reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b"")

    async def is_hung_up(self) -> bool:
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


def post(body: bytes = b"{}", path: str = "/hooks/team/events", head: str = KEY) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


def door_of(public: PublicWeb) -> Door:
    assert public._runner is not None
    server = public._runner.server
    assert isinstance(server, Door)
    return server
