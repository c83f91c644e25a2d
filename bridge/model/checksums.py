"""Checksums of a file, block by block, which show whether the bytes read from disk are those that were written. Pure. `files.spool`
makes them during a download, `adapters.common.files` checks each block before it is sent: a gigabyte costs a quarter of a second
either way and is never read twice for it."""

from __future__ import annotations

import zlib

BLOCK_BYTES = 256 * 1024
_SUM_BYTES = 4


class BlockSums:
    """Takes a file's bytes in pieces of any size."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._sum = 0
        self._in_block = 0

    def add(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        while view:
            piece = view[: BLOCK_BYTES - self._in_block]
            self._sum = zlib.crc32(piece, self._sum)
            self._in_block += len(piece)
            view = view[len(piece) :]
            if self._in_block == BLOCK_BYTES:
                self._end_block()

    def sums(self) -> bytes:
        """The checksums of the whole file; nothing may be added after that."""
        if self._in_block:
            self._end_block()
        return bytes(self._done)

    def _end_block(self) -> None:
        self._done += self._sum.to_bytes(_SUM_BYTES, "big")
        self._sum = self._in_block = 0


def is_block(sums: bytes, index: int, block: bytes) -> bool:
    """Whether this is the file's block of that index (0 the first; only the last one may be shorter)."""
    at = index * _SUM_BYTES
    return sums[at : at + _SUM_BYTES] == zlib.crc32(block).to_bytes(_SUM_BYTES, "big")
