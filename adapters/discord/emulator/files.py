"""Files people and bots attach: received as a stream, kept in memory when small and in a temporary file when not.

Also reads a picture's dimensions from its header, as Discord's media proxy does.
"""

from __future__ import annotations

import hashlib
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from adapters.common.emulation.options import EmulatorOptions

IN_MEMORY_BYTES = 8 * 1024**2


@dataclass(slots=True)
class StoredFile:
    size_bytes: int
    sha256: str
    content: bytes | None
    path: Path | None
    head: bytes

    def read(self) -> bytes:
        if self.content is not None:
            return self.content
        assert self.path is not None
        return self.path.read_bytes()


class FileStore:
    """All files of one emulator, by attachment id. `close` removes those on disk."""

    def __init__(self) -> None:
        self._files: dict[int, StoredFile] = {}
        self.kept = EmulatorOptions().files_kept
        self._folder: Path | None = None

    def __getitem__(self, file_id: int) -> StoredFile:
        return self._files[file_id]

    def get(self, file_id: int) -> StoredFile | None:
        return self._files.get(file_id)

    def put(self, file_id: int, content: bytes) -> StoredFile:
        stored = StoredFile(len(content), hashlib.sha256(content).hexdigest(), content, None, content[:64])
        self._keep(file_id, stored)
        return stored

    async def receive(self, file_id: int, chunks: AsyncIterator[bytes], *, limit_bytes: int) -> StoredFile | None:
        """Stores a stream; None if it is over the limit (the rest is read and discarded)."""
        digest = hashlib.sha256()
        memory = bytearray()
        size = 0
        path: Path | None = None
        spill = None
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > limit_bytes:
                    continue
                digest.update(chunk)
                if spill is None and len(memory) + len(chunk) > IN_MEMORY_BYTES:
                    path = self._new_path(file_id)
                    spill = path.open("wb")
                    spill.write(memory)
                if spill is not None:
                    spill.write(chunk)
                if len(memory) <= 64 or spill is None:
                    memory += chunk
        finally:
            if spill is not None:
                spill.close()
        if size > limit_bytes:
            if path is not None:
                path.unlink()
            return None
        content = bytes(memory) if path is None else None
        stored = StoredFile(size, digest.hexdigest(), content, path, bytes(memory[:64]))
        self._keep(file_id, stored)
        return stored

    def _keep(self, file_id: int, stored: StoredFile) -> None:
        self._files[file_id] = stored
        if len(self._files) > self.kept:
            oldest = self._files.pop(next(iter(self._files)))
            if oldest.path is not None:
                oldest.path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _new_path(self, file_id: int) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="discord-emulator-"))
        return self._folder / str(file_id)


def dimensions(head: bytes) -> tuple[int, int] | None:
    """Width and height from the first bytes of a PNG or GIF."""
    if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) >= 24:
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if head[:4] == b"GIF8" and len(head) >= 10:
        width, height = struct.unpack("<HH", head[6:10])
        return width, height
    return None
