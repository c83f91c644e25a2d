"""What counts as having arrived."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.webhook.matterbridge_api.acknowledged import Line, line_of, unacknowledged_bytes
from bridge.model.clock import SYSTEM_CLOCK, Clock
from tests.support.clock import ManualClock
from tests.support.patience import eventually


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Any, socket.socket, Any]]:
    """A server's connection, its reader, and what stands for the request."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
    peer, _ = await asyncio.to_thread(listener.accept)
    try:
        yield writer, peer, SimpleNamespace(transport=writer.transport, writer=writer)
    finally:
        writer.transport.abort()
        peer.close()
        listener.close()


def arriving(request: Any, line: Line, size_bytes: int, clock: Clock = SYSTEM_CLOCK) -> asyncio.Task[None]:
    async def say() -> None:
        request.writer.write(b"x" * size_bytes)

    return asyncio.create_task(line.arrive(say(), clock))


async def read(peer: socket.socket, left: int) -> None:
    while left:
        left -= len(await asyncio.to_thread(peer.recv, 1_000_000))


async def test_a_reader_who_does_not_read_holds_it_up_until_it_does() -> None:
    async with connected() as (writer, peer, request):
        with line_of(request) as line:
            await arriving(request, line, 0)
            waiting = arriving(request, line, 8_000_000)
            await eventually(lambda: unacknowledged_bytes(writer.transport) > 0)
            await read(peer, 8_000_000)
            await waiting
            assert unacknowledged_bytes(writer.transport) == 0
            late = arriving(request, line, 8_000_000)
            await eventually(lambda: unacknowledged_bytes(writer.transport) > 0)
            peer.close()
            with pytest.raises(ConnectionError):
                await late
        with pytest.raises(ConnectionError), line_of(request):
            pass


async def test_nobody_is_waited_for_for_ever() -> None:
    async with connected() as (writer, _, request):
        with line_of(request) as line:
            clock = ManualClock()
            waiting = arriving(request, line, 50_000_000, clock)

            def passes() -> bool:
                clock.forward(1.0)
                return waiting.done()

            await eventually(passes)
            with pytest.raises(ConnectionError, match="does not read"):
                await waiting
            assert writer.transport.is_closing()
