"""Group commit, and that neither the loop nor readers ever wait for the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bridge.journal.contract import AttemptStarted, Delivered, Figures, JournalError
from bridge.journal.sqlite import SqliteJournal
from bridge.journal.sqlite import writer as writer_module
from bridge.journal.sqlite.database import WAL_LIMIT_BYTES
from bridge.model.adapter import Cursor
from tests.bridge.journal.journal_makers import ACCOUNT, CHAT, A, accept, at, created, deliver, entry, sent
from tests.support.patience import PATIENCE_S


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "bridge.journal", busy_timeout_s=20)
    await journal.open()
    yield journal
    await journal.close()


@pytest.fixture
def statements(sqlite: SqliteJournal) -> list[str]:
    """What the writer tells SQLite from now on."""
    seen: list[str] = []
    assert sqlite._writer is not None
    connection = sqlite._writer._connection
    assert connection is not None
    connection.set_trace_callback(seen.append)
    return seen


@pytest.fixture
def lock(sqlite: SqliteJournal, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that is writing: the writer's first job waits, and others gather behind it."""
    connection = sqlite3.connect(tmp_path / "bridge.journal", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.close()


async def test_all_that_waits_is_one_commit(sqlite: SqliteJournal, statements: list[str], lock: sqlite3.Connection) -> None:
    asked = [asyncio.ensure_future(accept(sqlite, created(f"{number}"), A)) for number in range(500)]
    await asyncio.sleep(0)
    assert await sqlite.open_lanes() == []  # a moment in which the first job got on its way; the others wait for it
    lock.execute("ROLLBACK")
    accepted = await asyncio.gather(*asked)
    assert statements.count("COMMIT") <= 2
    assert len(statements) < 150, "statements grow with the number of jobs"
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


async def test_reading_and_the_loop_go_on_while_a_write_waits(sqlite: SqliteJournal, lock: sqlite3.Connection) -> None:
    writing = asyncio.ensure_future(accept(sqlite, created("1"), A))
    for _ in range(20):
        assert await sqlite.pending(A, 0, 10) == []
        assert await sqlite.cursor(ACCOUNT, "x") is None
    assert not writing.done()
    lock.execute("ROLLBACK")
    await writing


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


async def test_the_undecodable_are_kept_up_to_a_number(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "bridge.journal", undecodable_limit=3)
    await journal.open()
    for number in range(10):
        await journal.keep_undecodable(journal.lease(ACCOUNT), b"%d" % number, "odd", [], received_at=at(number))
    assert [kept.raw for kept in await journal.undecodable()] == [b"9", b"8", b"7"]
    assert (await journal.figures()).undecodable == 3
    await journal.close()


async def test_a_delivered_message_is_small_on_disk(sqlite: SqliteJournal, tmp_path: Path) -> None:
    """The goal is 700 bytes, with long ids, names and texts; the log beside the file is bounded by itself."""
    count = 3000
    for start in range(0, count, 100):
        accepted = await asyncio.gather(
            *(accept(sqlite, created(f"{1_700_000_000 + n}.{n:06d}", text="word " * 100), A) for n in range(start, start + 100))
        )
        await asyncio.gather(
            *(deliver(sqlite, one, (A, f"{1_300_000_000_000_000_000 + one.event_seq * 7919}")) for one in accepted)
        )
    await sqlite.close()
    assert (tmp_path / "bridge.journal").stat().st_size / count < 400


async def test_space_is_used_again(sqlite: SqliteJournal, tmp_path: Path) -> None:
    """Retention keeps the file bounded: a tenth turn needs hardly more than the second."""
    sizes: list[int] = []
    for turn in range(10):
        for start in range(0, 600, 100):
            numbers = range(turn * 600 + start, turn * 600 + start + 100)
            await asyncio.gather(*(deliver_one(sqlite, number, turn) for number in numbers))
        assert await sqlite.prune(before=at(turn + 0.5), limit=600) == 600
        await sqlite.close()
        sizes.append((tmp_path / "bridge.journal").stat().st_size)
        await sqlite.open()
    assert max(sizes) < sizes[1] * 1.3


async def test_space_is_given_back_after_an_outage(sqlite: SqliteJournal, tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    for start in range(0, 3000, 100):
        await asyncio.gather(*(accept(sqlite, created(f"{n}", text="x" * 5000), A) for n in range(start, start + 100)))
    await sqlite.close()
    full = path.stat().st_size
    await sqlite.open()
    while pending := await sqlite.pending(A, 0, 500):
        await sqlite.record(sqlite.lease(A.account), [Delivered(delivery_id=one.delivery_id, at=at(1)) for one in pending])
    await sqlite.prune(before=at(-1))
    await sqlite.close()
    assert path.stat().st_size < full / 4
    await sqlite.open()
    assert (await sqlite.figures()).events == 3000


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


async def deliver_one(journal: SqliteJournal, number: int, when: float) -> None:
    await deliver(journal, await accept(journal, created(f"{number}", text="x" * 1000), A, when=when), (A, f"c{number}"))
