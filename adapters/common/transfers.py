"""File transfers of adapters: uploads that are watched for a stall, and the expected length of a download's body.

A large file may take any time while it makes progress. A stalled upload ends soon, and so does one whose file on disk is not as it
was fetched (`files`). Used by the platforms' transports."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from adapters.common.files import CheckedFile, harm_in
from adapters.common.http_errors import TRANSPORT_ERRORS, classify_transfer_error
from bridge.model.adapter import OutboundFile
from bridge.model.errors import RetryLater
from bridge.model.events import Attachment, AttachmentKind

CHUNK_BYTES = 256 * 1024
"""How much of a file is held in memory at a time."""
AS_IT_IS = {"Accept-Encoding": "identity"}
"""Headers of a download: a compressed body has another length than the file, and files gain little by it."""

_LOOKS_PER_STALL = 4
_PAGES = ("text/html", "application/xhtml+xml")
_ANYTHING = "application/octet-stream"


class Progress:
    """How much of an upload's files has been read, and when last. Worker threads set it too; it has only plain numbers."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self.read_bytes = 0
        self._last_at_s = time.monotonic()

    @property
    def is_torn(self) -> bool:
        """Whether some bytes were never sent: then the upload cannot have had an effect."""
        return self.read_bytes < self.size_bytes

    def note(self, count_bytes: int) -> None:
        self.read_bytes += count_bytes
        self._last_at_s = time.monotonic()

    @asynccontextmanager
    async def moving(self, stall_s: float, *, answer_s: float | None = None) -> AsyncIterator[None]:
        """Raises TimeoutError once nothing has been read for `stall_s`, or nothing answered within `answer_s` (default: as long)
        after the last byte; FileHarmed for whatever the request made of that."""
        loop = asyncio.get_running_loop()
        self._last_at_s = time.monotonic()
        handle: asyncio.TimerHandle | None = None
        async with asyncio.timeout(stall_s) as deadline:

            def look() -> None:
                nonlocal handle
                patience_s = stall_s if self.is_torn or answer_s is None else answer_s
                deadline.reschedule(loop.time() + patience_s - (time.monotonic() - self._last_at_s))
                handle = loop.call_later(stall_s / _LOOKS_PER_STALL, look)

            look()
            try:
                yield
            except Exception as error:
                if harmed := harm_in(error):
                    raise harmed from None
                raise
            finally:
                if handle is not None:
                    handle.cancel()


class WatchedFile(io.BufferedReader):
    """A file that reports to its upload how much was read. aiohttp reads it in a worker thread."""

    def __init__(self, raw: CheckedFile, progress: Progress) -> None:
        super().__init__(raw)
        self._progress = progress

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(size)
        self._progress.note(len(chunk))
        return chunk


def open_watched(file: OutboundFile, progress: Progress) -> WatchedFile:
    """Open a file for an upload (blocking: call it in a thread). Its size counts into `progress.size_bytes`. Raises FileHarmed, and
    so does reading."""
    raw = CheckedFile(file)
    progress.size_bytes += file.size_bytes
    return WatchedFile(raw, progress)


def open_again(file: OutboundFile, progress: Progress) -> WatchedFile:
    """The same for another attempt of the same upload, none of which was sent yet."""
    return WatchedFile(CheckedFile(file), progress)


def body_bytes(response: aiohttp.ClientResponse, stated_bytes: int | None) -> int | None:
    """How many bytes the body of a download must have, if known: as many as the server announces; if the body ends only with the
    connection, as many as were stated before (a chunked body marks its own end)."""
    if "Content-Encoding" in response.headers:
        return None
    if response.content_length is not None:
        return response.content_length
    is_chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    return None if is_chunked else stated_bytes or None


def check_is_no_page(answer: aiohttp.ClientResponse, attachment: Attachment | None) -> None:
    """Raises RetryLater for a web page where a message has something else: a login page, a proxy's notice, an error with 200.
    A document may be a page; then its length says whether it is the one."""
    if attachment is None or answer.content_type not in _PAGES:
        return
    said = attachment.mime.partition(";")[0].strip().lower()
    may_be_one = attachment.kind is AttachmentKind.DOCUMENT and (said in ("", _ANYTHING, *_PAGES) or said.startswith("text/"))
    if not may_be_one or (attachment.size_bytes and answer.content_length not in (None, attachment.size_bytes)):
        raise RetryLater("a web page came instead of the file")


async def chunks_of(response: aiohttp.ClientResponse, expected_bytes: int | None) -> AsyncIterator[bytes]:
    """The body of a download, piece by piece. Raises RetryLater if it is cut off, or has another length than expected."""
    received_bytes = 0
    try:
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            received_bytes += len(chunk)
            yield chunk
    except TRANSPORT_ERRORS as error:
        raise classify_transfer_error(error, doing="file download") from None
    check_whole(received_bytes, expected_bytes)


def check_whole(received_bytes: int, expected_bytes: int | None) -> None:
    """Raises RetryLater for a download of the wrong length."""
    if expected_bytes is not None and received_bytes != expected_bytes:
        raise RetryLater(f"the file download ended after {received_bytes} of {expected_bytes} bytes")
