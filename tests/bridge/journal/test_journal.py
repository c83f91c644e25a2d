"""The door: which storage is behind it, and that it is closed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.journal import journal_at, open_journal
from bridge.journal.contract import JournalError
from tests.bridge.journal.journal_makers import A, accept, created


async def test_it_is_open_until_the_block_ends_also_by_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    with pytest.raises(ZeroDivisionError):
        async with open_journal(path) as journal:
            await accept(journal, created("1"), A)
            raise ZeroDivisionError
    with pytest.raises(JournalError, match="not open"):
        await journal.figures()
    async with open_journal(path, exclusive=False) as journal:
        assert await journal.open_lanes() == [A]


async def test_two_daemons_do_not_share_it_but_a_command_stands_beside_one(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    async with open_journal(path):
        with pytest.raises(JournalError, match="in use"):
            await journal_at(path).open()
        async with open_journal(path, exclusive=False) as beside:
            assert (await beside.figures()).events == 0


async def test_a_command_makes_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal"):
        async with open_journal(tmp_path / "bridge.journal", exclusive=False):
            raise AssertionError("it was opened")
