"""Files received with requests: on disk, in the account's folder, until they are relayed or a day old.

They survive a restart. Their total size is bounded. A partly received file is never taken for a whole one.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.webhook.inbound.refusal import TOO_LARGE, Refusal
from bridge.model.adapter import FileStream
from bridge.model.clock import Clock
from bridge.model.errors import FileRejected, RetryLater
from bridge.model.events import Attachment

MOST_KEPT_BYTES = 1024**3
KEPT_S = 86_400.0
READ_KEPT_S = 3600.0
"""How long a file is kept after the core fetched it whole, since the core may fetch it again for another chat."""
_BLOCK_BYTES = 256 * 1024
_NAME = re.compile(r"[0-9a-f]{32}")
_PART = ".part"


class Incoming:
    """A file that is being received. A context manager: on exit, a file that is not `done` is removed."""

    def __init__(self, store: Downloads, path: Path) -> None:
        self._store = store
        self._path = path
        self.size_bytes = 0
        self.file_id = path.name.removesuffix(_PART)

    async def write(self, block: bytes) -> None:
        """Raises Refusal when there is no room for it."""
        self._store.take(len(block))
        self.size_bytes += len(block)
        try:
            await _to_the_end(_append, self._path, block)
        except OSError:
            raise Refusal(507, "there is no room for files now: try again later") from None

    async def done(self) -> None:
        """Raises Refusal."""
        try:
            await _to_the_end(self._path.rename, self._path.with_name(self.file_id))
        except OSError:
            raise Refusal(507, "there is no room for files now: try again later") from None

    async def drop(self) -> None:
        self._store.free(self.size_bytes)
        for path in (self._path, self._path.with_name(self.file_id)):
            await asyncio.to_thread(path.unlink, True)


class Downloads:
    """The files of one account. `folder` is made when the first file comes."""

    def __init__(self, folder: Path | None, clock: Clock, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._folder = folder
        self._clock = clock
        self._most_bytes = most_bytes
        self._held_bytes: int | None = None
        self._read_at_s: dict[str, float] = {}
        """Files that were fetched whole, with the time of the monotonic clock."""

    # -- coming in ----------------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[Incoming]:
        """A new file. Raises Refusal when there is no folder for it, or no room."""
        if self._folder is None:
            raise Refusal(415, "files are not taken here")
        try:
            await asyncio.to_thread(self._folder.mkdir, 0o700, True, True)
        except OSError:
            raise Refusal(507, "there is no room for files now: try again later") from None
        incoming = Incoming(self, self._folder / f"{uuid.uuid4().hex}{_PART}")
        try:
            yield incoming
        except BaseException:
            await asyncio.shield(incoming.drop())
            raise

    async def tidy(self) -> None:
        """Remove files that are too old, were relayed, or are incomplete."""
        if self._folder is None:
            return
        read = {name for name, at_s in self._read_at_s.items() if self._clock.monotonic_s() - at_s > READ_KEPT_S}
        oldest_s = self._clock.now().timestamp() - KEPT_S
        self._held_bytes = await asyncio.to_thread(_tidy, self._folder, read, oldest_s)
        for name in read:
            del self._read_at_s[name]

    async def forget(self, attachments: tuple[Attachment, ...]) -> None:
        """Remove the files of a request that became no message."""
        for attachment in attachments:
            path = self._path(attachment.file_id)
            if path is not None and path.is_file():
                self.free(path.stat().st_size)
                await asyncio.to_thread(path.unlink, True)

    def take(self, size_bytes: int) -> None:
        """Raises Refusal when there is no room."""
        held = self._held_bytes or 0
        if held + size_bytes > self._most_bytes:
            raise Refusal(507, "there is no room for files now: try again later")
        self._held_bytes = held + size_bytes

    def free(self, size_bytes: int) -> None:
        self._held_bytes = max(0, (self._held_bytes or 0) - size_bytes)

    # -- going out ----------------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        """Raises FileRejected if it is gone."""
        path = self._path(attachment.file_id)
        try:
            size_bytes = path.stat().st_size if path is not None else -1
        except OSError:
            size_bytes = -1
        if path is None or size_bytes < 0:
            raise FileRejected("the file is no longer kept")
        yield FileStream(chunks=self._blocks(path, attachment.size_bytes), size_bytes=size_bytes)

    async def _blocks(self, path: Path, size_bytes: int | None) -> AsyncIterator[bytes]:
        sent = 0
        try:
            with await asyncio.to_thread(path.open, "rb") as file:
                while block := await asyncio.to_thread(file.read, _BLOCK_BYTES):
                    sent += len(block)
                    yield block
        except OSError as error:
            raise RetryLater(f"the received file cannot be read: {error.strerror or error}") from error
        if size_bytes is not None and sent != size_bytes:
            raise RetryLater("the received file ends too early")
        self._read_at_s[path.name] = self._clock.monotonic_s()

    def _path(self, file_id: str) -> Path | None:
        return self._folder / file_id if self._folder is not None and _NAME.fullmatch(file_id) else None


async def _to_the_end(work: Callable[..., Any], *arguments: Any) -> None:
    """Run it in a thread. A cancelled caller still waits for the end: only then can a new file be removed."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()
        raise


def _append(path: Path, block: bytes) -> None:
    with path.open("ab") as file:
        file.write(block)


def _tidy(folder: Path, read: set[str], oldest_s: float) -> int:
    """Returns the number of free bytes."""
    held = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            told = path.stat()
            if path.name in read or told.st_mtime < oldest_s:
                path.unlink(missing_ok=True)
            else:
                held += told.st_size
        except FileNotFoundError:
            continue
    return held


def check_size(size_bytes: int, most_bytes: int) -> None:
    """Raises Refusal."""
    if size_bytes > most_bytes:
        raise Refusal(413, TOO_LARGE)
