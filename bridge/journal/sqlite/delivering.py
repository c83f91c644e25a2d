"""Reads open deliveries, lane by lane. On the reader's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from bridge.journal.contract import Damaged, OpenDelivery
from bridge.journal.rules import changes, pieces, states
from bridge.journal.rules.changes import LatestChange
from bridge.journal.sqlite.codec import (
    BEHIND,
    STATES,
    UNREADABLE,
    Packed,
    decode_edit,
    decode_event,
    pack_id,
    sql_states,
    unpack_optional,
    unpack_optional_time,
)
from bridge.journal.sqlite.names import Names
from bridge.journal.sqlite.parts import Parts
from bridge.model.events import ChatEvent, MessageCreated, MessageEdited
from bridge.model.refs import ChatAddress


class Deliveries:
    """One instance per connection."""

    def __init__(self, connection: sqlite3.Connection, names: Names, parts: Parts) -> None:
        self._connection = connection
        self._names = names
        self._parts = parts

    def open_lanes(self) -> list[ChatAddress]:
        rows = {row for sql in (_LANES_WITH_A_LINE, _LANES_WITH_SOME_BEHIND) for row in self._connection.execute(sql)}
        lanes = [self._names.lane_if_known(lane) for (lane,) in sorted(rows)]
        return [lane for lane in lanes if lane.account]

    def pending(self, lane: ChatAddress, after: int, limit: int) -> list[OpenDelivery | Damaged]:
        number = self._names.find_lane(lane)
        if number is None:
            return []
        rows = self._connection.execute(
            f"{_OPEN_DELIVERIES} WHERE lane = ? AND lane_seq > ? AND {_IS_IN_LINE} ORDER BY lane_seq LIMIT ?",
            (number, after, limit),
        ).fetchall()
        return [self._whole_or_damaged(lane, row) for row in rows]

    def behind(self, lane: ChatAddress, limit: int) -> list[OpenDelivery | Damaged]:
        rows = self._connection.execute(
            f"{_OPEN_DELIVERIES} WHERE lane = ? AND {_IS_BEHIND} ORDER BY coalesce(not_before, 0), id LIMIT ?",
            (self._names.find_lane(lane), limit),
        ).fetchall()
        return [self._whole_or_damaged(lane, row) for row in rows]

    def _whole_or_damaged(self, lane: ChatAddress, row: Sequence[Any]) -> OpenDelivery | Damaged:
        """One row that cannot be read is one delivery's trouble, not the lane's."""
        try:
            return self._pending(lane, *row)
        except UNREADABLE as error:
            return Damaged(delivery_id=row[0], lane_seq=row[1] or 0, reason=_damage(error))

    def _pending(
        self,
        lane: ChatAddress,
        delivery: int,
        lane_seq: int | None,
        seq: int,
        route: int,
        thread: Packed | None,
        state: int,
        attempt: int | None,
        first_attempt_at: int | None,
        not_before: int | None,
        at: int | None,
        base: int | None,
        note: str | None,
        json: bytes | None,
        plan: bytes | None,
    ) -> OpenDelivery:
        thread_id = unpack_optional(thread)
        end = self._names.find_end(lane, thread_id)
        if json is None:
            raise ValueError("its event is missing")
        event = decode_event(json)
        return OpenDelivery(
            delivery_id=delivery,
            lane_seq=lane_seq or 0,
            event_seq=seq,
            route=self._names.route_of(route),
            target=lane,
            thread_id=thread_id,
            event=event,
            state=STATES[state],
            attempt=attempt or 0,
            first_attempt_at=unpack_optional_time(first_attempt_at),
            not_before=unpack_optional_time(not_before),
            recorded_at=unpack_optional_time(at),
            plan=plan or b"",
            later=self.later(event, seq),
            last_error=note or "",
            parts=() if base is None else self._parts.by(delivery, base, end),
            lead_seq=self._lead(seq, end) if pieces.names_its_message(STATES[state]) else None,
        )

    def later(self, event: ChatEvent, seq: int) -> ChatEvent | None:
        """The newest change of the event's message among those accepted after `seq`."""
        if not isinstance(event, MessageCreated | MessageEdited):
            return None
        chat = self._names.find_chat(event.meta.origin)
        found: list[LatestChange] = []
        for message_id in changes.messages_of(event):
            rows = self._connection.execute(
                "SELECT seq, json FROM latest WHERE chat = ? AND message = ? AND seq > ?", (chat, pack_id(message_id), seq)
            )
            found += [LatestChange(number, None if json is None else decode_edit(json)) for number, json in rows.fetchall()]
        return changes.newest(event, found)

    def _lead(self, seq: int, end: int | None) -> int | None:
        row = self._connection.execute("SELECT lead FROM piece WHERE seq = ? AND lane_end = ?", (seq, end)).fetchone()
        return None if row is None else row[0]


def _damage(error: Exception) -> str:
    return (
        f"stored in a form that this version cannot read ({error}): harmed on disk, or written by a newer version, "
        "which can still send it when it is installed again"
    )


_IS_IN_LINE = f"state {sql_states(states.IN_LINE)}"
_IS_BEHIND = f"state = {BEHIND}"


def _lanes(condition: str) -> str:
    """Jumps from lane to lane: a backlog of any length costs one step each."""
    return (
        f"WITH RECURSIVE open_lane (lane) AS (SELECT min(lane) FROM delivery WHERE {condition}"
        f" UNION ALL SELECT (SELECT min(lane) FROM delivery WHERE {condition} AND lane > open_lane.lane) FROM open_lane"
        " WHERE open_lane.lane IS NOT NULL) SELECT lane FROM open_lane WHERE lane IS NOT NULL"
    )


_LANES_WITH_A_LINE = _lanes(_IS_IN_LINE)
_LANES_WITH_SOME_BEHIND = _lanes(_IS_BEHIND)

_OPEN_DELIVERIES = (
    "SELECT id, lane_seq, event, route, thread, state, attempt, first_attempt_at, not_before, at, base, note, json, plan.content"
    " FROM delivery LEFT JOIN body ON body.seq = delivery.event LEFT JOIN plan ON plan.delivery = delivery.id"
)
