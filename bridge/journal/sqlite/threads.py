"""Jobs and the threads that do them, each with its own connection: the base, and the reader. The event loop never waits here.

Jobs reach a thread by a queue; their outcomes go back to the loop once per group.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from bridge.journal.sqlite.database import connect, explain

T = TypeVar("T")

GROUP_JOBS = 1024
"""Jobs per transaction at most: bounds the time until the first of them is answered."""


class Job(Generic[T]):
    """Something to do on a thread, and the future its caller waits for."""

    __slots__ = ("error", "future", "result")

    def __init__(self, future: asyncio.Future[T]) -> None:
        self.future = future
        self.result: T | None = None
        self.error: Exception | None = None

    def settle(self) -> None:
        """On the loop. A caller that was cancelled meanwhile gets no result; its request is done nevertheless."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


class Thread:
    """Takes everything that waits in its queue at once and passes it to `work`."""

    def __init__(self, name: str, path: Path, *, cache_kib: int, busy_timeout_s: float) -> None:
        self._path = path
        self._cache_kib = cache_kib
        self._busy_timeout_s = busy_timeout_s
        self._queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._connection: sqlite3.Connection | None = None

    def start(self) -> None:
        """Raises sqlite3.Error. Blocks for the time of opening a file."""
        self._connection = connect(self._path, cache_kib=self._cache_kib, busy_timeout_s=self._busy_timeout_s)
        self.prepare(self._connection)
        self._thread.start()

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Before the thread runs."""

    def ending(self, connection: sqlite3.Connection) -> None:
        """On the thread, when all that was queued is done. Must not raise."""

    def stop(self) -> None:
        """Waits until all that was queued is done. Blocks."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def put(self, job: Job[Any]) -> None:
        self._queue.put(job)

    def _run(self) -> None:
        assert self._connection is not None
        running = True
        while running:
            group: list[Job[Any]] = []
            job = self._queue.get()
            try:
                while job is not None:
                    group.append(job)
                    if len(group) == GROUP_JOBS:
                        break
                    job = self._queue.get_nowait()
                else:
                    running = False
            except Empty:
                pass
            if group:
                self._carry_out(self._connection, group)
                _report(group)
                self.reported(self._connection)
        self.ending(self._connection)

    def _carry_out(self, connection: sqlite3.Connection, group: list[Job[Any]]) -> None:
        """Never raises, since this thread must not end: a failure becomes the jobs' error."""
        try:
            self.work(connection, group)
        except Exception as error:
            for job in group:
                job.error = self.as_error(error)

    def work(self, connection: sqlite3.Connection, group: Sequence[Job[Any]]) -> None:
        raise NotImplementedError

    def reported(self, connection: sqlite3.Connection) -> None:
        """After a group, when nothing waits for it any more. Must not raise."""

    def as_error(self, error: Exception) -> Exception:
        """Storage faults become JournalError; anything else is a caller's mistake or a bug, and is raised unchanged."""
        if isinstance(error, sqlite3.Error | OSError):
            explained = explain(error, self._path)
            explained.__cause__ = error
            return explained
        return error


def _report(group: Sequence[Job[Any]]) -> None:
    """Wake the loop once. Nothing waits on a closed loop."""
    loop = group[0].future.get_loop()
    try:
        loop.call_soon_threadsafe(_settle, group)
    except RuntimeError:
        if not loop.is_closed():
            raise


def _settle(group: Sequence[Job[Any]]) -> None:
    for job in group:
        job.settle()


# -- reading ----------------------------------------------------------------------------------------------------------------


class ReadJob(Job[T]):
    __slots__ = ("read",)

    def __init__(self, future: asyncio.Future[T], read: Callable[[], T]) -> None:
        super().__init__(future)
        self.read = read


class Reader(Thread):
    """Sees all that was committed before it was asked. Never blocks the writer, nor is blocked by it."""

    def __init__(self, path: Path, *, busy_timeout_s: float, prepare: Callable[[sqlite3.Connection], None]) -> None:
        super().__init__("journal reader", path, cache_kib=2048, busy_timeout_s=busy_timeout_s)
        self._on_connect = prepare

    def prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA query_only = ON")
        self._on_connect(connection)

    def work(self, connection: sqlite3.Connection, group: Sequence[Job[Any]]) -> None:
        for job in group:
            assert isinstance(job, ReadJob)
            try:
                job.result = job.read()
            except Exception as error:
                job.error = self.as_error(error)
