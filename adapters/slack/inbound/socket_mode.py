"""Socket Mode: keeps one websocket to Slack, and two while Slack renews it, so that no event falls between them.

Frames go to a sink in the order of their arrival; the sink's owner acknowledges each when it is safely stored. slack_sdk's own
client is not used: it drops the old socket before the new one is open, reuses spent tickets and runs every frame in its own task.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
import structlog

from adapters.slack.inbound.connections import Connections, Readers
from adapters.slack.lenient import read
from adapters.slack.transport import Transport
from adapters.slack.wire import Frame
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.errors import AccountDown, ConnectionLost, DeliveryError

log = structlog.get_logger("slack")

Acknowledge = Callable[[], Awaitable[None]]
Sink = Callable[[bytes, Acknowledge], Awaitable[None]]
"""Takes an event callback's JSON, and how to acknowledge it. May wait: then nothing more is read."""

_HELLO_LIMIT_S = 15.0
_OLD_SOCKET_LIMIT_S = 30.0
_REOPEN_WAIT_S = 0.5
_REOPEN_MOST_S = 30.0
_PINGS = (aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG)


class _Socket:
    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.renew = asyncio.Event()
        self.reason = "Slack closed the connection"


@dataclass(frozen=True, slots=True)
class Hello:
    """Slack's greeting on a new connection: the app's id, and who reads it."""

    app_id: str
    readers: Readers


