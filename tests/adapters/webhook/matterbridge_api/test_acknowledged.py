"""What counts as having arrived."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.webhook.matterbridge_api.acknowledged import acknowledged, unacknowledged_bytes
from bridge.model.clock import SYSTEM_CLOCK
from tests.support.clock import ManualClock
from tests.support.patience import eventually


async def test_a_reader_who_does_not_read_holds_it_up_until_it_does() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
    peer, _ = await asyncio.to_thread(listener.accept)
    request: Any = SimpleNamespace(transport=writer.transport)
    await acknowledged(request, SYSTEM_CLOCK)
    writer.write(b"x" * 8_000_000)
    assert unacknowledged_bytes(cast("asyncio.Transport", writer.transport)) > 0
    waiting = asyncio.create_task(acknowledged(request, SYSTEM_CLOCK))
    left = 8_000_000
    while left:
        left -= len(await asyncio.to_thread(peer.recv, 1_000_000))
    await waiting
    assert unacknowledged_bytes(cast("asyncio.Transport", writer.transport)) == 0
    writer.write(b"x" * 8_000_000)
    late = asyncio.create_task(acknowledged(request, SYSTEM_CLOCK))
    peer.close()
    with pytest.raises(ConnectionError):
        await late
    listener.close()


async def test_nobody_is_waited_for_for_ever() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
    writer.write(b"x" * 50_000_000)
    clock = ManualClock()
    waiting = asyncio.create_task(acknowledged(cast("Any", SimpleNamespace(transport=writer.transport)), clock))

    def passes() -> bool:
        clock.forward(1.0)
        return waiting.done()

    await eventually(passes)
    with pytest.raises(ConnectionError, match="does not read"):
        await waiting
    assert writer.transport.is_closing()
    listener.close()
