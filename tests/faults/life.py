"""One life of the simulated process, from start to kill -9: counts the boundaries it crosses, and ends at a given one.

A boundary is where the process meets what outlives it: before and after each transaction of the journal, each reading of it, each
request to a platform, each confirmation upstream. From its death on nothing crosses any: whatever runs waits for ever.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bridge.journal.contract import Change, Damaged, JournalError, Lease, OpenDelivery
from bridge.journal.sqlite import SqliteJournal
from bridge.journal.sqlite.database import connect, prepare
from bridge.journal.sqlite.threads import GROUP_JOBS, Job, Reader, Thread
from bridge.journal.sqlite.writer import Writer
from bridge.model.refs import ChatAddress

WRITE_S = 0.002
READ_S = 0.0002


class Life:
    """`dies_at`: the number of the boundary that is not crossed any more. `note` is told every boundary."""

    def __init__(self, note: Callable[[str], None], *, dies_at: int | None = None) -> None:
        self.crossed = 0
        self.over = asyncio.Event()
        self.died_before = ""
        self._note = note
        self._dies_at = dies_at

    def cross(self, what: str) -> bool:
        """Whether the process lives on past this boundary."""
        if self.over.is_set():
            return False
        self.crossed += 1
        if self.crossed == self._dies_at:
            self.died_before = what
            self.end()
            return False
        self._note(what)
        return True

    def end(self) -> None:
        """kill -9."""
        self._note("the process dies")
        self.over.set()

    async def reach(self, what: str) -> None:
        """As `cross`, for coroutines: never returns to a dead process."""
        if not self.cross(what):
            await asyncio.Event().wait()


class InlineJournal(SqliteJournal):
    """The real journal whose threads' work is done on the loop, a little virtual time after it was asked for, so that a run depends
    on nothing but its seed. Grouping, transactions and SQLite are the real ones; only the disk is not waited for."""

    def __init__(
        self,
        path: Path,
        life: Life,
        *,
        is_full: Callable[[], bool] = lambda: False,
        late_s: Callable[[], float] = lambda: 0.0,
        has_bug: Callable[[], bool] = lambda: False,
    ) -> None:
        """`late_s`: how long after it was carried out a transaction or a reading is answered, while others see it, or change what
        it saw; answers overtake each other then. `has_bug`: whether this call from a lane meets a bug of ours."""
        super().__init__(path)
        self.life = life
        self.is_full = is_full
        self.late_s = late_s
        self.has_bug = has_bug

    async def pending(self, lane: ChatAddress, after: int, limit: int) -> Sequence[OpenDelivery | Damaged]:
        if self.has_bug():
            raise KeyError("a bug in a reading")
        return await super().pending(lane, after, limit)

    async def record(self, lease: Lease, changes: Sequence[Change], *, has_time: bool = False) -> None:
        if self.has_bug():
            raise RuntimeError("a bug in a record")
        await super().record(lease, changes, has_time=has_time)

    def _open(self) -> None:
        self._lock.take()
        if not self._path.exists():
            self._path.write_bytes(_empty_journal())
        prepare(self._path, exclusive=True, busy_timeout_s=0)
        self._reader = _InlineReader(self)
        self._reader.start()
        self._writer = _InlineWriter(self)
        self._writer.start()


@cache
def _empty_journal() -> bytes:
    """A new journal's file: made once, since that takes longer than the rest of a short life."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "empty")
        prepare(path, exclusive=True, busy_timeout_s=0)
        return path.read_bytes()


class _Inline(Thread):
    """Jobs that wait are done as one group, as the thread does it."""

    journal: InlineJournal
    kind: str
    takes_s: float

    def start(self) -> None:
        self._jobs: list[Job[Any]] = []
        self._connection = connect(self._path, cache_kib=1024, busy_timeout_s=0)
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA wal_autocheckpoint = 1000")
        self.prepare(self._connection)

    def put(self, job: Job[Any]) -> None:
        self._jobs.append(job)
        if len(self._jobs) == 1:
            asyncio.get_running_loop().call_later(self.takes_s, self._do)

    def _do(self) -> None:
        group, self._jobs = self._jobs[:GROUP_JOBS], self._jobs[GROUP_JOBS:]
        if self._jobs:
            asyncio.get_running_loop().call_later(self.takes_s, self._do)
        if not group or self._connection is None or not self.journal.life.cross(f"{self.kind} {len(group)}"):
            return
        if self.kind == "write" and self.journal.is_full():
            for job in group:
                job.error = JournalError("the disk is full")
        else:
            self._carry_out(self._connection, group)
        if self.kind == "write" and not self.journal.life.cross("written"):
            return
        for job in group:
            late_s = self.journal.late_s()
            if late_s:
                asyncio.get_running_loop().call_later(late_s, job.settle)
            else:
                job.settle()

    def stop(self) -> None:
        while self._jobs and not self.journal.life.over.is_set():
            self._do()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _InlineReader(_Inline, Reader):
    kind, takes_s = "read", READ_S

    def __init__(self, journal: InlineJournal) -> None:
        Reader.__init__(self, journal._path, busy_timeout_s=0, prepare=journal._use_for_reading)
        self.journal = journal


class _InlineWriter(_Inline, Writer):
    kind, takes_s = "write", WRITE_S

    def __init__(self, journal: InlineJournal) -> None:
        Writer.__init__(self, journal._path, busy_timeout_s=0)
        self.journal = journal

    def prepare(self, connection: Any) -> None:
        from bridge.journal.sqlite.ledger import Ledger

        self._ledger = Ledger(connection)
