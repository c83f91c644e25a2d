"""Opening the journal's file: the lock, creation, migration, connections; and what an SQLite error means for a human."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from bridge.journal.contract import JournalError
from bridge.journal.sqlite import migrations

APPLICATION_ID = 0x6D627231
"""Marks the file as ours (`mbr1`)."""

WAL_LIMIT_BYTES = 4 * 1024 * 1024
"""The write-ahead log is cut down to this size whenever it starts over."""


class Lock:
    """Only one daemon may run on a journal. Released by the kernel whenever the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._file: int | None = None

    def take(self) -> None:
        """Raises JournalError if another process holds it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(file, 20, 0).decode("ascii", "replace").strip()
            os.close(file)
            raise JournalError(
                f"The journal is in use by another process{f' (pid {owner})' if owner else ''}: stop that daemon first, "
                f"or give this one a journal of its own. (Lock file: {self._path})"
            ) from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def connect(path: Path, *, cache_kib: int, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection to an existing journal, for use by one thread."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise JournalError(f"{path} cannot have a write-ahead log there: put the journal on a local disk.")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        connection.execute(f"PRAGMA cache_size = {-cache_kib}")
        # FAST: what is deleted is overwritten in pages that are written anyway; a page freed whole keeps it until it is used again.
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(
    path: Path, *, exclusive: bool, busy_timeout_s: float, before_step: Callable[[Path, int], object] = lambda _path, _version: None
) -> None:
    """Create or migrate the file, or see that it can be used as it is. Only the daemon (`exclusive`) changes it. `before_step` is
    given the file and its schema before that is led to the next one.

    Raises JournalError."""
    if not path.exists():
        if not exclusive:
            raise JournalError(f"There is no journal at {path}. Start the daemon first, or look at the path in bridge.yaml.")
        _create_file(path)
    connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None)
    try:
        _prepare(connection, path, exclusive=exclusive, before_step=before_step)
    finally:
        connection.close()


def _create_file(path: Path) -> None:
    """Empty and readable by the daemon's user only: chats are in it. SQLite gives its side files the same rights."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _prepare(connection: sqlite3.Connection, path: Path, *, exclusive: bool, before_step: Callable[[Path, int], object]) -> None:
    version = _value(connection, "PRAGMA user_version")
    owner = _value(connection, "PRAGMA application_id")
    empty = _value(connection, "SELECT count(*) FROM sqlite_schema") == 0
    if owner != APPLICATION_ID and not (empty and owner == version == 0):
        raise JournalError(f"{path} is an SQLite file of another program. Give the journal a path of its own in bridge.yaml.")
    if version > migrations.NEWEST:
        raise JournalError(
            f"{path} was written by a newer version of messenger-bridge (schema {version}, this one knows {migrations.NEWEST}). "
            f"Install that version again, or move the file away to start with an empty journal."
        )
    if empty or version < migrations.NEWEST:
        if not exclusive:
            raise JournalError(
                f"{path} was written by an older version of messenger-bridge. Start the daemon once: it migrates it."
            )
        if not empty:
            before_step(path, version)
        _build(connection, version, empty=empty)
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchall()  # a damaged file is better found now than in the night


def _build(connection: sqlite3.Connection, version: int, *, empty: bool) -> None:
    if empty:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN EXCLUSIVE")
    try:
        if empty:
            migrations.create(connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        else:
            migrations.migrate(connection, version, migrations.STEPS)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _value(connection: sqlite3.Connection, sql: str) -> int:
    value: int = connection.execute(sql).fetchone()[0]
    return value


def size_on_disk_bytes(path: Path) -> int:
    """The file and its write-ahead log."""
    size = 0
    for name in (path, path.with_name(path.name + "-wal")):
        try:
            size += name.stat().st_size
        except FileNotFoundError:
            pass
    return size


def explain(error: Exception, path: Path) -> JournalError:
    """A JournalError that says what to do. The error's own text holds no content of messages."""
    if isinstance(error, JournalError):
        return error
    if isinstance(error, OSError):
        return JournalError(
            f"The journal {path} cannot be opened: {error.strerror or error}. See that the daemon's user may write there."
        )
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    name = getattr(error, "sqlite_errorname", "")
    match primary:
        case sqlite3.SQLITE_FULL:
            advice = f"the disk is full: free space below {path.parent}. Nothing was stored; it goes on as soon as there is space"
        case sqlite3.SQLITE_IOERR:
            advice = f"the disk refused to read or write: look at the disk (full? quota? failing?) that holds {path.parent}"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            advice = (
                f"the file is damaged: stop the daemon, restore {path} from a backup, or move it (with its -wal) away to start anew"
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            advice = "another program keeps the file locked: close whatever has it open"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            advice = f"the file cannot be opened for writing: see that the daemon's user owns {path} and may write to {path.parent}"
        case _:
            advice = "see the error"
    return JournalError(f"Journal {path}: {advice}. ({name + ': ' if name else ''}{error})")
