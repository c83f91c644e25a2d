"""Bounds the cost of outside callers for the public listener: connections, bytes and seconds.

- Connections are bounded, far below the process's descriptors. A new one replaces the one that has been idle longest, so that
  active callers get in.
- A request's headers and its body have 10 s each. Bodies are bounded one by one and together: when they are too many, the one that
  has been arriving longest is dropped, since an honest one arrives at once.
- Nothing is decompressed, and no answer names the server software or repeats the request.

aiohttp's server, narrowed. Called by `public` and `admin`.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http import RawRequestMessage

from bridge.web.stream import BoundedStream

HEADERS_S = 10.0
BODY_S = 10.0
MOST_BODY_BYTES = 1024**2
MOST_BYTES_IN_FLIGHT = 8 * 1024**2
_MOST_CONNECTIONS = 256
_RECEIVE_BYTES = 32 * 1024
"""The kernel's buffer of a connection, and so the most that arrives before anything is read."""
_BUSY_S = 5
_IDLE_S = 75.0
"""Longer than the usual idle time of a proxy's connections to us (nginx: 60 s), so that the proxy always closes first."""
_SILENT = logging.getLogger("bridge.web.strangers")
_SILENT.disabled = True
"""aiohttp logs a traceback for every malformed request; outside callers must not fill our log."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def most_connections() -> int:
    """The largest number of connections of outside callers: a quarter of the file descriptors at most."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(_MOST_CONNECTIONS, (1024 if soft == resource.RLIM_INFINITY else soft) // 4))


class Bodies:
    """All bodies that are being read or handled. Together they stay below `most_bytes`."""

    def __init__(self, most_bytes: int = MOST_BYTES_IN_FLIGHT) -> None:
        self._most_bytes = most_bytes
        self._coming: dict[int, StrangerRequest] = {}
        self.held_bytes = 0

    def begin(self, request: StrangerRequest) -> None:
        self._coming[id(request)] = request

    def take(self, request: StrangerRequest, size_bytes: int) -> bool:
        """Reserve room for more of one body; bodies that have been arriving for longer are dropped if necessary. False: no room."""
        while self.held_bytes + size_bytes > self._most_bytes:
            oldest = next((other for other in self._coming.values() if other is not request), None)
            if oldest is None:
                return False
            self.let_go(oldest)
        self.held_bytes += size_bytes
        return True

    def let_go_oldest(self) -> bool:
        """End the read that has lasted longest, and its connection. False: nothing is being read."""
        oldest = next(iter(self._coming.values()), None)
        if oldest is not None:
            self.let_go(oldest)
        return oldest is not None

    def let_go(self, request: StrangerRequest) -> None:
        self.came(request)
        request.let_go()

    def came(self, request: StrangerRequest) -> None:
        """The body is complete."""
        self._coming.pop(id(request), None)

    def free(self, size_bytes: int) -> None:
        self.held_bytes -= size_bytes


class StrangerRequest(web.Request):
    """A request whose body is read when the handler asks for it, and within bounds."""

    ATTRS = web.Request.ATTRS | frozenset({"bodies", "_body", "_size_bytes", "_is_expected", "_is_let_go"})
    bodies: Bodies
    _is_expected = False
    _is_let_go = False
    _size_bytes = 0

    async def read(self, most_bytes: int = MOST_BODY_BYTES) -> bytes:
        """The body. Raises HTTPRequestEntityTooLarge, HTTPRequestTimeout, HTTPServiceUnavailable; each closes the connection."""
        if (self.content_length or 0) > most_bytes:
            raise _closing(web.HTTPRequestEntityTooLarge(most_bytes, text="too large\n"))
        if self._read_bytes is None:
            self._body: bytearray | None = bytearray()
            self.bodies.begin(self)
            try:
                async with asyncio.timeout(BODY_S):
                    await self._receive(most_bytes)
                self._read_bytes = bytes(self._body or b"")
            except TimeoutError:
                raise _closing(web.HTTPRequestTimeout(text="too slow\n")) from None
            finally:
                self._body = None
                self.bodies.came(self)
        return self._read_bytes

    def stream(self, *, most_bytes: int, kept_bytes: int = 0, came: Callable[[], Awaitable[None]] | None = None) -> BoundedStream:
        """From now on `content`, `multipart` and `post` may read that much, in the time that a slow line needs for it. `read` keeps
        its own bounds. Only the first `kept_bytes` are kept in memory. Whoever keeps more counts it by `hold`. For `came` see
        `BoundedStream`."""

        async def begun() -> None:
            self.bodies.begin(self)
            await self._expect()

        bounds = {"most_bytes": most_bytes, "kept_bytes": kept_bytes}
        stream = BoundedStream(self._payload, **bounds, first_s=BODY_S, begun=begun, hold=self.hold, came=came)
        self._payload = stream  # type: ignore[assignment]  # all of StreamReader that aiohttp's request asks of it
        return stream

    async def _expect(self) -> None:
        if not self._is_expected and self.headers.get("Expect", "").lower() == "100-continue":
            await self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.writer.output_size = 0
        self._is_expected = True

    async def _receive(self, most_bytes: int) -> None:
        await self._expect()
        while piece := await self.content.readany():
            self.hold(len(piece))
            assert self._body is not None
            self._body += piece
            if len(self._body) > most_bytes:
                raise _closing(web.HTTPRequestEntityTooLarge(most_bytes, text="too large\n"))

    def hold(self, size_bytes: int) -> None:
        """Count what is kept in memory of the body, until the request is answered. Raises HTTPServiceUnavailable."""
        if self._is_let_go or not self.bodies.take(self, size_bytes):
            raise _closing(web.HTTPServiceUnavailable(text="busy\n", headers={"Retry-After": str(_BUSY_S)}))
        self._size_bytes += size_bytes

    def let_go(self) -> None:
        """Drop the body and the connection, since others need the space."""
        self._is_let_go = True
        self._body = None
        self.finished()
        if self.transport is not None:
            self.transport.abort()

    def _cancel(self, exc: BaseException) -> None:
        """Called by aiohttp when the connection is lost. A body that is whole stays readable."""
        if not self._payload.is_eof():
            super()._cancel(exc)

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        response.headers.pop("Server", None)  # it would name the versions of Python and aiohttp

    def finished(self) -> None:
        self.bodies.came(self)
        self.bodies.free(self._size_bytes)
        self._size_bytes = 0


