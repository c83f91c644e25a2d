"""Copies of the journal's file, made beside a running daemon: a backup that an admin asks for, and the one before a schema step.

A copy is of one moment. It is read in small steps within one read transaction, so that the daemon goes on writing meanwhile; its
write-ahead log cannot be cut down as long as that lasts. Source: sqlite.org/backup.html, sqlite.org/wal.html (checkpointing)."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from bridge.journal.contract import JournalError
from bridge.journal.sqlite.database import APPLICATION_ID, explain

STEP_PAGES = 256
"""1 MiB."""
PAUSE_S = 0.002
"""Between two steps: the disk is also the daemon's."""


def back_up(path: Path, to: Path, *, busy_timeout_s: float, pause_s: float = PAUSE_S) -> int:
    """Copy the journal into a new file, readable by its owner alone; returns its size in bytes. Raises JournalError, also if there
    is something at `to`: nothing is ever overwritten."""
    if os.path.lexists(to):
        raise JournalError(f"{to} exists already: a backup replaces nothing. Give it another name.")
    part = to.with_name(to.name + ".part")
    try:
        _create(part)
        try:
            _copy(path, part, busy_timeout_s=busy_timeout_s, pause_s=pause_s)
            _name(part, to)
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError as error:
        raise JournalError(
            f"{error.filename2 or error.filename} came into being meanwhile, or is left from a backup that was killed: a backup "
            "replaces nothing. Delete it, or give the backup another name."
        ) from None
    except (sqlite3.Error, OSError) as error:
        raise _explain(error, path, to) from error
    return to.stat().st_size


def keep_former(path: Path, version: int) -> Path:
    """Copy the journal before a step leads it to another schema. A copy of the same schema is replaced; older ones go.

    Raises JournalError if there is no room for it."""
    kept = former(path, version)
    part = kept.with_name(kept.name + ".part")
    try:
        part.unlink(missing_ok=True)  # of a start that was killed; the lock keeps every other daemon out
        _create(part)
        _copy(path, part, busy_timeout_s=0.0, pause_s=0.0)
        os.replace(part, kept)
        _sync_folder(kept.parent)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise JournalError(
            f"The journal {path} is of schema {version}, and is copied to {kept} before it is led to the next one; that failed: "
            f"{_reason(error)}. Free space there, or see that the daemon's user may write there. The journal is as it was."
        ) from error
    for older in range(1, version):
        former(path, older).unlink(missing_ok=True)
    return kept


def former(path: Path, version: int) -> Path:
    """Where the copy is kept that was made before a schema step."""
    return path.with_name(f"{path.name}.schema-{version}")


def _create(path: Path) -> None:
    """Raises FileExistsError, OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def _copy(path: Path, to: Path, *, busy_timeout_s: float, pause_s: float) -> None:
    """Into an empty file. Raises sqlite3.Error, OSError, JournalError."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None)) as source,
        closing(sqlite3.connect(to, isolation_level=None)) as target,
    ):
        if source.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise JournalError(f"{path} is no journal of messenger-bridge.")
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # the moment that the copy is of
        target.execute("PRAGMA synchronous = OFF")  # it is synchronised once, at the end
        source.backup(target, pages=STEP_PAGES, progress=lambda *_: time.sleep(pause_s), sleep=0.25)
        source.execute("ROLLBACK")
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it; the daemon changes that back
    file = os.open(to, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _name(part: Path, to: Path) -> None:
    """Give a finished file its name, unless that is taken. Raises FileExistsError, OSError."""
    try:
        os.link(part, to)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        if os.path.lexists(to):  # a file system without hard links
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(to)) from None
        os.rename(part, to)
    _sync_folder(to.parent)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _explain(error: Exception, path: Path, to: Path) -> JournalError:
    if isinstance(error, OSError) or getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
        return JournalError(f"The backup {to} cannot be written: {_reason(error)}.")
    return explain(error, path)


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
