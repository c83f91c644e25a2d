"""Reads the parts of copies. On the reader's thread."""

from __future__ import annotations

import sqlite3
from typing import Any

from bridge.journal.contract import StoredPart
from bridge.journal.sqlite.codec import PART_COLUMNS, unpack_part
from bridge.journal.sqlite.names import Names
from bridge.model.refs import ChatAddress


class Parts:
    """One instance per connection."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    def by(self, delivery: int, base: int, end: int | None) -> tuple[StoredPart, ...]:
        """What this delivery has sent; `base` is the created event that it is a copy of."""
        rows = self._connection.execute(
            f"SELECT {PART_COLUMNS} FROM part WHERE seq = ? AND lane_end = ? AND (delivery = ? OR edit = ?) ORDER BY part",
            (base, end, delivery, delivery),
        )
        return tuple(self.part(*columns) for columns in rows.fetchall())

    def of(self, seq: int) -> dict[int, list[StoredPart]]:
        """All copies of a created event, by their ends' numbers."""
        rows = self._connection.execute(f"SELECT lane_end, {PART_COLUMNS} FROM part WHERE seq = ? ORDER BY lane_end, part", (seq,))
        return self._by_end(rows.fetchall())

    def at(self, seq: int, lane: ChatAddress) -> dict[int, list[StoredPart]]:
        """The same, at the ends of one lane."""
        rows = self._connection.execute(
            f"SELECT lane_end, {PART_COLUMNS} FROM part WHERE seq = ? AND lane_end IN (SELECT id FROM lane_end WHERE lane = ?)"
            " ORDER BY part",
            (seq, self._names.find_lane(lane)),
        )
        return self._by_end(rows.fetchall())

    def _by_end(self, rows: list[Any]) -> dict[int, list[StoredPart]]:
        found: dict[int, list[StoredPart]] = {}
        for end, *columns in rows:
            found.setdefault(end, []).append(self.part(*columns))
        return found

    def part(self, part: int, chat: int, *columns: Any) -> StoredPart:
        """From PART_COLUMNS."""
        return unpack_part(self._names.chat_of(chat).chat_id, part, *columns)
