"""Which run of the bridge accepted a delivery: kept as long as one of its deliveries is."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from bridge.journal.contract import Generation
from bridge.journal.sqlite import SqliteJournal
from tests.bridge.journal.journal_makers import A, B, accept, at, created, deliver


def pairs(found: object) -> list[tuple[int, str]]:
    assert isinstance(found, list)
    assert all(isinstance(one, Generation) for one in found)
    return [(one.first_delivery, one.mark) for one in found]


async def test_each_run_marks_what_it_accepts_and_one_that_accepted_nothing_is_replaced(sqlite: SqliteJournal) -> None:
    assert pairs(await sqlite.begin_generation("aaaa")) == [(1, "aaaa")]
    assert pairs(await sqlite.begin_generation("bbbb")) == [(1, "bbbb")]
    await accept(sqlite, created("1"), A, B)
    assert pairs(await sqlite.begin_generation("cccc")) == [(1, "bbbb"), (3, "cccc")]


async def test_it_is_forgotten_with_the_last_of_its_deliveries(sqlite: SqliteJournal) -> None:
    for number, mark in enumerate(("aaaa", "bbbb", "cccc"), 1):
        await sqlite.begin_generation(mark)
        await deliver(sqlite, await accept(sqlite, created(str(number)), A), (A, str(number)))
    await accept(sqlite, created("4"), A)
    assert pairs(await sqlite.begin_generation("dddd")) == [(1, "aaaa"), (2, "bbbb"), (3, "cccc"), (5, "dddd")]
    assert await sqlite.prune(before=at(10**6)) == 3
    assert pairs(await sqlite.begin_generation("eeee")) == [(3, "cccc"), (5, "eeee")]
    (waiting,) = await sqlite.pending(A, 0, 10)
    await sqlite.drop_dead([waiting.delivery_id], at=at(1))
    assert pairs(await sqlite.begin_generation("ffff")) == [(3, "cccc"), (5, "ffff")], "it is open, and no dead letter"


async def test_a_restored_journal_gives_numbers_again_under_another_mark(path: Path) -> None:
    journal, backup = SqliteJournal(path), path.with_name("backup")
    await journal.open()
    await journal.begin_generation("aaaa")
    await accept(journal, created("1"), A)
    await journal.close()
    shutil.copyfile(path, backup)
    for mark in ("bbbb", "cccc"):
        backup_of_now = SqliteJournal(path)
        await backup_of_now.open()
        assert pairs(await backup_of_now.begin_generation(mark)) == [(1, "aaaa"), (2, mark)]
        await accept(backup_of_now, created(f"after {mark}"), A)
        await backup_of_now.close()
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT max(id) FROM delivery").fetchone() == (2,)
        for name in ("", "-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)
        shutil.copyfile(backup, path)
