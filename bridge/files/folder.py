"""The spool's folder on disk: only files made by the spool are deleted, and a folder with other files is refused.

A spool file is a regular file with a name that the spool generates. Other files are not touched.
Called by `spool`, and by the configuration's check.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

_OWN = re.compile(r"messenger-bridge-[0-9a-f]{16}-[0-9]+\.spooled")
_FORMER = re.compile(r"[0-9]+")
"""Names that earlier versions used. Such files may belong to somebody else, so they are kept."""


_LOCKS: dict[tuple[int, int], list[int]] = {}
"""The folders that this process has locked, by device and inode: the lock, and how many have it. It keeps other processes out."""

_TAKING = threading.Lock()


class NotASpool(OSError):
    """The folder cannot be used as the spool. As text: which, and why."""


class SpoolInUse(NotASpool):
    """Another process uses the folder as its spool, and would delete our files as left over."""


class SpoolFolder:
    """The files of one process in `path`, which it locks. Blocking: call it in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._run = secrets.token_hex(8)
        self._count = 0
        self._is_open = False
        self._made = False
        self._lock: tuple[int, int] | None = None

    def open(self) -> None:
        """Create the folder if it does not exist; delete what a stopped process left in it. Raises SpoolInUse, NotASpool,
        OSError."""
        why = fault_of(self.path)
        if why:
            raise NotASpool(f"media.spool: {self.path} {why}")
        with _TAKING:
            self._make()
            self._take()
        self._is_open = True
        self._clear()
        left = sum(1 for _ in _entries(self.path))
        if left:
            import structlog  # `check` imports this module too, and has no log

            log = structlog.get_logger("spool")
            log.warning("files in the spool that an earlier version may have left; delete them", folder=str(self.path), files=left)

    def close(self) -> None:
        """Delete our files, and the folder if it was made here and is empty."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._clear()
            if self._made:
                self.path.rmdir()
        except OSError:
            pass  # the rest is deleted at the next start
        finally:
            self._release()

    def new_path(self) -> Path:
        self._count += 1
        return self.path / f"messenger-bridge-{self._run}-{self._count}.spooled"

    def create(self, path: Path) -> BinaryIO:
        """Create a new file, readable by us alone, and never through a planted link. Raises OSError."""
        with _TAKING:  # several files may be made at once
            if not self.path.is_dir():  # somebody has deleted the folder
                self._make()
                self._take()
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600), "wb")

    def _make(self) -> None:
        if not self.path.is_dir():
            self.path.mkdir(parents=True, mode=0o700)
            self._made = True

    def _take(self) -> None:
        """Lock the folder that `path` is now. The kernel releases the lock whenever the process ends."""
        self._release()
        while True:
            lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            which = os.fstat(lock)
            key = which.st_dev, which.st_ino
            if key in _LOCKS:
                os.close(lock)
            elif not self._flock(lock):
                os.close(lock)
                return  # a file system without locks: this cannot be checked
            else:
                _LOCKS[key] = [lock, 0]
            _LOCKS[key][1] += 1
            self._lock = key
            if _is_at(which, self.path):
                return
            self._release()  # the previous owner deleted it as it ended
            self._make()

    def _flock(self, lock: int) -> bool:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise SpoolInUse(
                f"media.spool: {self.path} is in use by another process (`fuser -v {self.path}` names it): stop that daemon "
                "first, or give this one a folder of its own"
            ) from error
        except OSError:
            return False
        return True

    def _release(self) -> None:
        if self._lock is None:
            return
        held = _LOCKS[self._lock]
        held[1] -= 1
        if not held[1]:
            os.close(held[0])
            del _LOCKS[self._lock]
        self._lock = None

    def _clear(self) -> None:
        for entry in list(_entries(self.path)):
            if _is_own(entry):
                Path(entry.path).unlink(missing_ok=True)


def fault_of(path: Path) -> str | None:
    """Why an existing folder cannot be the spool: it is a link, no folder, or contains files that are not ours."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return None  # it does not exist: it is created
    if stat.S_ISLNK(mode):
        return "is a symbolic link"
    if not stat.S_ISDIR(mode):
        return "is not a folder"
    for entry in _entries(path):
        if not _is_own(entry) and not (_FORMER.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)):
            return f"is not the bridge's own: it holds {entry.name!r}"
    return None


def contents(path: Path) -> dict[str, Any]:
    """What is in a spool's folder, for people: how many of our files, their size, whether a process uses it (None: unknown), and
    why it cannot be the spool (`fault`). Takes no lock, which could keep a daemon from starting. Raises OSError."""
    sizes = []
    for entry in _entries(path):
        with suppress(FileNotFoundError):  # sent meanwhile
            if _is_own(entry):
                sizes.append(entry.stat(follow_symlinks=False).st_size)
    return {"files": len(sizes), "size_bytes": sum(sizes), "in_use": _is_locked(path), "fault": fault_of(path) or ""}


def _is_locked(path: Path) -> bool | None:
    """Source: proc_locks(5)."""
    which = path.stat()
    place = f"{os.major(which.st_dev):02x}:{os.minor(which.st_dev):02x}:{which.st_ino}"
    try:
        return any(place in line.split() for line in Path("/proc/locks").read_text().splitlines())
    except OSError:
        return None


def _is_at(which: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(which, path.stat())
    except FileNotFoundError:
        return False


def _entries(path: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        yield from entries


def _is_own(entry: os.DirEntry[str]) -> bool:
    return _OWN.fullmatch(entry.name) is not None and entry.is_file(follow_symlinks=False)
