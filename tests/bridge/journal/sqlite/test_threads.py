"""Neither the loop nor readers ever wait for the disk, and closing waits for nobody."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bridge.journal.contract import Figures, JournalError
from bridge.journal.sqlite import SqliteJournal
from bridge.journal.sqlite import writer as writer_module
from tests.bridge.journal.journal_makers import ACCOUNT, A, accept, created, deliver_one
from tests.support.patience import PATIENCE_S


async def test_reading_and_the_loop_go_on_while_a_write_waits(sqlite: SqliteJournal, lock: sqlite3.Connection) -> None:
    writing = asyncio.ensure_future(accept(sqlite, created("1"), A))
    for _ in range(20):
        assert await sqlite.pending(A, 0, 10) == []
        assert await sqlite.cursor(ACCOUNT, "x") is None
    assert not writing.done()
    lock.execute("ROLLBACK")
    await writing


async def test_closing_never_hangs_whatever_the_threads_are_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "CHECKPOINT_PAGES", 1)  # a copy of the log is nearly always under way
    for turn in range(30):
        journal = SqliteJournal(tmp_path / "bridge.journal")
        await journal.open()
        writes = [asyncio.ensure_future(deliver_one(journal, turn * 1000 + number, 0)) for number in range(turn)]
        reads = [asyncio.ensure_future(journal.figures()) for _ in range(turn)]
        for _ in range(turn % 7):
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            await journal.close()
            outcomes = await asyncio.gather(*writes, *reads, return_exceptions=True)
        assert all(outcome is None or isinstance(outcome, JournalError | Figures) for outcome in outcomes)
