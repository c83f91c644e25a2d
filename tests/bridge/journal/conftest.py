"""The journal under test, once for each of `journal_implementations.IMPLEMENTATIONS`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bridge.journal.contract import Journal
from tests.bridge.journal.journal_implementations import IMPLEMENTATIONS


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
def make_journal(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Journal]:
    """Each call gives one more journal object on the same storage."""
    implementation = IMPLEMENTATIONS[request.param]
    return lambda: implementation(tmp_path)


@pytest.fixture
async def journal(make_journal: Callable[[], Journal]) -> AsyncIterator[Journal]:
    opened = make_journal()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def reopen(make_journal: Callable[[], Journal]) -> AsyncIterator[Callable[[Journal], Awaitable[Journal]]]:
    """Close a journal and open its storage again, as a restart does."""
    opened: list[Journal] = []

    async def again(journal: Journal) -> Journal:
        await journal.close()
        fresh = make_journal()
        await fresh.open()
        opened.append(fresh)
        return fresh

    yield again
    for journal in opened:
        await journal.close()
