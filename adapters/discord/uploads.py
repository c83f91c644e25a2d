"""Files on their way up: a multipart form streamed from disk, watched so that a stall ends it and a torn upload is known as one.

Called by `transport` only. Source: API reference, "Uploading Files" (`payload_json` and `files[n]`).
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from bridge.contract import OutboundFile
from bridge.errors import Rejected

_LOOKS_PER_STALL = 4


class Upload:
    """One request's files. `is_torn` tells whether some of their bytes never left: then nothing can have been posted."""

    def __init__(self, payload: Mapping[str, Any], files: Sequence[OutboundFile]) -> None:
        self._payload = payload
        self._files = files
        self._handles: list[_WatchedFile] = []
        self._size_bytes = 0
        self.read_bytes = 0
        self.last_read_at_s = time.monotonic()

    @property
    def is_torn(self) -> bool:
        return self.read_bytes < self._size_bytes

    async def form(self) -> aiohttp.FormData:
        """Opens the files. Raises Rejected when one cannot be read."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("payload_json", msgspec.json.encode(self._payload).decode(), content_type="application/json")
        for number, file in enumerate(self._files):
            try:
                raw = await asyncio.to_thread(io.FileIO, file.path, "rb")
            except OSError as error:
                raise Rejected(f"the file to upload cannot be read: {type(error).__name__}") from None
            handle = _WatchedFile(raw, self)
            self._handles.append(handle)
            self._size_bytes += raw.seek(0, io.SEEK_END)
            raw.seek(0)
            name = file.name.replace('"', "_").replace("\r", "_").replace("\n", "_")
            form.add_field(f"files[{number}]", handle, filename=name, content_type=file.mime or "application/octet-stream")
        return form

    def close(self) -> None:
        for handle in self._handles:
            handle.close()

    @asynccontextmanager
    async def moving(self, stall_s: float) -> AsyncIterator[None]:
        """Raises TimeoutError once nothing has been read from the files for that long (nor answered, after the last byte)."""
        loop = asyncio.get_running_loop()
        self.last_read_at_s = time.monotonic()
        handle: asyncio.TimerHandle | None = None
        async with asyncio.timeout(stall_s) as deadline:

            def look() -> None:
                nonlocal handle
                deadline.reschedule(loop.time() + stall_s - (time.monotonic() - self.last_read_at_s))
                handle = loop.call_later(stall_s / _LOOKS_PER_STALL, look)

            look()
            try:
                yield
            finally:
                if handle is not None:
                    handle.cancel()


class _WatchedFile(io.BufferedReader):
    """Tells its upload what was read. Read by aiohttp in a worker thread; only plain numbers are set."""

    def __init__(self, raw: io.FileIO, upload: Upload) -> None:
        super().__init__(raw)
        self._upload = upload

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(size)
        self._upload.read_bytes += len(chunk)
        self._upload.last_read_at_s = time.monotonic()
        return chunk
