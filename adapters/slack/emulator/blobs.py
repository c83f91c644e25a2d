"""File contents of the emulator: small ones in memory, large ones in a temporary file that is removed with the object."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator

_IN_MEMORY_BYTES = 8 * 1024 * 1024


class Blob:
    """Bytes that are written once and read often, also by several readers at the same time."""

    def __init__(self) -> None:
        self._spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - lives as long as the blob
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        self._memory: bytes | None = None

    @classmethod
    def of(cls, content: bytes) -> Blob:
        blob = cls()
        blob.write(content)
        blob.finish()
        return blob

    def write(self, chunk: bytes) -> None:
        self._spool.write(chunk)
        self._hash.update(chunk)
        self.size_bytes += len(chunk)

    def finish(self) -> None:
        """No more writing; reading may begin."""
        self._spool.flush()
        if self.size_bytes <= _IN_MEMORY_BYTES:
            self._spool.seek(0)
            self._memory = self._spool.read()
            self._spool.close()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def chunks(self, size_bytes: int = 256 * 1024) -> Iterator[bytes]:
        if self._memory is not None:
            for at in range(0, len(self._memory), size_bytes):
                yield self._memory[at : at + size_bytes]
            return
        descriptor = self._spool.fileno()
        at = 0
        while chunk := os.pread(descriptor, size_bytes, at):
            yield chunk
            at += len(chunk)

    def read(self) -> bytes:
        return b"".join(self.chunks())

    def close(self) -> None:
        self._spool.close()
