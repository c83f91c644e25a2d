"""The spool: each attachment is fetched once, streamed to disk, and shared by every lane that sends it.

A file is complete on disk before anybody reads it: a download that ends early is an error, never a shorter file. A file that
vanished, was truncated or differs from what was fetched is fetched again: its reader detects that by the checksums made during the
download. The spool's size is bounded; transfers wait while it is full of files in use. What a stopped process left behind is
deleted at start, since any file can be fetched again from its origin. Called by the outbox only."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import structlog

from bridge.files.folder import SpoolFolder
from bridge.model.adapter import FileStream
from bridge.model.checksums import BlockSums
from bridge.model.errors import FileHarmed, Rejected, RetryLater

log = structlog.get_logger("spool")

_WRITE_BYTES = 1 << 20

Opener = Callable[[], AbstractAsyncContextManager[FileStream]]


class TooLarge(Rejected):
    """The file is larger than the caller can use. `size_bytes` is what is known of its size."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"file of more than {size_bytes} bytes")
        self.size_bytes = size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A file complete on disk."""

    path: Path
    size_bytes: int
    block_sums: bytes
    """See `model.checksums`."""


@dataclass(slots=True)
class _File:
    path: Path
    """A different one each time it is fetched: readers of the previous file are not disturbed."""
    users: int = 0
    size_bytes: int = 0
    block_sums: bytes = b""
    ready: bool = False
    harmed: bool = False
    """Whether a reader found other bytes than were written."""
    filling: asyncio.Lock = field(default_factory=asyncio.Lock)


class Spool:
    """Files in `folder`, together at most `bound_bytes` (a single larger file is allowed alone)."""

    def __init__(self, folder: Path, bound_bytes: int) -> None:
        self._folder = SpoolFolder(folder)
        self._bound_bytes = bound_bytes
        self._files: OrderedDict[Hashable, _File] = OrderedDict()
        self._held_bytes = 0
        self._freed = asyncio.Condition()

    @property
    def held_bytes(self) -> int:
        return self._held_bytes

    def open(self) -> None:
        """Make the folder, and delete the files that a stopped process left in it. Raises SpoolInUse, NotASpool,
        OSError."""
        self._folder.open()

    def close(self) -> None:
        self._folder.close()

    @asynccontextmanager
    async def borrow(self, key: Hashable, opener: Opener, *, most_bytes: int) -> AsyncIterator[Spooled]:
        """The file while the context lasts. The first borrower of a key fetches it; others wait for that. A FileHarmed raised in
        the context makes the next borrower fetch it again.

        Raises TooLarge when it is, or turns out, larger than `most_bytes`; RetryLater when the body ends early or the disk is
        full; and whatever the opener raises."""
        file = self._files.get(key)
        if file is None:
            file = self._files[key] = _File(self._folder.new_path())
        file.users += 1
        self._files.move_to_end(key)
        try:
            async with file.filling:
                if file.ready and (file.harmed or not await asyncio.to_thread(_is_whole, file)):
                    await self._discard(file)
                if not file.ready:
                    await self._fill(file, opener, most_bytes)
            if file.size_bytes > most_bytes:
                raise TooLarge(file.size_bytes)
            yield Spooled(path=file.path, size_bytes=file.size_bytes, block_sums=file.block_sums)
        except FileHarmed as error:
            if error.path == file.path:
                log.warning("a file on disk is not what was fetched; it is fetched again", size_bytes=file.size_bytes)
                file.harmed = True
            raise
        finally:
            file.users -= 1
            if not file.ready and not file.users:
                self._files.pop(key, None)
            async with self._freed:
                self._freed.notify_all()

    async def _discard(self, file: _File) -> None:
        await asyncio.to_thread(file.path.unlink, missing_ok=True)
        self._held_bytes -= file.size_bytes
        file.ready, file.harmed, file.size_bytes, file.path = False, False, 0, self._folder.new_path()

    async def _fill(self, file: _File, opener: Opener, most_bytes: int) -> None:
        async with opener() as stream:
            if stream.size_bytes is not None and stream.size_bytes > most_bytes:
                raise TooLarge(stream.size_bytes)
            out = await asyncio.to_thread(self._folder.create, file.path)
            sums = BlockSums()
            try:
                await self._copy(file, stream, out, sums, most_bytes)
                if stream.size_bytes is not None and stream.size_bytes != file.size_bytes:
                    raise RetryLater(f"the download ended after {file.size_bytes} of {stream.size_bytes} bytes")
            except BaseException as error:
                await asyncio.to_thread(file.path.unlink, missing_ok=True)
                self._held_bytes -= file.size_bytes
                file.size_bytes = 0
                if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
                    raise RetryLater(f"the spool cannot be written: {error.strerror or error}") from error
                raise
            finally:
                await asyncio.to_thread(out.close)
            file.block_sums, file.ready = sums.sums(), True

    async def _copy(self, file: _File, stream: FileStream, out: BinaryIO, sums: BlockSums, most_bytes: int) -> None:
        waiting = bytearray()
        async for chunk in stream.chunks:
            waiting += chunk
            if len(waiting) >= _WRITE_BYTES:
                await self._write(file, out, sums, waiting, most_bytes)
                waiting.clear()
        if waiting:
            await self._write(file, out, sums, waiting, most_bytes)

    async def _write(self, file: _File, out: BinaryIO, sums: BlockSums, data: bytearray, most_bytes: int) -> None:
        if file.size_bytes + len(data) > most_bytes:
            raise TooLarge(file.size_bytes + len(data))
        await self._make_room(file, len(data))
        await asyncio.to_thread(_append, out, sums, data)

    async def _make_room(self, file: _File, size_bytes: int) -> None:
        while self._held_bytes + size_bytes > self._bound_bytes:
            idle = next((key for key, other in self._files.items() if not other.users and other.ready), None)
            if idle is not None:
                gone = self._files.pop(idle)
                self._held_bytes -= gone.size_bytes
                await asyncio.to_thread(gone.path.unlink, missing_ok=True)
                continue
            if not any(other is not file and other.ready and other.users for other in self._files.values()):
                break  # alone in the spool, or all files are still being filled: continuing is the only way forward
            async with self._freed:
                await self._freed.wait()
        self._held_bytes += size_bytes
        file.size_bytes += size_bytes

    def forget(self, key: Hashable) -> None:
        """The file will not be needed again: delete it now, unless somebody still uses it."""
        file = self._files.get(key)
        if file is not None and file.ready and not file.users:
            del self._files[key]
            self._held_bytes -= file.size_bytes
            file.path.unlink(missing_ok=True)

    def forget_idle(self) -> None:
        """Delete all files that nobody uses now. Who needs one later fetches it again."""
        for key in list(self._files):
            self.forget(key)


def _append(out: BinaryIO, sums: BlockSums, data: bytearray) -> None:
    sums.add(data)
    out.write(data)


def _is_whole(file: _File) -> bool:
    try:
        return file.path.stat().st_size == file.size_bytes
    except OSError:
        return False
