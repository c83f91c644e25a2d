"""How much room is left on the disks that the bridge writes to, for the health report and the metrics."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.accounts.health import Condition, Status, worst

LOW_BYTES = 256_000_000
"""Less is a `warn`: a day of chats, or some large files."""
FULL_BYTES = 16_000_000
"""Less is a `fail`: the journal may be unable to take the next message at any moment."""
ANSWERS_WITHIN_S = 2.0
_ACTION = "free space there, or move the folder to a larger disk"
_SILENT_ACTION = "look whether that disk still works"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What an ordinary user may still write on a disk, and its size; or why nobody knows (`error`)."""

    free_bytes: int = 0
    total_bytes: int = 0
    error: str = ""


class Disks:
    """The one place that asks disks: beside the loop, each disk once at a time, however many want to know. A disk that does not
    answer, as one of the network does, holds up nobody for longer than `within_s`, and nobody again until it has answered."""

    def __init__(self, folders: Mapping[str, Path], *, within_s: float = ANSWERS_WITHIN_S) -> None:
        """`folders`: by what is kept there; one that is not there is made later, on the disk of the one above it."""
        self._folders = folders
        self._within_s = within_s
        self._asked: dict[str, asyncio.Task[Room]] = {}
        self._silent: set[str] = set()

    async def room(self) -> dict[str, Room]:
        """As of now, by what is kept there."""
        asked = {name: self._asked.get(name) or self._ask(name) for name in self._folders}
        if waited_for := {task for name, task in asked.items() if name not in self._silent}:
            await asyncio.wait(waited_for, timeout=self._within_s)
        self._silent = {name for name, task in asked.items() if not task.done()}
        silent = Room(error=f"the disk does not answer within {self._within_s:g} s")
        return {name: task.result() if task.done() and not task.cancelled() else silent for name, task in asked.items()}

    def _ask(self, name: str) -> asyncio.Task[Room]:
        task = asyncio.create_task(asyncio.to_thread(room_of, self._folders[name]), name=f"disk of the {name}")
        self._asked[name] = task
        task.add_done_callback(lambda _: self._answered(name))
        return task

    def _answered(self, name: str) -> None:
        """What came too late is not told to the next one, who may ask hours later."""
        del self._asked[name]
        self._silent.discard(name)


def room_of(path: Path) -> Room:
    """Of the disk where that file or folder is, or will be. Blocks for as long as the disk does."""
    for place in (path, *path.absolute().parents):
        try:
            found = os.statvfs(place)
        except FileNotFoundError:
            continue
        except OSError as error:
            return Room(error=error.strerror or str(error))
        return Room(free_bytes=found.f_bavail * found.f_frsize, total_bytes=found.f_blocks * found.f_frsize)
    return Room(error="there is no such folder")


def folders(journal: Path, spool: Path | None) -> dict[str, Path]:
    """What `Disks` asks: where the journal is, and the files under way."""
    return {"journal": journal.parent, "spool": spool or journal.with_suffix(".spool")}


def condition(found: Room) -> Condition:
    """Of a disk."""
    if found.error:
        return Condition(Status.WARN, found.error, _SILENT_ACTION)
    if found.free_bytes >= LOW_BYTES:
        return Condition(Status.PASS)
    status = Status.FAIL if found.free_bytes < FULL_BYTES else Status.WARN
    return Condition(status, f"{found.free_bytes / 1e6:.0f} MB left", _ACTION)


def with_disk(report: Mapping[str, Any], disks: Mapping[str, Room]) -> dict[str, Any]:
    """A health report with the disks in it: its `status` and `to_do` too. Messages are relayed as long as they can be kept, so `ok`
    stays as it is."""
    found = {name: condition(one) for name, one in disks.items()}
    short = [(name, one) for name, one in found.items() if one.status is not Status.PASS]
    return {
        **report,
        "status": worst([Status(report["status"]), *(one.status for one in found.values())]).value,
        "disk": {name: {**one.data(), **_sizes(disks[name])} for name, one in found.items()},
        "to_do": [*report["to_do"], *(f"disk of the {name}: {one.reason} - {one.action}" for name, one in short)],
    }


def _sizes(found: Room) -> dict[str, int]:
    """Nothing where nobody knows."""
    return {} if found.error else {"free_bytes": found.free_bytes, "total_bytes": found.total_bytes}
