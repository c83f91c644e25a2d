"""What is on disk: accepted events, deliveries, receipts, links between copies, cursors. Nothing outside this package knows SQL.

contract    values and roles              tracing        what is told of one message
sqlite      the storage: one file         dead_letters   all of them, for who retries many

`open_journal` is the entry point: only this function decides which storage is used.
"""

from __future__ import annotations

import glob
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.journal.contract import Journal
    from bridge.journal.sqlite.checking import Checked

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


def back_up(path: Path, to: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> int:
    """Copy the journal into a new file while a daemon may go on writing; returns its size in bytes. Blocks. Raises JournalError."""
    from bridge.journal.sqlite.copying import back_up

    return back_up(path, to, busy_timeout_s=busy_timeout_s)


def check(path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Checked:
    """What is wrong with the file. Blocks, and only reads. Raises JournalError."""
    from bridge.journal.sqlite.checking import check

    return check(path, busy_timeout_s=busy_timeout_s)


def export(path: Path, *, words: bool, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Iterator[dict[str, Any]]:
    """All that the journal knows, one value a line; what people are called and wrote only with `words`. Raises JournalError."""
    from bridge.journal.sqlite.exporting import export

    return export(path, words=words, busy_timeout_s=busy_timeout_s)


def former_copies(path: Path) -> list[Path]:
    """Copies of the journal that were made before it was led to another schema."""
    return sorted(path.parent.glob(f"{glob.escape(path.name)}.schema-*"))
