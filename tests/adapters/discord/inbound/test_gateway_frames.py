"""A gateway's frames are bounded in bytes, also after decompression, and in nesting."""

from __future__ import annotations

import zlib
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.common.http_body import MOST_BYTES, AnswerTooDeep, AnswerTooLarge
from adapters.discord.inbound import gateway


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
