"""What is on disk: accepted events, deliveries, receipts, links between copies, cursors. Nothing outside this package knows SQL.

contract    values and roles          tracing   what is told of one message
sqlite      the storage: one file

`open_journal` is the entry point: only this function decides which storage is used.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.journal.contract import Journal

BUSY_TIMEOUT_S = 5.0


def journal_at(path: Path, *, exclusive: bool = True, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Journal:
    """The journal at that path, not open yet.

    `exclusive` is for the daemon: it creates and migrates, and no second daemon gets it. With `exclusive=False` a command line tool
    reads and writes beside a running daemon, or without one; each waits up to `busy_timeout_s` for the other."""
    from bridge.journal.sqlite import SqliteJournal

    return SqliteJournal(path, exclusive=exclusive, busy_timeout_s=busy_timeout_s)


@asynccontextmanager
async def open_journal(path: Path, *, exclusive: bool = True, busy_timeout_s: float = BUSY_TIMEOUT_S) -> AsyncIterator[Journal]:
    """The journal at that path, open until the block ends. As `journal_at`. Raises JournalError."""
    journal = journal_at(path, exclusive=exclusive, busy_timeout_s=busy_timeout_s)
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()
