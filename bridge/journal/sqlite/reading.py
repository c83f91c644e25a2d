"""All reads. On the reader's thread, except where the writer needs one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from bridge.journal.contract import (
    Damaged,
    DeadLetter,
    Elsewhere,
    Figures,
    LaneFigures,
    Link,
    Merged,
    Pending,
    Piece,
    SentPart,
    StoredWait,
    Undecodable,
)
from bridge.journal.sqlite.codec import (
    BEHIND,
    DEAD,
    GONE,
    HELD,
    HURRIED,
    ORIGINAL,
    SENDING,
    STATES,
    Packed,
    author_of,
    decode_event,
    decode_item,
    hash_key,
    pack_id,
    unpack_copy,
    unpack_id,
    unpack_more,
    unpack_optional,
    unpack_optional_time,
    unpack_time,
)
from bridge.journal.sqlite.names import MissingName, Names
from bridge.journal.sqlite.tracing import Tracing
from bridge.model.adapter import Copy
from bridge.model.events import AlbumItem, ChatEvent, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef


class Queries:
    """One instance per connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._names = Names(connection)
        self.tracing = Tracing(connection, self._names)

    # accepting

    def cursor(self, account: AccountName, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM cursor WHERE account = ? AND name = ?", (account, name)).fetchone()
        return None if row is None else row[0]

    def is_known(self, event_key: str) -> bool:
        return self._connection.execute("SELECT 1 FROM event WHERE key = ?", (hash_key(event_key),)).fetchone() is not None

    def undecodable(self, limit: int) -> list[Undecodable]:
        rows = self._connection.execute(
            "SELECT number, account, reason, received_at, raw FROM undecodable ORDER BY number DESC LIMIT ?", (limit,)
        )
        return [
            Undecodable(number=number, account=AccountName(account), reason=reason, received_at=unpack_time(at), raw=raw)
            for number, account, reason, at, raw in rows.fetchall()
        ]

    # delivering

    def open_lanes(self) -> list[ChatAddress]:
        # Jumps from lane to lane: a backlog of any length costs one step each.
        rows = self._connection.execute(
            "WITH RECURSIVE open_lane (lane) AS (SELECT min(lane) FROM delivery WHERE state < 2"
            " UNION ALL SELECT (SELECT min(lane) FROM delivery WHERE state < 2 AND lane > open_lane.lane) FROM open_lane"
            " WHERE open_lane.lane IS NOT NULL) SELECT lane FROM open_lane WHERE lane IS NOT NULL"
        )
        lanes = [self._lane_or_number(lane) for (lane,) in rows.fetchall()]
        return [lane for lane in lanes if lane.account]

    def pending(self, lane: ChatAddress, after: int, limit: int) -> list[Pending | Damaged]:
        number = self._names.find_lane(lane)
        if number is None:
            return []
        rows = self._connection.execute(
            f"{_OPEN_DELIVERIES} WHERE lane = ? AND id > ? AND delivery.state < 2 AND delivery.state >= 0 ORDER BY id LIMIT ?",
            (number, after, limit),
        ).fetchall()
        return [self._whole_or_damaged(lane, row) for row in rows]

    def behind(self, lane: ChatAddress, limit: int) -> list[Pending | Damaged]:
        rows = self._connection.execute(
            f"{_OPEN_DELIVERIES} WHERE lane = ? AND delivery.state = {BEHIND} ORDER BY coalesce(not_before, 0), id LIMIT ?",
            (self._names.find_lane(lane), limit),
        ).fetchall()
        return [self._whole_or_damaged(lane, row) for row in rows]

    def _whole_or_damaged(self, lane: ChatAddress, row: Sequence[Any]) -> Pending | Damaged:
        """One row that cannot be read is one delivery's trouble, not the lane's."""
        try:
            return self._pending(lane, *row)
        except _UNREADABLE as error:
            return Damaged(delivery_id=row[0], reason=_damage(error))

    def _pending(
        self,
        lane: ChatAddress,
        delivery: int,
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
    ) -> Pending:
        thread_id = unpack_optional(thread)
        place = self._names.find_place(lane, thread_id)
        if json is None:
            raise ValueError("its event is missing")
        event = decode_event(json)
        return Pending(
            delivery_id=delivery,
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
            parts=() if base is None else self._parts_by(delivery, base, place),
            lead_seq=self._lead(seq, place) if state == SENDING else None,
        )

    def later(self, event: ChatEvent, seq: int) -> ChatEvent | None:
        """The newest change of the event's message among those accepted after `seq`."""
        match event:
            case MessageCreated():
                ids = (event.message_id, *event.also_ids)
            case MessageEdited():
                ids = (event.message_id,)
            case _:
                return None
        chat, found = self._names.find_chat(event.meta.origin), None
        for message_id in ids:
            row = self._connection.execute(
                "SELECT seq, json FROM latest WHERE chat = ? AND message = ? AND seq > ?", (chat, pack_id(message_id), seq)
            ).fetchone()
            if row is not None and (found is None or row[0] > found[0]):
                found = row
        if found is None:
            return None
        return MessageDeleted(meta=event.meta, message_id=event.message_id) if found[1] is None else decode_event(found[1])

    def _lead(self, seq: int, place: int | None) -> int | None:
        row = self._connection.execute("SELECT lead FROM piece WHERE seq = ? AND lane = ?", (seq, place)).fetchone()
        return None if row is None else row[0]

    def _parts_by(self, delivery: int, base: int, place: int | None) -> tuple[SentPart, ...]:
        """What this delivery has sent; `base` is the created event that it is a copy of."""
        rows = self._connection.execute(
            "SELECT part, chat, message, more, thread, via FROM part WHERE seq = ? AND lane = ? AND (delivery = ? OR edit = ?)"
            " ORDER BY part",
            (base, place, delivery, delivery),
        )
        return tuple(SentPart(part=part, copy=self._copy(*columns)) for part, *columns in rows.fetchall())

    def _copy(self, chat: int, message: Packed | None, more: str | None, thread: Packed | None, via: Packed | None) -> Copy:
        return unpack_copy(self._names.chat_of(chat).chat_id, message, more, thread, via)

    # links

    def link(self, message: MessageRef, target: ChatAddress, thread_id: str | None) -> Link | None:
        """A line of our own that stands for no message (somebody joined) leads nowhere, though it is known as a copy."""
        chat = self._names.find_chat(message.chat)
        if chat is None:
            return None
        place = self._names.find_place(target, thread_id)
        rows = self._connection.execute(
            "SELECT link.seq, link.copy, event.origin, event.message, event.also, event.author,"
            " part.part, part.chat, part.message, part.more, part.thread, part.via"
            " FROM link JOIN event ON event.seq = link.seq LEFT JOIN part ON part.seq = link.seq AND part.lane = ?"
            f" WHERE link.chat = ? AND link.message = ? AND link.copy < {GONE} AND event.message IS NOT NULL ORDER BY part.part",
            (place, chat, pack_id(message.message_id)),
        ).fetchall()
        if not rows:
            return None
        seq, copy, origin, original, also, author = rows[0][:6]
        copies = tuple(SentPart(part=row[6], copy=self._copy(*row[7:])) for row in rows if row[6] is not None)
        return Link(
            event_seq=seq,
            original=MessageRef(self._names.chat_of(origin), unpack_id(original)),
            is_original=copy == ORIGINAL,
            author_name=author_of(author),
            copies=copies,
            thread_id=thread_id,
            also_ids=unpack_more(also),
            elsewhere=() if copies else self._elsewhere(seq, target),
        )

    def _elsewhere(self, seq: int, target: ChatAddress) -> tuple[Elsewhere, ...]:
        """The copies in all threads of the target. For the rare case that the thread asked for has none."""
        lane = self._names.find_lane(target)
        rows = self._connection.execute(
            "SELECT lane, part, chat, message, more, thread, via FROM part"
            " WHERE seq = ? AND (lane = ? OR -lane IN (SELECT id FROM place WHERE lane = ?)) ORDER BY part",
            (seq, lane, lane),
        )
        found: dict[str | None, list[SentPart]] = {}
        for place, part, *columns in rows.fetchall():
            found.setdefault(self._names.thread_of(place), []).append(SentPart(part=part, copy=self._copy(*columns)))
        return tuple(
            Elsewhere(thread_id=thread_id, copies=tuple(found[thread_id])) for thread_id in sorted(found, key=_thread_order)
        )

    def merged(self, event_seq: int, target: ChatAddress, thread_id: str | None) -> Merged | None:
        place = self._names.find_place(target, thread_id)
        rows = self._connection.execute(
            "SELECT piece.lead, piece.seq, piece.content FROM piece AS mine"
            " CROSS JOIN piece ON piece.lane = mine.lane AND piece.lead = mine.lead"
            " WHERE mine.seq = ? AND mine.lane = ? ORDER BY piece.seq",
            (event_seq, place),
        ).fetchall()
        if not rows:
            return None
        return Merged(lead_seq=rows[0][0], pieces=tuple(Piece(event_seq=seq, content=content) for _lead, seq, content in rows))

    def album(self, message: MessageRef) -> dict[str, AlbumItem]:
        rows = self._connection.execute(
            "SELECT item.message, item.json FROM link JOIN item ON item.seq = link.seq"
            f" WHERE link.chat = ? AND link.message = ? AND link.copy = {ORIGINAL} ORDER BY item.place",
            (self._names.find_chat(message.chat), pack_id(message.message_id)),
        )
        try:
            return {unpack_id(packed): decode_item(json) for packed, json in rows.fetchall()}
        except _UNREADABLE:
            return {}  # as an album of a version that did not keep them: its edits are accepted all the same

    def latest_messages(self, chat: ChatRef, limit: int) -> list[str]:
        number = self._names.find_chat(chat)
        if number is None:
            return []
        rows = self._connection.execute(
            f"SELECT message FROM link WHERE chat = ? AND copy < {GONE} ORDER BY rank DESC, message DESC LIMIT ?", (number, limit)
        )
        return [unpack_id(message) for (message,) in rows.fetchall()]

    def reactions(self, event_seq: int, not_on: Sequence[MessageRef]) -> list[str]:
        chats = [self._names.find_chat(message.chat) for message in not_on]
        left_out = {(chat, pack_id(message.message_id)) for chat, message in zip(chats, not_on, strict=True)}
        left_out |= {(chat, "") for chat in chats}
        rows = self._connection.execute(
            "SELECT emoji, chat, message FROM reaction WHERE seq = ? ORDER BY event DESC, position DESC", (event_seq,)
        )
        return list(dict.fromkeys(emoji for emoji, chat, message in rows.fetchall() if (chat, message) not in left_out))

    # addresses and waits

    def native_ids(self, account: AccountName) -> dict[str, str]:
        return dict(self._connection.execute("SELECT address, chat_id FROM native_id WHERE account = ?", (account,)).fetchall())

    def waits(self) -> dict[str, StoredWait]:
        rows = self._connection.execute("SELECT name, until, at FROM wait").fetchall()
        return {name: StoredWait(until=unpack_time(until), kept_at=unpack_optional_time(at)) for name, until, at in rows}

    def is_hurried(self) -> bool:
        row = self._connection.execute(f"SELECT 1 FROM wait WHERE {HURRIED} LIMIT 1").fetchone()
        return row is not None

    # people's side

    def dead_letters(self, after: int, limit: int) -> list[DeadLetter]:
        rows = self._connection.execute(f"{_DEAD_LETTERS} AND delivery.id > ? ORDER BY delivery.id LIMIT ?", (after, limit))
        return [self._dead_letter(row) for row in rows.fetchall()]

    def dead_letter(self, delivery_id: int) -> DeadLetter | None:
        row = self._connection.execute(f"{_DEAD_LETTERS} AND delivery.id = ?", (delivery_id,)).fetchone()
        return None if row is None else self._dead_letter(row)

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
        target = self._lane_or_number(lane)
        place = self._names.find_place(target, unpack_optional(thread))
        return DeadLetter(
            delivery_id=delivery,
            route=self._route_if_known(route),
            target=target,
            state=STATES[state],
            reason=note,
            attempts=attempt if isinstance(attempt, int) else 0,
            died_at=unpack_time(at),
            event=_event_if_readable(json),
            parts_sent=len(self._parts_by(delivery, base, place)) if isinstance(base, int) else 0,
        )

    def _lane_or_number(self, lane: int) -> ChatAddress:
        """A lane whose name is missing, in a harmed file, is shown by its number. Nothing can be sent there."""
        try:
            return self._names.lane_of(lane)
        except MissingName:
            return ChatAddress(AccountName(""), f"({lane})")

    def _route_if_known(self, route: int) -> str:
        try:
            return self._names.route_of(route)
        except MissingName:
            return f"({route})"

    def figures(self, size_bytes: int) -> Figures:
        """Counts only what is unfinished; the number of events is known from the first and last of them. Of a lane the first one
        in the line is told: nothing waits for what is beside it."""
        connection = self._connection
        marks = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        last = connection.execute("SELECT max(seq) FROM event").fetchone()[0] or 0
        lanes = connection.execute(
            "SELECT open.lane, waiting, accepted_at, not_before, attempt, note"
            " FROM (SELECT lane, count(*) AS waiting, coalesce(min(id) FILTER (WHERE id NOT IN"
            f" (SELECT id FROM delivery WHERE state = {BEHIND})), min(id)) AS first"
            " FROM delivery WHERE state < 2 GROUP BY lane) AS open"
            " CROSS JOIN delivery ON delivery.id = open.first LEFT JOIN event ON event.seq = delivery.event"
        ).fetchall()
        return Figures(
            events=max(last, marks.get("last_event", 0)) - marks.get("pruned", 0),
            dead=connection.execute(f"SELECT count(*) FROM delivery WHERE state IN ({HELD}, {DEAD})").fetchone()[0],
            undecodable=connection.execute("SELECT count(*) FROM undecodable").fetchone()[0],
            size_bytes=size_bytes,
            lanes=tuple(
                LaneFigures(
                    target=self._lane_or_number(lane),
                    waiting=waiting,
                    oldest_accepted_at=unpack_optional_time(oldest),
                    next_attempt_at=unpack_optional_time(not_before),
                    attempts=attempt or 0,
                    last_error=note or "",
                )
                for lane, waiting, oldest, not_before, attempt, note in lanes
            ),
        )


def _thread_order(thread_id: str | None) -> str:
    """The chat itself first."""
    return thread_id or ""


_UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, LookupError, OverflowError, AssertionError)
"""What reading a row raises that is harmed, or written by a newer version. An error of the storage itself is none of these."""


def _event_if_readable(json: bytes | None) -> ChatEvent | None:
    try:
        return None if json is None else decode_event(json)
    except _UNREADABLE:
        return None


def _damage(error: Exception) -> str:
    return (
        f"stored in a form that this version cannot read ({error}): harmed on disk, or written by a newer version, "
        "which can still send it when it is installed again"
    )


_OPEN_DELIVERIES = (
    "SELECT id, event, route, thread, state, attempt, first_attempt_at, not_before, at, base, note, json, plan.content"
    " FROM delivery LEFT JOIN body ON body.seq = delivery.event LEFT JOIN plan ON plan.delivery = delivery.id"
)
_DEAD_LETTERS = (
    "SELECT delivery.id, route, lane, thread, state, note, attempt, at, base, json"
    f" FROM delivery LEFT JOIN body ON body.seq = delivery.event WHERE state IN ({HELD}, {DEAD})"
)
