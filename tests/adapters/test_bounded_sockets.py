"""Calls are not redirected with what they carry, and a gateway's frames are bounded."""

from __future__ import annotations

import zlib
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.common.http_body import MOST_BYTES, AnswerTooDeep, AnswerTooLarge, RedirectRefused, no_redirects
from adapters.discord.inbound import gateway


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_call_follows_a_server_to_another(method: str, status: int) -> None:
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession(trace_configs=[no_redirects()]) as session:
        with pytest.raises(RedirectRefused):
            await session.request(method, server.make_url("/token/send"), data={"text": "secret"} if method == "POST" else None)
        assert heard == ["/token/send"]
        async with session.request(method, server.make_url("/own"), allow_redirects=False) as told:
            assert told.status == status


class Socket:
    """What the library's socket has that is bounded."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self._decompressor = SimpleNamespace(decompress=lambda data: data.decode())

    async def received_message(self, text: Any) -> None:
        self.seen.append(text)


async def test_frames_of_the_gateway_are_bounded() -> None:
    socket = Socket()
    gateway._bound_frames(cast("Any", socket))
    squeeze = zlib.compressobj()

    def frame(text: bytes) -> bytes:
        return squeeze.compress(text) + squeeze.flush(zlib.Z_SYNC_FLUSH)

    first = frame(b'{"op": 10}')
    await socket.received_message(first[:5])
    assert socket.seen == [], "a part of a frame"
    await socket.received_message(first[5:])
    await socket.received_message(frame(b'{"op": 11}'))
    await socket.received_message('{"op": 1}')
    assert socket.seen == ['{"op": 10}', '{"op": 11}', '{"op": 1}']
    with pytest.raises(AnswerTooDeep):
        await socket.received_message("[" * 100_000)
    with pytest.raises(AnswerTooDeep):
        await socket.received_message(frame(b"[" * 100_000))
    with pytest.raises(AnswerTooLarge):
        await socket.received_message(frame(b" " * (MOST_BYTES + 1)))