class _Connection(web.RequestHandler):
    """Answers input that is no HTTP with one short response. aiohttp would repeat all of it, with the parser's error."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages and not isinstance(self._messages[-1][0], RawRequestMessage):
            # the connection is broken: each further packet would be kept, with its error, until the previous request is answered
            self._close = True
            current = self._current_request
            if current is not None and not current.content.is_eof() and self.transport is not None:
                self.transport.abort()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("a part of an answer was sent already")
        answer = web.Response(status=status, text="bad request\n" if status == 400 else "failed\n")
        answer.force_close()
        return answer


class Door(web.Server):
    """The server itself. `handler` sees a request once its headers are here."""

    def __init__(self, handler: Handler, *, most: int | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._bodies = Bodies()
        self._busy: set[web.RequestHandler] = set()
        self._expected: dict[web.RequestHandler, asyncio.TimerHandle] = {}
        self._most = most or most_connections()
        self._answer = handler

        def make(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> StrangerRequest:
            request = StrangerRequest(message, payload, protocol, writer, task, loop, client_max_size=MOST_BODY_BYTES)
            request.bodies = self._bodies
            return request

        super().__init__(
            self._handle,  # type: ignore[arg-type]
            request_factory=make,
            handler_cancellation=True,
            keepalive_timeout=_IDLE_S,
            lingering_time=1.0,
            auto_decompress=False,
            max_line_size=4096,
            max_field_size=4096,
            max_headers=64,
            read_bufsize=16 * 1024,
            access_log=None,
            logger=_SILENT,
        )

    @property
    def held_bytes(self) -> int:
        return self._bodies.held_bytes

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._connections) > self._most and not self._make_room(handler):
            transport.abort()
            return
        connected = transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        self._expected[handler] = self._loop.call_later(HEADERS_S, self._expect, handler)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        expected = self._expected.pop(handler, None)
        if expected is not None:
            expected.cancel()  # else it would keep the connection in memory
        super().connection_lost(handler, exc)

    def _make_room(self, newest: web.RequestHandler) -> bool:
        """End the connection that has been idle longest; if all are busy, the body that has been arriving longest."""
        for connection, transport in self._connections.items():
            is_gone = transport.is_closing() and not transport.get_write_buffer_size()  # otherwise its answer waits for a reader
            if connection is not newest and connection not in self._busy and not is_gone:
                transport.abort()
                return True
        return self._bodies.let_go_oldest()

    def _expect(self, connection: web.RequestHandler) -> None:
        self._expected.pop(connection, None)
        if connection in self._connections and not connection._request_count:
            connection.force_close()

    async def _handle(self, request: StrangerRequest) -> web.StreamResponse:
        connection = request.protocol
        self._busy.add(connection)
        try:
            return await self._answer(request)
        finally:
            self._busy.discard(connection)
            request.finished()
            if connection in self._connections:
                self._connections[connection] = self._connections.pop(connection)  # the first has been idle longest


def _closing(error: web.HTTPException) -> web.HTTPException:
    error.force_close()
    return error
