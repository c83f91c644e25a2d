"""Whether what was written to a reader has arrived: the kernel knows what the other side has not acknowledged.

matterbridge's API has no cursor that a reader could come back with. So what left this process counts as read only then: what was
under way when a connection broke is sent again. A reader who has everything may close at once: the kernel is asked by a copy of the
descriptor, which outlives the connection's own. Behind a proxy it is the proxy that acknowledges."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bridge.model.clock import Clock
from bridge.model.tasks import end

if TYPE_CHECKING:
    from aiohttp import web

LONGEST_S = 30.0
_FIRST_S, _MOST_S = 0.002, 0.1
_CLOSED = 7
"""The state of a connection that the other side has reset. Source: Linux, include/net/tcp_states.h, `TCP_CLOSE`."""


def unacknowledged_bytes(transport: asyncio.Transport) -> int:
    """Of what was written. 0 where the system does not say."""
    connected = transport.get_extra_info("socket")
    return int(transport.get_write_buffer_size()) or (0 if connected is None else _waiting(connected.fileno()))


def _waiting(descriptor: int) -> int:
    """Source: tcp(7), `SIOCOUTQ`."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, struct.pack("i", 0)))[0])
    except OSError:
        return 0


class Line:
    """The connection of a request, also once it is lost."""

    def __init__(self, request: web.Request, connected: socket.socket | None) -> None:
        self._request = request
        self._connected = connected

    async def arrive(self, writing: Coroutine[Any, Any, object], clock: Clock) -> None:
        """Await `writing`, and return once all that was written has arrived. Raises ConnectionError: the reader is gone, or does
        not read."""
        done = asyncio.Event()
        task = asyncio.create_task(self._written(writing), name="write to a reader")
        task.add_done_callback(lambda _: done.set())
        try:
            if not await clock.wait(done, LONGEST_S):
                raise self._does_not_read()
            task.result()
        finally:
            if not task.done():
                await end([task])
        await self._acknowledged(clock)

    async def _written(self, writing: Coroutine[Any, Any, object]) -> None:
        await writing
        await self._request.writer.drain()  # all is the kernel's: see `line_of`

    async def _acknowledged(self, clock: Clock) -> None:
        wait_s, waited_s = _FIRST_S, 0.0
        while self._connected is not None and _waiting(self._connected.fileno()):
            if _is_reset(self._connected):
                raise ConnectionResetError("the reader is gone")
            if waited_s >= LONGEST_S:
                raise self._does_not_read()
            await clock.sleep(wait_s)
            waited_s += wait_s
            wait_s = min(2 * wait_s, _MOST_S)

    def _does_not_read(self) -> ConnectionError:
        if self._request.transport is not None:
            self._request.transport.abort()
        return ConnectionResetError("the reader does not read")


def _is_reset(connected: socket.socket) -> bool:
    try:
        return connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _CLOSED
    except (OSError, AttributeError):
        return False


@contextmanager
def line_of(request: web.Request) -> Iterator[Line]:
    """Raises ConnectionError."""
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the reader is gone")
    transport.set_write_buffer_limits(0)  # a writer then waits until the kernel has everything
    found = transport.get_extra_info("socket")
    connected = None if found is None else found.dup()
    try:
        yield Line(request, connected)
    finally:
        if connected is not None:
            connected.close()
        if not transport.is_closing():
            transport.set_write_buffer_limits()
