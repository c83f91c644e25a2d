"""A body that is read piece by piece, for requests that are larger than what is kept in memory: bounded in bytes and in time.

It replaces aiohttp's StreamReader, so `request.content`, `request.multipart()` and `request.post()` read from it. After the first
seconds it must have a minimum average rate, as low as that of a bad line, so that nobody holds a connection with a few bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from aiohttp import StreamReader, web

SLOWEST_BYTES_PER_S = 16 * 1024

T = TypeVar("T")


class BoundedStream:
    """`begun` is called before the first byte, `came` once the last one was read: what it raises, the reader gets instead. Keeps
    the first `kept_bytes`, as `beginning`, and tells `hold` of them."""

    def __init__(
        self,
        source: StreamReader,
        *,
        most_bytes: int,
        first_s: float,
        begun: Callable[[], Awaitable[None]],
        kept_bytes: int = 0,
        hold: Callable[[int], None] = lambda _: None,
        came: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._source = source
        self._most_bytes = most_bytes
        self._first_s = first_s
        self._begun = begun
        self._kept_bytes = kept_bytes
        self._hold = hold
        self._came = came
        self._started_s: float | None = None
        self.beginning = bytearray()
        self.size_bytes = 0
        self.is_ended = False
        """Whether it was read to its end."""

    async def read(self, n: int = -1) -> bytes:
        if n >= 0:
            return await self._counted(await self._in_time(self._source.read(n)))
        pieces = []
        while piece := await self.readany():
            pieces.append(piece)
        return b"".join(pieces)

    async def readany(self) -> bytes:
        return await self._counted(await self._in_time(self._source.readany()))

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        return await self._counted(await self._in_time(self._source.readline(max_line_length=max_line_length)))

    async def readchunk(self) -> tuple[bytes, bool]:
        piece, is_end = await self._in_time(self._source.readchunk())
        return await self._counted(piece), is_end

    async def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        while piece := await self.read(n):
            yield piece

    async def iter_any(self) -> AsyncIterator[bytes]:
        while piece := await self.readany():
            yield piece

    def unread_data(self, data: bytes) -> None:
        if data:
            self.size_bytes -= len(data)
            self._source.unread_data(data)

    def at_eof(self) -> bool:
        return self._source.at_eof()

    def is_eof(self) -> bool:
        return self._source.is_eof()

    def exception(self) -> BaseException | None:
        return self._source.exception()

    def set_exception(self, exc: BaseException) -> None:
        """Called by aiohttp when the caller disconnected or the listener stops: readers end."""
        self._source.set_exception(exc)

    async def _counted(self, piece: bytes) -> bytes:
        """Raises what `_count` and `came` raise."""
        self._count(piece)
        if self.is_ended and self._came is not None:
            came, self._came = self._came, None
            await came()
        return piece

    def _count(self, piece: bytes) -> None:
        """Raises HTTPRequestEntityTooLarge, and what `hold` raises."""
        kept = len(self.beginning)
        if kept < self._kept_bytes and self.size_bytes <= kept:
            fresh = piece[kept - self.size_bytes :]  # the rest was read before, and put back
            fresh = fresh[: self._kept_bytes - kept]
            self._hold(len(fresh))
            self.beginning += fresh
        self.size_bytes += len(piece)
        if self.size_bytes > self._most_bytes:
            error = web.HTTPRequestEntityTooLarge(self._most_bytes, text="too large\n")
            error.force_close()
            raise error
        self.is_ended = self._source.at_eof()

    async def _in_time(self, reading: Awaitable[T]) -> T:
        """Raises HTTPRequestTimeout."""
        loop = asyncio.get_running_loop()
        if self._started_s is None:
            self._started_s = loop.time()
            await self._begun()
        left_s = self._started_s + self._first_s + self.size_bytes / SLOWEST_BYTES_PER_S - loop.time()
        try:
            async with asyncio.timeout(max(left_s, 0.0)):
                return await reading
        except TimeoutError:
            error = web.HTTPRequestTimeout(text="too slow\n")
            error.force_close()
            raise error from None
