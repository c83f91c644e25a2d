"""A journal's file, as one sees it from outside."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bridge.journal.sqlite import SqliteJournal


async def open_and_close(path: Path, *, exclusive: bool = True) -> None:
    journal = SqliteJournal(path, exclusive=exclusive)
    try:
        await journal.open()
    finally:
        await journal.close()


def pragma(path: Path, name: str) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
    finally:
        connection.close()


def content(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
