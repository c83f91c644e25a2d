"""Reads everything known about one message, for people who ask what became of it. On the reader's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from bridge.journal.contract import StoredPart
from bridge.journal.rules import pieces, states
from bridge.journal.rules.links import LinkKind
from bridge.journal.sqlite import answers
from bridge.journal.sqlite.codec import (
    CHANGES,
    STATES,
    Packed,
    pack_id,
    sql_states,
    unpack_author,
    unpack_id,
    unpack_more,
    unpack_optional,
    unpack_optional_time,
    unpack_time,
)
from bridge.journal.sqlite.names import Names
from bridge.journal.sqlite.parts import Parts
from bridge.journal.tracing import ChangeKind, InLine, Traced, TracedDelivery, TracedEvent
from bridge.model.refs import AccountName, MessageRef

_MOST_FOUND = 20
"""An id that is not unique on its platform may be many messages'."""
_MOST_CHANGES = 20
"""How many of each kind are shown: a message may have thousands of reactions."""

_Change = tuple[int, Packed, int, int]
"""Chat, message, kind, and the number of the event."""


class Tracing:
    """One instance per connection."""

    def __init__(self, connection: sqlite3.Connection, names: Names, parts: Parts) -> None:
        self._connection = connection
        self._names = names
        self._parts = parts

    def message(self, message: MessageRef) -> list[Traced]:
        chat = self._names.find_chat(message.chat)
        if chat is None:
            return []
        rows = self._connection.execute(
            "SELECT chat, seq, copy FROM link WHERE chat = ? AND message = ?", (chat, pack_id(message.message_id))
        ).fetchall()
        return [self._of_link(message.message_id, *row) for row in rows]

    def message_anywhere(self, account: AccountName, message_id: str) -> list[Traced]:
        rows = self._connection.execute(
            "SELECT link.chat, link.seq, link.copy FROM chat CROSS JOIN link ON link.chat = chat.id AND link.message = ?"
            " WHERE chat.account = ? LIMIT ?",
            (pack_id(message_id), account, _MOST_FOUND),
        ).fetchall()
        return [self._of_link(message_id, *row) for row in rows]

    def delivery(self, delivery_id: int) -> Traced | None:
        row = self._connection.execute("SELECT event FROM delivery WHERE id = ?", (delivery_id,)).fetchone()
        return None if row is None else self.whole(row[0])

    def whole(self, seq: int) -> Traced:
        """All about an event that is there."""
        return self._of_event(seq, asked=None, is_original=False, is_gone=False)

    def event(self, seq: int) -> TracedEvent:
        """One event with its deliveries, but for what they wait behind: for who reads all events. Raises LookupError."""
        numbers = self._numbers(seq)
        if numbers is None:
            raise LookupError(f"there is no event {seq}")
        return self._event(seq, *numbers, self._change_of(seq), in_line=False)

    def _of_link(self, message_id: str, chat: int, seq: int, copy: int) -> Traced:
        asked = MessageRef(self._names.chat_of(chat), message_id)
        return self._of_event(seq, asked=asked, is_original=copy == LinkKind.ORIGINAL, is_gone=copy == LinkKind.GONE)

    def _of_event(self, seq: int, *, asked: MessageRef | None, is_original: bool, is_gone: bool) -> Traced:
        row = self._connection.execute(
            "SELECT origin, message, also, author, author_id, username, accepted_at, first_delivery, deliveries"
            " FROM event WHERE seq = ?",
            (seq,),
        ).fetchone()
        origin, message, also, name, author_id, username, accepted_at, first, count = row
        original = MessageRef(self._names.chat_of(origin), unpack_id(message)) if message is not None else None
        changes, left_out = self._changes(self._messages(seq, origin, message, also)) if message is not None else ((), {})
        return Traced(
            asked=asked,
            is_original=is_original,
            is_gone=is_gone,
            original=original,
            also_ids=unpack_more(also),
            author_name=unpack_author(name, author_id, username),
            event=self._event(seq, accepted_at, first, count, self._change_of(seq) if message is None else None),
            changes=changes,
            left_out=left_out,
        )

    def _event(
        self, seq: int, accepted_at: int, first: int, count: int, change: _Change | None = None, *, in_line: bool = True
    ) -> TracedEvent:
        of, kind = (None, None) if change is None else (self._names.chat_of(change[0]), CHANGES[change[2]])
        return TracedEvent(
            event_seq=seq,
            accepted_at=unpack_time(accepted_at),
            deliveries=self._deliveries(seq, first, count, in_line=in_line),
            change=kind,
            of=MessageRef(of, unpack_id(change[1])) if of is not None and change is not None else None,
        )

    # -- changes ------------------------------------------------------------------------------------------------------------

    def _messages(self, seq: int, origin: int, message: Packed, also: str | None) -> list[tuple[int, Packed]]:
        """The native messages that the event is, and those that are or were its copies."""
        found = [(origin, message), *((origin, pack_id(more)) for more in unpack_more(also))]
        for chat, first, more in self._connection.execute("SELECT chat, message, more FROM part WHERE seq = ?", (seq,)):
            found += [(chat, each) for each in (first, *map(pack_id, unpack_more(more))) if each is not None]
        found += self._connection.execute("SELECT chat, message FROM gone WHERE seq = ?", (seq,)).fetchall()
        return list(dict.fromkeys(found))

    def _changes(self, messages: Sequence[tuple[int, Packed]]) -> tuple[tuple[TracedEvent, ...], dict[ChangeKind, int]]:
        """The newest of each kind, in order, and how many of each kind are left out."""
        found: list[_Change] = []
        left_out: dict[ChangeKind, int] = {}
        for kind in range(len(CHANGES)):
            newest: list[_Change] = []
            count = 0
            for message in messages:
                where = "FROM change WHERE chat = ? AND message = ? AND kind = ?"
                count += self._connection.execute(f"SELECT count(*) {where}", (*message, kind)).fetchone()[0]
                newest += self._connection.execute(
                    f"SELECT chat, message, kind, seq {where} ORDER BY seq DESC LIMIT ?", (*message, kind, _MOST_CHANGES)
                ).fetchall()
            newest = sorted(newest, key=lambda row: row[3])[-_MOST_CHANGES:]
            found += newest
            if count > len(newest):
                left_out[CHANGES[kind]] = count - len(newest)
        rows = [(change, self._numbers(change[3])) for change in sorted(found, key=lambda row: row[3])]
        return tuple(self._event(change[3], *numbers, change) for change, numbers in rows if numbers is not None), left_out

    def _numbers(self, seq: int) -> tuple[int, int, int] | None:
        row: tuple[int, int, int] | None = self._connection.execute(
            "SELECT accepted_at, first_delivery, deliveries FROM event WHERE seq = ?", (seq,)
        ).fetchone()
        return row

    def _change_of(self, seq: int) -> _Change | None:
        row: _Change | None = self._connection.execute(
            "SELECT chat, message, kind, seq FROM change WHERE seq = ?", (seq,)
        ).fetchone()
        return row

    # -- deliveries ---------------------------------------------------------------------------------------------------------

    def _deliveries(self, seq: int, first: int, count: int, *, in_line: bool) -> tuple[TracedDelivery, ...]:
        rows = self._connection.execute(
            "SELECT id, lane, lane_seq, route, thread, state, attempt, first_attempt_at, not_before, at, note FROM delivery"
            " WHERE id BETWEEN ? AND ? ORDER BY id",
            (first, first + count - 1),
        ).fetchall()
        parts = self._parts.of(seq)
        return tuple(self._delivery(seq, parts, row, in_line=in_line) for row in rows)

    def _delivery(self, seq: int, parts: dict[int, list[StoredPart]], row: Sequence[Any], *, in_line: bool) -> TracedDelivery:
        number, lane, lane_seq, route, thread, state, attempt, first_attempt_at, not_before, at, note = row
        target, thread_id = self._names.lane_of(lane), unpack_optional(thread)
        end = self._names.find_end(target, thread_id)
        return TracedDelivery(
            delivery_id=number,
            route=self._names.route_of(route),
            target=target,
            thread_id=thread_id,
            state=STATES[state],
            attempts=attempt or 0,
            first_attempt_at=unpack_optional_time(first_attempt_at),
            not_before=unpack_optional_time(not_before),
            ended_at=unpack_optional_time(at) if STATES[state] not in states.OPEN else None,
            note=note or "",
            answers=answers.of(self._connection, number),
            copies=tuple(parts.get(end, ())) if end is not None else (),
            shared_with=self._shared_with(seq, end),
            behind=self._behind(lane, lane_seq) if in_line and STATES[state] in states.IN_LINE else None,
        )

    def _shared_with(self, seq: int, end: int | None) -> int:
        count: int = self._connection.execute(
            "SELECT count(*) FROM piece AS mine CROSS JOIN piece ON piece.lane_end = mine.lane_end AND piece.lead = mine.lead"
            " WHERE mine.seq = ? AND mine.lane_end = ?",
            (seq, end),
        ).fetchone()[0]
        return pieces.shared_with(count)

    def _behind(self, lane: int, lane_seq: int) -> InLine | None:
        ahead = f"FROM delivery WHERE lane = ? AND lane_seq < ? AND state {sql_states(states.IN_LINE)}"
        count = self._connection.execute(f"SELECT count(*) {ahead}", (lane, lane_seq)).fetchone()[0]
        if not count:
            return None
        first, not_before, note = self._connection.execute(
            f"SELECT id, not_before, note {ahead} ORDER BY lane_seq LIMIT 1", (lane, lane_seq)
        ).fetchone()
        return InLine(ahead=count, delivery_id=first, not_before=unpack_optional_time(not_before), last_error=note or "")
