"""How much room is left on the disks that the bridge writes to, for the health report and the metrics."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.accounts.health import Condition, Status, worst

LOW_BYTES = 256_000_000
"""Less is a `warn`: a day of chats, or some large files."""
FULL_BYTES = 16_000_000
"""Less is a `fail`: the journal may be unable to take the next message at any moment."""
_ACTION = "free space there, or move the folder to a larger disk"


def free_bytes(path: Path) -> int | None:
    """What an ordinary user may still write where that file or folder is, or will be. None: the file system does not say."""
    for place in (path, *path.absolute().parents):
        try:
            found = os.statvfs(place)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return found.f_bavail * found.f_frsize
    return None


def room(journal: Path, spool: Path) -> dict[str, int]:
    """Free bytes of the disks of the journal and of the spool."""
    found: Mapping[str, int | None] = {"journal": free_bytes(journal.parent), "spool": free_bytes(spool)}
    return {name: free for name, free in found.items() if free is not None}


def condition(free: int) -> Condition:
    """Of a disk with so many free bytes."""
    if free >= LOW_BYTES:
        return Condition(Status.PASS)
    status = Status.FAIL if free < FULL_BYTES else Status.WARN
    return Condition(status, f"{free / 1e6:.0f} MB left", _ACTION)


def with_disk(report: Mapping[str, Any], free: Mapping[str, int]) -> dict[str, Any]:
    """A health report with the disks in it: its `status` and `to_do` too. Messages are relayed as long as they can be kept, so `ok`
    stays as it is."""
    found = {name: condition(size) for name, size in free.items()}
    short = [(name, one) for name, one in found.items() if one.status is not Status.PASS]
    return {
        **report,
        "status": worst([Status(report["status"]), *(one.status for one in found.values())]).value,
        "disk": {name: {**one.data(), "free_bytes": free[name]} for name, one in found.items()},
        "to_do": [*report["to_do"], *(f"disk of the {name}: {one.reason} - {one.action}" for name, one in short)],
    }
