"""One statement over many rows.

Each call into SQLite releases the interpreter lock and has to get it back from a busy event loop, which can cost more than the
work itself. So a group of jobs runs as few statements over many rows, whatever its size.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

Row = tuple[Any, ...]

_SIZES = (128, 32, 8, 2, 1)
"""Rows per statement: few distinct texts, so that all of them stay prepared."""


class Bulk:
    """A statement with `{rows}` where `(?, ?), (?, ?)` goes, `columns` question marks to each row."""

    def __init__(self, sql: str, columns: int) -> None:
        row = f"({', '.join('?' * columns)})"
        self._statements = tuple((size, sql.replace("{rows}", ", ".join([row] * size))) for size in _SIZES)

    def run(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> list[Row]:
        """What the statement returns, for all rows; in no particular order."""
        found: list[Row] = []
        start, end = 0, len(rows)
        for size, sql in self._statements:
            while end - start >= size:
                found += connection.execute(sql, _flat(rows[start : start + size])).fetchall()
                start += size
        return found


def _flat(rows: Iterable[Row]) -> Row:
    return tuple(chain.from_iterable(rows))
