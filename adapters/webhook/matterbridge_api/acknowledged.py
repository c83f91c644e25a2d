"""Whether what was written to a reader has arrived: the kernel knows what the other side has not acknowledged.

matterbridge's API has no cursor that a reader could come back with. So what left this process counts as read only then: what was
under way when a connection broke is sent again. Behind a proxy it is the proxy that acknowledges."""

from __future__ import annotations

import fcntl
import struct
import termios
from typing import TYPE_CHECKING

from bridge.model.clock import Clock

if TYPE_CHECKING:
    import asyncio

    from aiohttp import web

_LONGEST_S = 30.0
_FIRST_S, _MOST_S = 0.002, 0.5


def unacknowledged_bytes(transport: asyncio.Transport) -> int:
    """Of what was written. 0 where the system does not say. Source: tcp(7), `SIOCOUTQ`."""
    waiting: int = transport.get_write_buffer_size()
    connected = transport.get_extra_info("socket")
    if waiting or connected is None:
        return waiting
    try:
        return int(struct.unpack("i", fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, struct.pack("i", 0)))[0])
    except OSError:
        return 0


async def acknowledged(request: web.Request, clock: Clock) -> None:
    """Returns once all that was written has arrived. Raises ConnectionError: the reader is gone, or does not read."""
    wait_s, waited_s = _FIRST_S, 0.0
    while True:
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the reader is gone")
        if not unacknowledged_bytes(transport):
            return
        if waited_s >= _LONGEST_S:
            transport.abort()
            raise ConnectionResetError("the reader does not read")
        await clock.sleep(wait_s)
        waited_s += wait_s
        wait_s = min(2 * wait_s, _MOST_S)
