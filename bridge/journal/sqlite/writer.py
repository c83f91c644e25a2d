"""The writer's thread: group commit. And the checkpointer's, which keeps the write-ahead log short."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bridge.journal.contract import AcceptResult, Change
from bridge.journal.sqlite.accepting import Batch, accept
from bridge.journal.sqlite.database import connect
from bridge.journal.sqlite.ledger import Ledger
from bridge.journal.sqlite.recording import record
from bridge.journal.sqlite.threads import Job, Thread

T = TypeVar("T")

_LEISURE_S = 0.1


class AcceptJob(Job[Sequence[AcceptResult]]):
    __slots__ = ("batch",)

    def __init__(self, future: asyncio.Future[Sequence[AcceptResult]], batch: Batch) -> None:
        super().__init__(future)
        self.batch = batch


class RecordJob(Job[None]):
    __slots__ = ("changes",)

    def __init__(self, future: asyncio.Future[None], changes: Sequence[Change]) -> None:
        super().__init__(future)
        self.changes = changes


class WriteJob(Job[T]):
    """Any other write."""

    __slots__ = ("write",)

    def __init__(self, future: asyncio.Future[T], write: Callable[[Ledger], T]) -> None:
        super().__init__(future)
        self.write = write


class Leisure:
    """Jobs that have time: they are put with the next one that has none, or by themselves after a moment. That saves a disk sync,
    which others would wait behind. On the loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Job[Any], Callable[[Job[Any]], None]]] = []
        self._alone_at: asyncio.TimerHandle | None = None

    def add(self, job: Job[Any], put: Callable[[Job[Any]], None]) -> None:
        self._waiting.append((job, put))
        if self._alone_at is None:
            self._alone_at = job.future.get_loop().call_later(_LEISURE_S, self.end)

    def end(self) -> None:
        """Put them now."""
        if self._alone_at is None:
            return
        self._alone_at.cancel()
        self._alone_at = None
        waiting, self._waiting = self._waiting, []
        for job, put in waiting:
            put(job)


class Writer(Thread):
    """Commits in groups: one transaction and one disk sync for all jobs that wait.

    A group runs as a whole first, which is fast. If that fails it is rolled back, and each job gets a transaction of its own, so
    that a job which cannot be done fails alone."""

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        super().__init__("journal writer", path, cache_kib=4096, busy_timeout_s=busy_timeout_s)
        self._ledger: Ledger | None = None
        self._checkpointer = Checkpointer(path, busy_timeout_s=busy_timeout_s)

    def prepare(self, connection: sqlite3.Connection) -> None:
        self._ledger = Ledger(connection)
        self._checkpointer.start()

    def stop(self) -> None:
        self._checkpointer.stop()
        super().stop()

    def ending(self, connection: sqlite3.Connection) -> None:
        if self._ledger is None:
            return
        try:
            self._transaction(connection, (), last=True)
        except sqlite3.Error:
            pass  # some numbers of lanes are never given out, which costs nothing

    def work(self, connection: sqlite3.Connection, group: Sequence[Job[Any]]) -> None:
        try:
            self._transaction(connection, group)
        except Exception as error:
            if len(group) == 1 or _is_busy(error):
                raise  # locked by another process: for one job as much as for all
            for job in group:
                self._alone(connection, job)

    def _alone(self, connection: sqlite3.Connection, job: Job[Any]) -> None:
        try:
            self._transaction(connection, (job,))
        except Exception as error:
            job.error = self.as_error(error)

    def _transaction(self, connection: sqlite3.Connection, group: Sequence[Job[Any]], *, last: bool = False) -> None:
        assert self._ledger is not None
        before = connection.total_changes
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._ledger.begin()
            _run(self._ledger, group)
            self._ledger.keep_steps()
            if last:
                self._ledger.give_back_lane_seqs()
            connection.execute("COMMIT")
            self._ledger.committed()
        except BaseException as error:
            try:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            finally:
                self._ledger.forget()
                if isinstance(error, sqlite3.OperationalError):
                    self._checkpointer.starved()
            raise
        self._checkpointer.committed(connection.total_changes - before, _body_bytes(group))

    def reported(self, connection: sqlite3.Connection) -> None:
        self._checkpointer.finish(connection)


