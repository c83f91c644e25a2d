"""Files for programs that read by matterbridge's API: on disk, in the account's folder, for a day.

They are copies: the core removes its own file once it is sent. Their total size and their number are bounded; the oldest give way.
`Downloads` removes what is older than a day, as of all that is in the folder."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterable
from pathlib import Path

from adapters.common.files import CheckedFile
from bridge.model.adapter import OutboundFile

MOST_KEPT_BYTES = 256 * 1024**2
MOST_KEPT = 2000
_ENDING = ".sent"
_MESSAGE = re.compile(r"[A-Za-z0-9-]{1,64}")
_NAME = re.compile(rf"{_MESSAGE.pattern}\.\d{{1,3}}{re.escape(_ENDING)}")


class KeptFiles:
    """Of one account. Without a folder nothing is kept."""

    def __init__(self, folder: Path | None, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._one_at_a_time = asyncio.Lock()

    async def keep(self, message_id: str, number: int, file: OutboundFile) -> str:
        """The file's name here; empty if there is no room for it. Raises FileHarmed."""
        name = f"{message_id}.{number}{_ENDING}"
        if self._folder is None or not _NAME.fullmatch(name):
            return ""
        async with self._one_at_a_time:  # the room that one makes is not taken by another
            try:
                await asyncio.to_thread(_write, self._folder, name, file, self._most_bytes)
            except OSError:
                return ""
        return name

    async def data(self, name: str) -> bytes | None:
        """None: it is no longer kept."""
        if self._folder is None or not _NAME.fullmatch(name):
            return None
        try:
            return await asyncio.to_thread((self._folder / name).read_bytes)
        except OSError:
            return None

    async def forget(self, message_ids: Iterable[str]) -> None:
        """Remove the files of messages that are deleted. Raises OSError."""
        for message_id in message_ids:
            if self._folder is not None and _MESSAGE.fullmatch(message_id):
                await asyncio.to_thread(_remove, self._folder, message_id)


def _write(folder: Path, name: str, file: OutboundFile, most_bytes: int) -> None:
    folder.mkdir(0o700, parents=True, exist_ok=True)
    _make_room(folder, most_bytes - file.size_bytes)
    part = folder / f"{name}.part"
    try:
        with CheckedFile(file) as source, part.open("wb") as copy:
            copy.write(source.read())
            copy.flush()
            os.fsync(copy.fileno())
        part.rename(folder / name)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _make_room(folder: Path, most_bytes: int) -> None:
    """Raises OSError if there is none."""
    if most_bytes < 0:
        raise OSError("larger than all that may be kept")
    told = []
    for path in folder.glob(f"*{_ENDING}"):
        try:
            told.append((path.stat().st_mtime, path.stat().st_size, path))
        except FileNotFoundError:
            continue
    told.sort(key=lambda one: one[0])
    held_bytes = sum(size_bytes for _, size_bytes, _ in told)
    for number, (_, size_bytes, path) in enumerate(told):
        if held_bytes <= most_bytes and len(told) - number < MOST_KEPT:
            break
        path.unlink(missing_ok=True)
        held_bytes -= size_bytes


def _remove(folder: Path, message_id: str) -> None:
    for path in folder.glob(f"{message_id}.*{_ENDING}"):
        path.unlink(missing_ok=True)
