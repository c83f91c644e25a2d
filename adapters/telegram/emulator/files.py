"""The emulated Telegram's file storage: uploads streamed in, bounded in memory, with the metadata that Telegram reports."""

from __future__ import annotations

import hashlib
import itertools
import mimetypes
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from adapters.common.emulation.options import EmulatorOptions
from adapters.telegram.emulator.records import StoredFile

MEMORY_BYTES = 8 * 1024**2
"""A larger file is kept on disk."""

_FOLDERS = {
    "photo": "photos",
    "video": "videos",
    "audio": "music",
    "voice": "voice",
    "video_note": "video_notes",
    "animation": "animations",
    "sticker": "stickers",
}


class FileStore:
    """All files of one emulator, by file id and by download path. `close` removes those on disk."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._numbers = itertools.count(1)
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}
        self.kept = EmulatorOptions().files_kept

    def close(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def get(self, file_id: str) -> StoredFile | None:
        return self._by_id.get(file_id)

    def at_path(self, file_path: str) -> StoredFile | None:
        return self._by_path.get(file_path)

    def add(self, name: str, mime: str, content: bytes) -> StoredFile:
        """Keep bytes that are already in memory."""
        incoming = Incoming(self, name, mime)
        incoming.write(content)
        return incoming.finish()

    async def receive(self, name: str, mime: str, chunks: AsyncIterator[bytes]) -> StoredFile:
        incoming = Incoming(self, name, mime)
        try:
            async for chunk in chunks:
                incoming.write(chunk)
        except BaseException:
            incoming.discard()
            raise
        return incoming.finish()

    def publish_path(self, stored: StoredFile, kind: str) -> str:
        """The download path of a file in the Bot API's form: folder by kind, a counter, the extension."""
        if not stored.file_path:
            extension = ".jpg" if kind == "photo" else Path(stored.name).suffix or mimetypes.guess_extension(stored.mime) or ""
            stored.file_path = f"{_FOLDERS.get(kind, 'documents')}/file_{next(self._numbers)}{extension}"
            self._by_path[stored.file_path] = stored
        return stored.file_path

    def on_disk(self, stored: StoredFile, token: str) -> Path:
        """The file's path on this machine, in the bot's own directory: what getFile of a local Bot API server returns."""
        path = self._root() / token / self.publish_path(stored, "document")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(stored.read())
        return path

    def new_path(self, name: str) -> Path:
        return self._root() / f"{next(self._numbers)}{Path(name).suffix[:16]}"

    def _root(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="telegram-emulator-"))
        return self._folder

    def register(self, stored: StoredFile) -> None:
        self._by_id[stored.file_id] = stored
        if len(self._by_id) > self.kept:
            oldest = self._by_id.pop(next(iter(self._by_id)))
            self._by_path.pop(oldest.file_path, None)
            if oldest.path is not None:
                oldest.path.unlink(missing_ok=True)

    def next_id(self) -> str:
        return f"{next(self._numbers):08d}"


class Incoming:
    """One upload on its way in."""

    def __init__(self, store: FileStore, name: str, mime: str) -> None:
        self._store = store
        self._name = name
        generic = mime in ("", "application/octet-stream")
        self._mime = (mimetypes.guess_type(name)[0] or mime) if generic else mime
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._head = bytearray()
        self._path: Path | None = None
        self._file: IO[bytes] | None = None

    def write(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._size_bytes += len(chunk)
        if self._file is None and len(self._head) + len(chunk) > MEMORY_BYTES:
            self._path = self._store.new_path(self._name)
            self._file = self._path.open("wb")
            self._file.write(self._head)
        if self._file is not None:
            self._file.write(chunk)
        else:
            self._head += chunk

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def finish(self) -> StoredFile:
        if self._file is not None:
            self._file.close()
        number = self._store.next_id()
        width, height = image_size(bytes(self._head[: 1 << 20]))
        stored = StoredFile(
            file_id=f"AgACAgIAAxkB{number}emulated",
            unique_id=f"AQAD{number}",
            name=self._name,
            mime=self._mime,
            size_bytes=self._size_bytes,
            sha256=self._digest.hexdigest(),
            content=bytes(self._head) if self._path is None else None,
            path=self._path,
            width=width,
            height=height,
        )
        self._store.register(stored)
        return stored


def image_size(head: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG, JPEG, GIF or WebP file from its first bytes; (0, 0) for anything else."""
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        return struct.unpack(">II", head[16:24])
    if head.startswith((b"GIF87a", b"GIF89a")) and len(head) >= 10:
        return struct.unpack("<HH", head[6:10])
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP" and len(head) >= 30:
        return _webp_size(head)
    if head.startswith(b"\xff\xd8"):
        return _jpeg_size(head)
    return 0, 0


def _webp_size(head: bytes) -> tuple[int, int]:
    match head[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
        case b"VP8 ":
            width, height = struct.unpack("<HH", head[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + ((bits >> 14) & 0x3FFF)
        case _:
            return 0, 0


def _jpeg_size(head: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 < len(head):
        if head[at] != 0xFF:
            return 0, 0
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return 0, 0
