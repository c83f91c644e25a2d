"""Reads data for people: dead letters, figures, input that was not understood. On the reader's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec.structs import replace

from bridge.journal.contract import DeadLetter, Figures, LaneFigures, Undecodable
from bridge.journal.rules import states
from bridge.journal.sqlite import answers
from bridge.journal.sqlite.codec import (
    BEHIND,
    STATES,
    UNREADABLE,
    decode_event,
    sql_states,
    unpack_optional,
    unpack_optional_time,
    unpack_time,
)
from bridge.journal.sqlite.names import Names
from bridge.journal.sqlite.parts import Parts
from bridge.model.events import ChatEvent
from bridge.model.refs import AccountName


class PeoplesSide:
    """One instance per connection."""

    def __init__(self, connection: sqlite3.Connection, names: Names, parts: Parts) -> None:
        self._connection = connection
        self._names = names
        self._parts = parts

    def undecodable(self, limit: int) -> list[Undecodable]:
        rows = self._connection.execute(
            "SELECT number, account, reason, received_at, raw FROM undecodable ORDER BY number DESC LIMIT ?", (limit,)
        )
        return [
            Undecodable(number=number, account=AccountName(account), reason=reason, received_at=unpack_time(at), raw=raw)
            for number, account, reason, at, raw in rows.fetchall()
        ]

    def dead_letters(self, after: int, limit: int) -> list[DeadLetter]:
        rows = self._connection.execute(f"{_DEAD_LETTERS} AND delivery.id > ? ORDER BY delivery.id LIMIT ?", (after, limit))
        return [self._dead_letter(row) for row in rows.fetchall()]

    def dead_letter(self, delivery_id: int) -> DeadLetter | None:
        row = self._connection.execute(f"{_DEAD_LETTERS} AND delivery.id = ?", (delivery_id,)).fetchone()
        return None if row is None else replace(self._dead_letter(row), answers=answers.of(self._connection, delivery_id))

    def _dead_letter(self, row: Sequence[object]) -> DeadLetter:
        delivery, route, lane, thread, state, note, attempt, at, base, json = row
        assert isinstance(delivery, int)
        assert isinstance(route, int)
        assert isinstance(lane, int)
        assert isinstance(thread, int | bytes | str | None)
        assert isinstance(state, int)
        assert isinstance(note, str)
        assert isinstance(at, int)
        assert isinstance(json, bytes | None)
        target = self._names.lane_if_known(lane)
        end = self._names.find_end(target, unpack_optional(thread))
        return DeadLetter(
            delivery_id=delivery,
            route=self._names.route_if_known(route),
            target=target,
            state=STATES[state],
            reason=note,
            attempts=attempt if isinstance(attempt, int) else 0,
            died_at=unpack_time(at),
            event=_event_if_readable(json),
            parts_sent=len(self._parts.by(delivery, base, end)) if isinstance(base, int) else 0,
        )

    def figures(self, size_bytes: int) -> Figures:
        """Counts only what is unfinished; the number of events is known from the first and last of them. Of a lane the first one
        in the line is told: nothing waits for what is beside it."""
        connection = self._connection
        marks = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        last = connection.execute("SELECT max(seq) FROM event").fetchone()[0] or 0
        return Figures(
            events=max(last, marks.get("last_event", 0)) - marks.get("pruned", 0),
            dead=connection.execute(f"SELECT count(*) FROM delivery WHERE state {sql_states(states.GIVEN_UP)}").fetchone()[0],
            undecodable=connection.execute("SELECT count(*) FROM undecodable").fetchone()[0],
            size_bytes=size_bytes,
            lanes=self._lanes(),
        )

    def _lanes(self) -> tuple[LaneFigures, ...]:
        line = {lane: (first, count) for lane, first, count in self._connection.execute(_LINES)}
        behind = {lane: (first, count) for lane, first, count in self._connection.execute(_BEHIND)}
        counts = {lane: line.get(lane, (0, 0))[1] + behind.get(lane, (0, 0))[1] for lane in (*line, *behind)}
        firsts = {lane: line.get(lane) or behind[lane] for lane in counts}
        return tuple(self._lane(lane, first, counts[lane]) for lane, (first, _count) in sorted(firsts.items()))

    def _lane(self, lane: int, first: int, waiting: int) -> LaneFigures:
        oldest, not_before, attempt, note = self._connection.execute(
            "SELECT accepted_at, not_before, attempt, note FROM delivery LEFT JOIN event ON event.seq = delivery.event"
            " WHERE delivery.id = ?",
            (first,),
        ).fetchone()
        return LaneFigures(
            target=self._names.lane_if_known(lane),
            waiting=waiting,
            oldest_accepted_at=unpack_optional_time(oldest),
            next_attempt_at=unpack_optional_time(not_before),
            attempts=attempt or 0,
            last_error=note or "",
        )


def _event_if_readable(json: bytes | None) -> ChatEvent | None:
    try:
        return None if json is None else decode_event(json)
    except UNREADABLE:
        return None


_DEAD_LETTERS = (
    "SELECT delivery.id, route, lane, thread, state, note, attempt, at, base, json"
    f" FROM delivery LEFT JOIN body ON body.seq = delivery.event WHERE state {sql_states(states.GIVEN_UP)}"
)

# By lane: the first delivery, and how many there are. SQLite takes `id` from the row that has the minimum.
_LINES = (
    "SELECT lane, id, waiting FROM (SELECT lane, id, min(lane_seq), count(*) AS waiting FROM delivery"
    f" WHERE state {sql_states(states.IN_LINE)} GROUP BY lane)"
)
_BEHIND = f"SELECT lane, min(id), count(*) FROM delivery WHERE state = {BEHIND} GROUP BY lane"
