"""Reads a file for an upload, and checks every block before it is sent. Called by `transfers`."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from bridge.model.checksums import BLOCK_BYTES, is_block
from bridge.model.errors import FileHarmed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from bridge.model.adapter import OutboundFile


class CheckedFile(io.RawIOBase):
    """An open file whose reads raise FileHarmed instead of giving bytes that are not the file's. Blocking, seekable.

    Holds one block in memory. Raises FileHarmed at once when the file is gone or of another length."""

    def __init__(self, file: OutboundFile) -> None:
        super().__init__()
        self._file = file
        self._at = 0
        self._index = -1
        self._block = memoryview(b"")
        try:
            self._raw = io.FileIO(file.path, "rb")
            found_bytes = os.fstat(self._raw.fileno()).st_size
        except OSError as error:
            raise FileHarmed(f"cannot be read: {error.strerror or type(error).__name__}", path=file.path) from None
        if found_bytes != file.size_bytes:
            self._raw.close()
            raise FileHarmed(f"has {found_bytes} bytes instead of {file.size_bytes}", path=file.path)

    def readinto(self, buffer: WriteableBuffer) -> int:
        index, begin = divmod(self._at, BLOCK_BYTES)
        if index != self._index:
            self._load(index)
        with memoryview(buffer).cast("B") as room:
            piece = self._block[begin : begin + len(room)]
            room[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _load(self, index: int) -> None:
        expected = max(0, min(BLOCK_BYTES, self._file.size_bytes - index * BLOCK_BYTES))
        try:
            block = os.pread(self._raw.fileno(), expected, index * BLOCK_BYTES)
        except OSError as error:
            raise FileHarmed(f"cannot be read: {error.strerror or type(error).__name__}", path=self._file.path) from None
        sums = self._file.block_sums
        if len(block) != expected or (sums and block and not is_block(sums, index, block)):
            raise FileHarmed("is not what was fetched", path=self._file.path)
        self._index, self._block = index, memoryview(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size_bytes}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def fileno(self) -> int:
        return self._raw.fileno()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def harm_in(error: BaseException) -> FileHarmed | None:
    """The FileHarmed that aborted an upload, found in whatever error a client library raised."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, FileHarmed):
        seen = seen.__cause__ or seen.__context__
    return seen
