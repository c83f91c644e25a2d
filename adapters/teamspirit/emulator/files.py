"""The server's file store: small files in memory, large ones in a temporary directory. Used by the server's upload and download."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from adapters.common.emulation.contract import EmulatedFile
from adapters.common.emulation.options import EmulatorOptions

_IN_MEMORY_BYTES = 8 * 1024**2


class FileTooLarge(Exception):
    """The upload is over the server's limit."""


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    file_id: str
    name: str
    mime: str
    size_bytes: int
    sha256: str
    content: bytes | None
    path: Path | None

    def wire(self) -> dict[str, object]:
        """The file's JSON in responses and messages."""
        return {"id": self.file_id, "name": self.name, "mime": self.mime, "size": self.size_bytes}

    def seen(self) -> EmulatedFile:
        return EmulatedFile(
            file_id=self.file_id,
            name=self.name,
            mime=self.mime,
            size_bytes=self.size_bytes,
            kind=shown_as(self.mime),
            sha256=self.sha256,
        )


def shown_as(mime: str) -> str:
    """The kind that the client shows. The dialect has no other hint than the MIME type."""
    return {"image": "photo", "video": "video", "audio": "audio"}.get(mime.partition("/")[0], "document")


class FileStore:
    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}
        self._ids = itertools.count(1)
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self.kept = EmulatorOptions().files_kept

    def get(self, file_id: str) -> StoredFile | None:
        return self._files.get(file_id)

    def close(self) -> None:
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def read(self, file_id: str) -> bytes:
        stored = self._files[file_id]
        if stored.content is not None:
            return stored.content
        assert stored.path is not None
        return stored.path.read_bytes()

    def keep(self, name: str, mime: str, content: bytes) -> StoredFile:
        return self._add(name, mime, len(content), hashlib.sha256(content).hexdigest(), content, None)

    async def receive(self, name: str, mime: str, chunks: AsyncIterator[bytes], limit_bytes: int) -> StoredFile:
        """Store a file as it arrives. Raises FileTooLarge as soon as it is over `limit_bytes`."""
        digest = hashlib.sha256()
        size = 0
        buffered = bytearray()
        path: Path | None = None
        async for chunk in chunks:
            size += len(chunk)
            if size > limit_bytes:
                if path is not None:
                    await asyncio.to_thread(path.unlink)
                raise FileTooLarge
            digest.update(chunk)
            buffered += chunk
            if size > _IN_MEMORY_BYTES:
                path = path or self._new_path()
                if len(buffered) >= 1 << 20:
                    await asyncio.to_thread(_append, path, bytes(buffered))
                    buffered.clear()
        if path is not None:
            await asyncio.to_thread(_append, path, bytes(buffered))
        return self._add(name, mime, size, digest.hexdigest(), None if path else bytes(buffered), path)

    def _new_path(self) -> Path:
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="teamspirit-emulator-")
        return Path(self._directory.name) / f"upload-{next(self._ids)}"

    def _add(self, name: str, mime: str, size: int, sha256: str, content: bytes | None, path: Path | None) -> StoredFile:
        file_id = f"f{next(self._ids)}"
        stored = StoredFile(file_id=file_id, name=name, mime=mime, size_bytes=size, sha256=sha256, content=content, path=path)
        self._files[file_id] = stored
        if len(self._files) > self.kept:
            oldest = self._files.pop(next(iter(self._files)))
            if oldest.path is not None:
                oldest.path.unlink(missing_ok=True)
        return stored


def _append(path: Path, content: bytes) -> None:
    with path.open("ab") as out:
        out.write(content)