def _run(ledger: Ledger, group: Sequence[Job[Any]]) -> None:
    """Records come first, so that an echo which arrives together with its receipt is known as one. Whoever needs two jobs in a
    certain order waits for the first before asking for the second, so any order within a group is right."""
    records = [job for job in group if isinstance(job, RecordJob)]
    accepts = [job for job in group if isinstance(job, AcceptJob)]
    if records:
        record(ledger, [change for job in records for change in job.changes])
    if accepts:
        answers = accept(ledger, [job.batch for job in accepts])
        for job, answer in zip(accepts, answers, strict=True):
            job.result = answer
    for other in group:
        if isinstance(other, WriteJob):
            other.result = other.write(ledger)


def _body_bytes(group: Sequence[Job[Any]]) -> int:
    accepts = (job for job in group if isinstance(job, AcceptJob))
    return sum(len(entry.body) for job in accepts for entry in job.batch.entries if entry.body is not None)


def _is_busy(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


# -- checkpoints ------------------------------------------------------------------------------------------------------------

CHECKPOINT_PAGES = 1000
"""Pages in the write-ahead log after which it is copied into the file: about 4 MiB."""

_PAGES_PER_COMMIT = 10
_CHANGES_PER_PAGE = 8
_BODY_BYTES_PER_PAGE = 2048
"""How many pages a commit writes cannot be asked for; this is what was measured. The exact number does not matter."""

_QUIET_S = 0.02
"""A copy begins once nothing was committed for so long, since it slows down a commit beside it. Twice the pages do not wait."""


class Checkpointer:
    """Copies the write-ahead log into the file on a thread of its own, while the writer continues to commit.

    The log can only start over when all of it is copied. If something was committed meanwhile, then the writer itself copies that
    little rest, between two groups (`finish`)."""

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._pages = 0
        self._last_commit_s = 0.0
        self._wanted = threading.Event()
        self._left_over = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="journal checkpointer", daemon=True)
        self._connection: sqlite3.Connection | None = None

    def start(self) -> None:
        self._connection = connect(self._path, cache_kib=64, busy_timeout_s=self._busy_timeout_s)
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def committed(self, changes: int, body_bytes: int) -> None:
        """On the writer's thread, after each transaction."""
        self._pages += _PAGES_PER_COMMIT + changes // _CHANGES_PER_PAGE + body_bytes // _BODY_BYTES_PER_PAGE
        self._last_commit_s = time.monotonic()
        if self._pages >= CHECKPOINT_PAGES:
            self._wanted.set()

    def starved(self) -> None:
        """On the writer's thread, after a transaction that failed: if the disk is full, the log may go on at its beginning."""
        self._pages += 2 * CHECKPOINT_PAGES
        self._wanted.set()

    def finish(self, connection: sqlite3.Connection) -> None:
        """On the writer's thread, between two groups."""
        if self._left_over:
            self._left_over = False
            _checkpoint(connection)

    def _run(self) -> None:
        assert self._connection is not None
        while True:
            self._wanted.wait()
            self._wanted.clear()  # before looking at anything: what is wanted from here on gets its own turn
            while not self._stopping and self._pages < 2 * CHECKPOINT_PAGES and self._quiet_s() < _QUIET_S:
                time.sleep(_QUIET_S / 2)
            if self._stopping:
                return
            self._pages = 0
            self._left_over = not self._copy_all(self._connection)

    def _copy_all(self, connection: sqlite3.Connection) -> bool:
        """Whether the log is copied to its end, so that the next commit starts a new log."""
        last_commit_s = self._last_commit_s
        return _checkpoint(connection) and self._last_commit_s == last_commit_s

    def _quiet_s(self) -> float:
        return time.monotonic() - self._last_commit_s


def _checkpoint(connection: sqlite3.Connection) -> bool:
    """Copy what can be copied without waiting for anybody; whether that was all there was at the beginning.

    A failure (a full disk) loses nothing: the log is kept and the next turn copies it; commits go on or fail with a reason of
    their own."""
    try:
        _busy, pages, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.Error:
        return False
    return bool(pages == copied)
