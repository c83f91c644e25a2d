"""Numbers in lanes are set aside some at a time, and still none is given out twice: not after a crash, nor after what failed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.journal.contract import JournalError
from bridge.journal.sqlite import SqliteJournal
from tests.bridge.journal.journal_makers import A, B, accept, created


async def opened(path: Path) -> SqliteJournal:
    journal = SqliteJournal(path, busy_timeout_s=0.05)
    await journal.open()
    return journal


async def test_after_a_crash_none_is_given_out_twice(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    journal = await opened(path)
    given = [(await accept(journal, created(f"{number}"), A)).lane_seqs[0] for number in range(70)]
    (tmp_path / "crashed").mkdir()
    for name in ("bridge.journal", "bridge.journal-wal"):
        shutil.copy(tmp_path / name, tmp_path / "crashed" / name)
    await journal.close()
    again = await opened(tmp_path / "crashed" / "bridge.journal")
    (after,) = (await accept(again, created("next"), A)).lane_seqs
    assert [one.lane_seq for one in await again.pending(A, 0, 100)] == [*given, after]
    assert after > given[-1] == 70
    await again.close()


async def test_a_clean_end_leaves_none_out(tmp_path: Path) -> None:
    journal = await opened(tmp_path / "bridge.journal")
    await accept(journal, created("1"), A, B, A)
    await journal.close()
    journal = await opened(tmp_path / "bridge.journal")
    assert (await accept(journal, created("2"), A, B)).lane_seqs == (3, 2)
    await journal.close()


async def test_what_could_not_begin_gives_none_back(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    journal = await opened(path)
    await accept(journal, created("1"), A)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError):
            await accept(journal, created("2"), A)
        other.execute("ROLLBACK")
    assert (await accept(journal, created("3"), A)).lane_seqs == (2,)
    await journal.close()


async def test_beside_another_process_that_writes(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    journal = await opened(path)
    (first,) = (await accept(journal, created("1"), A)).lane_seqs
    command = SqliteJournal(path, exclusive=False)
    await command.open()
    await command.set_note("n", "v")
    await command.close()
    (second,) = (await accept(journal, created("2"), A)).lane_seqs
    (third,) = (await accept(journal, created("3"), A)).lane_seqs
    assert first < second < third
    await journal.close()
