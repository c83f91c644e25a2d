"""Group commit: what waits together is committed and synced at once, whoever else writes into the file."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bridge.journal.contract import AttemptStarted, Deferred, Delivered, JournalError
from bridge.journal.sqlite import SqliteJournal
from bridge.journal.sqlite import writer as writer_module
from bridge.journal.sqlite.database import WAL_LIMIT_BYTES
from bridge.model.adapter import Cursor
from tests.bridge.journal.journal_makers import ACCOUNT, CHAT, A, accept, at, created, deliver, entry, sent


@pytest.fixture
def statements(sqlite: SqliteJournal) -> list[str]:
    """What the writer tells SQLite from now on."""
    seen: list[str] = []
    assert sqlite._writer is not None
    connection = sqlite._writer._connection
    assert connection is not None
    connection.set_trace_callback(seen.append)
    return seen


async def test_all_that_waits_is_one_commit(sqlite: SqliteJournal, statements: list[str], lock: sqlite3.Connection) -> None:
    asked = [asyncio.ensure_future(accept(sqlite, created(f"{number}"), A)) for number in range(500)]
    await asyncio.sleep(0)
    assert await sqlite.open_lanes() == []  # a moment in which the first job got on its way; the others wait for it
    lock.execute("ROLLBACK")
    accepted = await asyncio.gather(*asked)
    assert statements.count("COMMIT") <= 2
    assert len(statements) < 250, "statements grow with the number of jobs"
    del statements[:]
    calls = [
        sqlite.record(sqlite.lease(A.account), [AttemptStarted(delivery_id=one.delivery_ids[0], part=0, attempt=1, at=at(1))])
        for one in accepted
    ]
    await asyncio.gather(*calls)
    assert statements.count("COMMIT") <= 20
    del statements[:]
    calls = [
        sqlite.record(
            sqlite.lease(A.account),
            [
                sent(one.delivery_ids[0], one.event_seq, A, f"c{one.event_seq}"),
                Delivered(delivery_id=one.delivery_ids[0], at=at(1)),
            ],
        )
        for one in accepted
    ]
    await asyncio.gather(*calls)
    assert statements.count("COMMIT") <= 20
    assert (await sqlite.figures()).lanes == ()


async def test_answers_come_only_after_the_commit(sqlite: SqliteJournal, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "bridge.journal")
    for number in range(50):
        await accept(sqlite, created(f"{number}"), A)
        assert other.execute("SELECT count(*) FROM event").fetchone() == (number + 1,)
    other.close()


async def test_every_commit_is_synced(sqlite: SqliteJournal) -> None:
    assert sqlite._writer is not None
    connection = sqlite._writer._connection
    assert connection is not None
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_a_journal_kept_locked_is_an_error_and_then_works(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "bridge.journal", busy_timeout_s=0.05)
    await journal.open()
    other = sqlite3.connect(tmp_path / "bridge.journal", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(*(accept(journal, created(f"{number}"), A) for number in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, JournalError) and "keeps the file locked" in str(outcome) for outcome in outcomes)
    other.execute("ROLLBACK")
    other.close()
    await accept(journal, created("1"), A)
    await journal.close()


async def test_names_made_in_a_transaction_that_failed_are_not_remembered(sqlite: SqliteJournal) -> None:
    """A chat, lane and route first seen by a call that fails are new again in the next."""
    for number in range(3):
        with pytest.raises(ValueError):
            await sqlite.accept(
                sqlite.lease(ACCOUNT), [entry(created("1"), A)], [Cursor(name="\ud800", value="")], received_at=at(number)
            )
    await deliver(sqlite, await accept(sqlite, created("1"), A), (A, "70"))
    assert await sqlite.latest_messages(CHAT, 5) == ["1"]


async def test_what_another_process_wrote_is_taken_into_account(sqlite: SqliteJournal, tmp_path: Path) -> None:
    """Numbers and names stay right although this writer remembers them."""
    await accept(sqlite, created("1"), A)
    tool = SqliteJournal(tmp_path / "bridge.journal", exclusive=False)
    await tool.open()
    for number in range(2, 10, 2):
        theirs = await accept(tool, created(f"{number}"), A)
        ours = await accept(sqlite, created(f"{number + 1}"), A)
        assert ours.event_seq == theirs.event_seq + 1
    await tool.close()
    assert len(await sqlite.pending(A, 0, 100)) == 9


async def test_the_write_ahead_log_stays_short(sqlite: SqliteJournal, tmp_path: Path) -> None:
    """Under steady writing, one commit at a time, which is the worst case for it."""
    log = tmp_path / "bridge.journal-wal"
    largest = 0
    for number in range(0, 4000, 16):
        await asyncio.gather(*(accept(sqlite, created(f"{number + offset}", text="x" * 2000), A) for offset in range(16)))
        largest = max(largest, log.stat().st_size)
    assert writer_module.CHECKPOINT_PAGES * 4096 <= largest < 8 * WAL_LIMIT_BYTES


async def test_what_has_time_shares_the_commit_of_what_has_not(sqlite: SqliteJournal, statements: list[str]) -> None:
    accepted = [await accept(sqlite, created(f"{number}"), A) for number in range(3)]
    del statements[:]
    waits = [
        Deferred(delivery_id=one.delivery_ids[0], attempt=1, not_before=at(60), error="no file yet", at=at(1)) for one in accepted
    ]
    calls = [asyncio.ensure_future(sqlite.record(sqlite.lease(A.account), [one], has_time=True)) for one in waits[:2]]
    await asyncio.sleep(0)
    assert "COMMIT" not in statements
    await accept(sqlite, created("next"), A)
    await asyncio.gather(*calls)
    assert statements.count("COMMIT") <= 2, "the first one may have been taken alone"
    await sqlite.record(sqlite.lease(A.account), [waits[2]], has_time=True)  # by itself, after a moment
    kept = await sqlite.pending(A, 0, 10)
    assert [getattr(one, "last_error", None) for one in kept] == ["no file yet"] * 3 + [""]


async def test_what_has_time_is_not_lost_by_closing(sqlite: SqliteJournal) -> None:
    accepted = await accept(sqlite, created("1"), A)
    change = Deferred(delivery_id=accepted.delivery_ids[0], attempt=1, not_before=at(60), error="no file yet", at=at(1))
    call = asyncio.ensure_future(sqlite.record(sqlite.lease(A.account), [change], has_time=True))
    await asyncio.sleep(0)
    await sqlite.close()
    await call
    await sqlite.open()
    (kept,) = await sqlite.pending(A, 0, 10)
    assert getattr(kept, "last_error", None) == "no file yet"
