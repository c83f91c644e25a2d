"""Closing: all that was asked is done, and one file is left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.journal.contract import JournalError
from bridge.journal.sqlite import SqliteJournal
from tests.bridge.journal.journal_makers import A, accept, created


async def test_closing_leaves_one_file_and_may_be_repeated(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    await accept(journal, created("1"), A)
    await journal.close()
    await journal.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["bridge.journal", "bridge.journal.lock"]
    with pytest.raises(JournalError, match="not open"):
        await journal.figures()
    with pytest.raises(JournalError, match="not open"):
        await journal.record(journal.lease(A.account), [])


async def test_closing_finishes_what_was_asked(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    asked = [asyncio.ensure_future(accept(journal, created(f"{number}"), A)) for number in range(50)]
    await asyncio.sleep(0)
    await journal.close()
    assert len(await asyncio.gather(*asked)) == 50
