"""A journal of SQLite, and another program that writes into its file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bridge.journal.sqlite import SqliteJournal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is, or will be."""
    return tmp_path / "bridge.journal"


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "bridge.journal", busy_timeout_s=20)
    await journal.open()
    yield journal
    await journal.close()


@pytest.fixture
def lock(sqlite: SqliteJournal, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that is writing: the writer's first job waits, and others gather behind it."""
    connection = sqlite3.connect(tmp_path / "bridge.journal", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.close()
