"""Reads the parts of copies. On the reader's thread."""

from __future__ import annotations

import sqlite3

from bridge.journal.contract import StoredPart
from bridge.journal.sqlite.codec import Packed, unpack_copy
from bridge.journal.sqlite.names import Names
from bridge.model.adapter import Copy


class Parts:
    """One instance per connection."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    def by(self, delivery: int, base: int, place: int | None) -> tuple[StoredPart, ...]:
        """What this delivery has sent; `base` is the created event that it is a copy of."""
        rows = self._connection.execute(
            "SELECT part, chat, message, more, thread, via FROM part WHERE seq = ? AND lane = ? AND (delivery = ? OR edit = ?)"
            " ORDER BY part",
            (base, place, delivery, delivery),
        )
        return tuple(StoredPart(part=part, copy=self.copy(*columns)) for part, *columns in rows.fetchall())

    def copy(self, chat: int, message: Packed | None, more: str | None, thread: Packed | None, via: Packed | None) -> Copy:
        return unpack_copy(self._names.chat_of(chat).chat_id, message, more, thread, via)
