"""Reads lists for the dashboard: the latest deliveries, and dead letters without their words. Each call looks at a bounded number
of rows, so that who relays waits for milliseconds at most. On the reader's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from bridge.journal.contract import DeadMark, RecentDelivery, RecentPage
from bridge.journal.rules import states
from bridge.journal.sqlite.codec import (
    CHANGES,
    STATES,
    sql_states,
    unpack_author,
    unpack_id,
    unpack_optional,
    unpack_optional_time,
    unpack_time,
)
from bridge.journal.sqlite.names import MissingName, Names
from bridge.model.refs import MessageRef

LOOKED_AT = 2000
"""Deliveries that one call looks at, whichever route they are of."""


class Recent:
    """One instance per connection."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    def deliveries(self, route: str, before: int | None, limit: int) -> RecentPage:
        number = self._names.find_route(route)
        if before is None:
            before = (self._connection.execute("SELECT max(id) FROM delivery").fetchone()[0] or 0) + 1
        if number is None:
            return RecentPage(deliveries=(), before=0)
        lowest = max(before - LOOKED_AT, 0)
        rows = self._connection.execute(_DELIVERIES, (lowest, before, number, limit)).fetchall()
        if len(rows) == limit:
            lowest = rows[-1][0]
        elif lowest and self._connection.execute("SELECT 1 FROM delivery WHERE id < ? LIMIT 1", (lowest,)).fetchone() is None:
            lowest = 0
        return RecentPage(deliveries=tuple(self._delivery(row) for row in rows), before=lowest)

    def _delivery(self, row: Sequence[Any]) -> RecentDelivery:
        number, accepted_at, origin, message, author, author_id, username, lane, thread, state, at, note, change = row
        return RecentDelivery(
            delivery_id=number,
            accepted_at=unpack_optional_time(accepted_at),
            message=self._message(origin, message),
            author_name=unpack_author(author, author_id, username),
            change=None if change is None else CHANGES[change],
            target=self._names.lane_if_known(lane),
            thread_id=unpack_optional(thread),
            state=STATES[state],
            ended_at=unpack_optional_time(at) if STATES[state] not in states.OPEN else None,
            note=note or "",
        )

    def _message(self, origin: int | None, message: Any) -> MessageRef | None:
        if origin is None or message is None:
            return None
        try:
            return MessageRef(self._names.chat_of(origin), unpack_id(message))
        except MissingName:
            return None

    def dead_marks(self, after: int, limit: int) -> list[DeadMark]:
        rows = self._connection.execute(_DEAD_MARKS, (after, limit)).fetchall()
        return [
            DeadMark(
                delivery_id=number,
                route=self._names.route_if_known(route),
                target=self._names.lane_if_known(lane),
                state=STATES[state],
                died_at=unpack_time(at),
                reason=note or "",
            )
            for number, route, lane, state, at, note in rows
        ]


_DELIVERIES = (
    "SELECT delivery.id, accepted_at, origin, message, author, author_id, username, lane, delivery.thread, state, at, note,"
    " (SELECT kind FROM change WHERE change.seq = delivery.event LIMIT 1)"
    " FROM delivery LEFT JOIN event ON event.seq = delivery.event"
    " WHERE delivery.id >= ? AND delivery.id < ? AND route = ? ORDER BY delivery.id DESC LIMIT ?"
)
_DEAD_MARKS = (
    f"SELECT id, route, lane, state, at, note FROM delivery WHERE state {sql_states(states.GIVEN_UP)} AND id > ?"
    " ORDER BY id LIMIT ?"
)
