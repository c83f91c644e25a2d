"""Response bodies of an emulator: files streamed from memory or disk, and any body slowed down or cut off on command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from adapters.common.emulation.contract import Fault, FaultKind

CHUNK_BYTES = 256 * 1024
_PIECES_PER_S = 20
_OWN_HEADERS = frozenset({"content-type", "content-length", "transfer-encoding", "date", "server"})

Chunks = Callable[[], Iterator[bytes]]


class Body(web.StreamResponse):
    """A response with a streamed body, whose size its headers announce. `bytes_per_s` and `cut_after_bytes` may be set until it is
    sent."""

    def __init__(
        self,
        chunks: Chunks,
        size_bytes: int,
        *,
        content_type: str = "application/octet-stream",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status=status, headers={"Content-Type": content_type, **(headers or {})})
        self.content_length = size_bytes
        self.bytes_per_s: float | None = None
        self.cut_after_bytes: int | None = None
        self._chunks = chunks

    @classmethod
    def of_file(cls, content: bytes | None, path: Path | None, *, content_type: str = "application/octet-stream") -> Body:
        """A file that is kept in memory, or on disk."""
        if content is not None:
            return cls(_pieces_of(content), len(content), content_type=content_type)
        assert path is not None, "a file lies somewhere"
        return cls(lambda: _read(path), path.stat().st_size, content_type=content_type)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send all of it. Raises ConnectionError when the client has disconnected, or the body is cut off."""
        writer = await super().prepare(request)
        if request.method != "HEAD":
            left = self.cut_after_bytes
            for piece in self._pieces():
                await self.write(piece if left is None else piece[:left])
                left = None if left is None else left - len(piece)
                if left is not None and left <= 0:
                    break
                if self.bytes_per_s is not None:
                    await asyncio.sleep(len(piece) / self.bytes_per_s)
            if self.cut_after_bytes is not None:
                if request.transport is not None:
                    request.transport.close()  # after what was written, so that exactly this much arrives
                raise ConnectionResetError("cut on command")
        await self.write_eof()
        return writer

    def _pieces(self) -> Iterator[bytes]:
        if self.bytes_per_s is None:
            yield from self._chunks()
            return
        most = max(1, int(self.bytes_per_s / _PIECES_PER_S))
        for chunk in self._chunks():
            for at in range(0, len(chunk), most):
                yield chunk[at : at + most]


def _pieces_of(content: bytes) -> Chunks:
    return lambda: (content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES))


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def disturbed(response: web.StreamResponse, fault: Fault) -> web.StreamResponse:
    """The same response with SLOW_BODY or CUT_BODY applied. One that has been sent already (a socket) is not changed."""
    if isinstance(response, web.Response) and not response.prepared:
        content = response.body if isinstance(response.body, bytes | bytearray) else b""
        headers = {name: value for name, value in response.headers.items() if name.lower() not in _OWN_HEADERS}
        content_type = response.headers.get("Content-Type", "application/octet-stream")
        response = Body(
            _pieces_of(bytes(content)), len(content), content_type=content_type, status=response.status, headers=headers
        )
    if isinstance(response, Body):
        if fault.kind is FaultKind.SLOW_BODY:
            response.bytes_per_s = fault.bytes_per_s
        else:
            response.cut_after_bytes = fault.after_bytes
    return response