class SocketMode:
    """`on_hello` is called for each connection that is ready, `alive` for everything that Slack sends."""

    def __init__(
        self,
        transport: Transport,
        *,
        sink: Sink,
        on_hello: Callable[[Hello], None],
        on_unreadable: Callable[[bytes, str], Awaitable[None]],
        alive: Callable[[], None] = lambda: None,
        connections: Connections | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._clock = clock
        self._connections = connections or Connections(clock.monotonic_s)
        self._transport = transport
        self._sink = sink
        self._on_hello = on_hello
        self._on_unreadable = on_unreadable
        self._alive = alive
        self._unread: set[aiohttp.ClientWebSocketResponse] = set()
        """Sockets that are open and that no reader closes."""

    async def run(self) -> None:
        """Until cancelled. Raises ConnectionLost at the first moment without a socket (then something may have been missed),
        AccountDown, DeliveryError while connecting."""
        try:
            current = await self._open()
            await self._stay(current)
        finally:
            for ws in list(self._unread):
                await ws.close()

    async def greet(self) -> Readers:
        """Only ask who reads the app."""
        socket = await self._open()
        self._unread.discard(socket.ws)
        await socket.ws.close()
        return self._connections.readers

    async def _stay(self, current: _Socket) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                reader = group.create_task(self._read(current), name="slack socket reader")
                await _either(reader, self._renewal(current))
                if reader.done():
                    raise ConnectionLost(current.reason)
                opener = group.create_task(self._open_beside(), name="slack socket opener")
                await asyncio.wait({reader, opener}, return_when=asyncio.FIRST_COMPLETED)
                if reader.done():
                    raise ConnectionLost("the old connection ended before the new one was open")
                group.create_task(_close_later(current, reader), name="slack old socket")
                current = opener.result()

    async def _renewal(self, socket: _Socket) -> None:
        """Until Slack wants the socket renewed, or it is time to ask who else reads the app."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._connections.look_after_s):
                await socket.renew.wait()

    async def _open_beside(self) -> _Socket:
        """A new socket, tried for as long as the caller waits."""
        wait_s = _REOPEN_WAIT_S
        while True:
            try:
                return await self._open()
            except (DeliveryError, ConnectionLost) as error:
                log.warning("new socket not open yet", reason=error.reason)
            await self._clock.sleep(wait_s)
            wait_s = min(wait_s * 2, _REOPEN_MOST_S)

    async def _open(self) -> _Socket:
        ws = await self._transport.open_socket()
        ready = False
        try:
            async with asyncio.timeout(_HELLO_LIMIT_S):
                while (message := await ws.receive()).type in _PINGS:
                    await _answer(ws, message)
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionLost("Slack closed the connection before its hello")
            frame = read(message.data.encode(), Frame)
            if frame.type != "hello":
                raise ConnectionLost(f"Slack sent {frame.type} ({frame.reason}) instead of hello")
            ready = True
        except TimeoutError:
            raise ConnectionLost("Slack did not say hello") from None
        except msgspec.DecodeError:
            raise ConnectionLost("Slack's hello was not understood") from None
        finally:
            if not ready:
                await ws.close()
        readers = self._connections.opened(ws, frame.num_connections or 0)
        log.info("socket open", connections=readers.connections, ours=readers.ours)
        self._unread.add(ws)
        self._on_hello(Hello((frame.connection_info.app_id if frame.connection_info else None) or "", readers))
        return _Socket(ws)

    async def _read(self, socket: _Socket) -> None:
        self._unread.discard(socket.ws)
        try:
            async for message in socket.ws:
                self._alive()
                if message.type in _PINGS:
                    await _answer(socket.ws, message)
                elif message.type is aiohttp.WSMsgType.TEXT:
                    await self._frame(socket, message.data.encode())
        finally:
            await socket.ws.close()
            self._connections.over()

    async def _frame(self, socket: _Socket, raw: bytes) -> None:
        try:
            frame = read(raw, Frame)
        except msgspec.DecodeError as error:
            await self._on_unreadable(raw, f"socket frame: {error}")
            return
        match frame.type:
            case "disconnect":
                self._disconnect(socket, frame.reason or "")
            case "events_api":
                await self._sink(bytes(frame.payload), _acknowledger(socket.ws, frame.envelope_id or ""))
            case _:
                if frame.envelope_id:
                    await _acknowledger(socket.ws, frame.envelope_id)()

    def _disconnect(self, socket: _Socket, reason: str) -> None:
        if reason == "link_disabled":
            raise AccountDown(
                "Socket Mode is switched off for the app",
                action="switch Socket Mode on under Settings > Socket Mode",
                sends=True,
            )
        if reason == "too_many_websockets":
            raise ConnectionLost("Slack: too many connections of this app (10 at most)")
        log.info("socket is to be renewed", reason=reason)
        socket.reason = f"Slack asked for a new connection ({reason})"
        socket.renew.set()


async def _answer(ws: aiohttp.ClientWebSocketResponse, message: aiohttp.WSMessage) -> None:
    """Slack's ping is answered; its pong is the answer to ours."""
    if message.type is aiohttp.WSMsgType.PING:
        with contextlib.suppress(
            ConnectionError, aiohttp.ClientError, RuntimeError
        ):  # the reader is told what became of the socket
            await ws.pong(message.data)


def _acknowledger(ws: aiohttp.ClientWebSocketResponse, envelope_id: str) -> Acknowledge:
    async def acknowledge() -> None:
        try:
            await ws.send_str(msgspec.json.encode({"envelope_id": envelope_id}).decode())
        except (ConnectionError, aiohttp.ClientError, RuntimeError):
            # the socket is gone: Slack sends the event again, and it is recognised
            log.info("acknowledgement not sent", envelope=envelope_id)

    return acknowledge


async def _either(reader: asyncio.Task[None], other: Coroutine[Any, Any, Any]) -> None:
    """Returns when the reader has ended (its error is raised) or the other thing has happened."""
    waiter = asyncio.create_task(other, name="slack socket renewal")
    try:
        await asyncio.wait({reader, waiter}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()
    if reader.done():
        await reader


async def _close_later(socket: _Socket, reader: asyncio.Task[None]) -> None:
    """Slack closes a renewed socket itself; one that it forgets is closed by us."""
    await asyncio.wait({reader}, timeout=_OLD_SOCKET_LIMIT_S)
    await socket.ws.close()


async def who_reads(transport: Transport, connections: Connections) -> Readers:
    """Open a connection only to be greeted. What Slack sends on it before it is closed goes unacknowledged, and comes again
    elsewhere. Raises ConnectionLost, AccountDown, DeliveryError."""

    async def nothing(*_: Any) -> None:
        return

    mode = SocketMode(transport, sink=nothing, on_hello=lambda _: None, on_unreadable=nothing, connections=connections)
    return await mode.greet()
