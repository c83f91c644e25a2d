"""Stores a group of accepted entries: drops duplicates and echoes, assigns numbers, writes rows. Runs on the writer's thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from bridge.journal.contract import (
    AcceptRequest,
    AcceptResult,
    CopyCameLate,
    DeliveryStatus,
    Following,
    PlannedDelivery,
    Verdict,
)
from bridge.journal.rules import accepting as rules
from bridge.journal.rules import changes
from bridge.journal.rules.accepting import Known, NewDelivery, Stored
from bridge.journal.rules.changes import LatestChange
from bridge.journal.rules.early import UNKNOWN
from bridge.journal.rules.links import KnownMessage, LinkKind
from bridge.journal.sqlite import steps
from bridge.journal.sqlite.bulk import Bulk, Row
from bridge.journal.sqlite.codec import (
    CHANGES,
    NUMBERS,
    SKIPPED,
    Packed,
    decode_edit,
    encode_counts,
    encode_event,
    encode_item,
    hash_key,
    pack_author,
    pack_id,
    pack_more,
    pack_optional,
    pack_time,
)
from bridge.journal.sqlite.early import read_early, read_late
from bridge.journal.sqlite.ledger import Ledger
from bridge.journal.sqlite.names import Names
from bridge.journal.sqlite.partners import is_told
from bridge.model.adapter import Cursor
from bridge.model.events import ChatEvent, MessageCreated, MessageEdited, PollVotesChanged, ThreadEvent
from bridge.model.refs import AccountName

_KEYS = Bulk("SELECT key FROM event WHERE key IN (VALUES {rows})", 1)
_LINKS = Bulk(
    "SELECT link.chat, link.message, link.seq, link.copy FROM (VALUES {rows}) AS v"
    " CROSS JOIN link ON link.chat = v.column1 AND link.message = v.column2",
    2,
)
_EVENT = Bulk(
    "INSERT INTO event (seq, key, accepted_at, origin, message, also, author, author_id, username, thread, first_delivery,"
    " deliveries, open) VALUES {rows}",
    13,
)
_BODY = Bulk("INSERT INTO body (seq, json) VALUES {rows}", 2)
_DELIVERY = Bulk(
    "INSERT INTO delivery (id, event, lane, lane_seq, route, thread, state, attempt, first_attempt_at, at, note) VALUES {rows}", 11
)
_LINK = Bulk("INSERT OR REPLACE INTO link (chat, message, seq, rank, copy) VALUES {rows}", 5)
_CURSOR = Bulk("INSERT INTO cursor (account, name, value) VALUES {rows} ON CONFLICT DO UPDATE SET value = excluded.value", 3)
_CHANGES = Bulk(
    "SELECT latest.chat, latest.message, latest.seq, latest.json FROM (VALUES {rows}) AS v"
    " CROSS JOIN latest ON latest.chat = v.column1 AND latest.message = v.column2",
    2,
)
_LATEST = Bulk("INSERT OR REPLACE INTO latest (chat, message, seq, json) VALUES {rows}", 4)
_CHANGE = Bulk("INSERT INTO change (chat, message, kind, seq) VALUES {rows}", 4)
_ITEM = Bulk("INSERT INTO item (seq, place, message, json) VALUES {rows}", 4)
_ITEM_NOW = "UPDATE item SET json = ? WHERE seq = ? AND message = ?"
_REACTION = (
    "INSERT INTO reaction (seq, chat, message, person, emoji, event, position, name) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET event = excluded.event, position = excluded.position, name = excluded.name"
)
_POLL = "INSERT OR REPLACE INTO poll (seq, json) VALUES (?, ?)"
_VOTE = (
    "INSERT INTO vote (seq, chat, message, counts, closed) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET counts = excluded.counts, closed = max(closed, excluded.closed)"
)
_CLAIM = f"UPDATE OR REPLACE reaction SET seq = ? WHERE seq = {UNKNOWN} AND chat = ? AND message = ?"
_NO_REACTION = "DELETE FROM reaction WHERE seq = ? AND chat = ? AND message IN (?, '') AND person = ? AND emoji = ?"


_ORIGINAL = int(LinkKind.ORIGINAL)
"""SQLite's binding is slow with a subclass of int."""

Message = tuple[int, Packed]
"""A native message: its chat's number, and its id."""


@dataclass(slots=True, frozen=True)
class Prepared:
    """An entry with all that can be computed without the file."""

    entry: AcceptRequest
    key: bytes
    messages: tuple[Packed, ...]
    """Native messages that the event is about; the first is its `message_id`."""
    body: bytes | None
    items: tuple[bytes, ...]
    """Of an album: see `rules.accepting.items_of`."""


def prepare(entry: AcceptRequest) -> Prepared:
    """On the loop, so that what cannot be stored fails at its caller. Raises UnicodeEncodeError for lone surrogates."""
    event = entry.event
    kept = isinstance(event, MessageEdited) or not all(delivery.skip_rule for delivery in entry.deliveries)
    return Prepared(
        entry=entry,
        key=hash_key(event.meta.event_key),
        messages=tuple(map(pack_id, rules.messages_of(event))),
        body=encode_event(event) if kept else None,
        items=tuple(map(encode_item, rules.items_of(event))),
    )


@dataclass(slots=True)
class _Rows:
    events: list[Row] = field(default_factory=list)
    bodies: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    links: dict[Message, Row] = field(default_factory=dict)
    """By primary key: one statement must not name a message twice."""
    items: list[Row] = field(default_factory=list)
    latest: dict[Message, Row] = field(default_factory=dict)
    """As `links`."""
    changes: list[Row] = field(default_factory=list)
    further: list[tuple[str, Row]] = field(default_factory=list)
    """Statements that change what is there, in order."""


@dataclass(slots=True, frozen=True)
class Batch:
    """One call of `accept`."""

    account: AccountName
    entries: Sequence[Prepared]
    cursors: Sequence[Cursor]
    received_at: datetime


def accept(ledger: Ledger, batches: Sequence[Batch]) -> list[list[AcceptResult]]:
    """Answers are parallel to the batches and their entries."""
    entries = [entry for batch in batches for entry in batch.entries]
    chats = [ledger.names.chat(entry.entry.event.meta.origin) for entry in entries]
    known = _known(ledger, list(zip(entries, chats, strict=True)))
    rows = _Rows()
    answers: list[list[AcceptResult]] = []
    numbers = iter(chats)
    for batch in batches:
        accepted_at = pack_time(batch.received_at)
        answers.append([_accept_one(ledger, rows, known, entry, next(numbers), accepted_at) for entry in batch.entries])
    _write(ledger, rows)
    ledger.keep_lane_seqs()
    write_cursors(ledger, [(batch.account, batch.cursors) for batch in batches])
    return answers


def _known(ledger: Ledger, entries: Sequence[tuple[Prepared, int]]) -> Known[Message]:
    """What the file contains about those events, each with its chat's number."""
    known: Known[Message] = Known()
    known.event_keys = {key for (key,) in _KEYS.run(ledger.connection, [(entry.key,) for entry, _chat in entries])}
    asked = {(chat, message) for entry, chat in entries for message in entry.messages}
    for chat, message, seq, copy in _LINKS.run(ledger.connection, list(asked)):
        known.messages[chat, message] = KnownMessage(seq, LinkKind(copy))
    changing = {
        (chat, message)
        for entry, chat in entries
        if isinstance(entry.entry.event, MessageCreated | MessageEdited) and entry.key not in known.event_keys
        for message in entry.messages
    }
    for chat, message, seq, json in _CHANGES.run(ledger.connection, list(changing)):
        edit = None if json is None else _readable_edit(json)
        if json is None or edit is not None:
            known.latest[chat, message] = LatestChange(seq, edit)
    coming = {
        (chat, message)
        for entry, chat in entries
        if isinstance(entry.entry.event, MessageCreated)
        for message in entry.messages
        if (chat, message) not in known.messages
    }
    known.early = read_early(ledger, list(coming))
    return known


def _readable_edit(json: bytes) -> MessageEdited | None:
    """A damaged row, or one of a newer version, counts as missing: it must not affect the new message."""
    try:
        return decode_edit(json)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _accept_one(
    ledger: Ledger, rows: _Rows, known: Known[Message], prepared: Prepared, chat: int, accepted_at: int
) -> AcceptResult:
    messages = [(chat, message) for message in prepared.messages]
    event = prepared.entry.event
    if isinstance(event, ThreadEvent) and prepared.key not in known.event_keys and not is_told(ledger, event):
        return AcceptResult(verdict=Verdict.ECHO)
    stored = rules.accept(known, prepared.entry, prepared.key, messages, ledger.take_seq)
    if isinstance(stored, Verdict):
        return AcceptResult(verdict=stored)
    first, lane_seqs = _add_deliveries(ledger, rows, stored, accepted_at)
    _add_event(ledger, rows, prepared, stored, chat, accepted_at, first)
    _add_message(rows, prepared, stored)
    return AcceptResult(
        verdict=Verdict.ACCEPTED,
        event_seq=stored.event_seq,
        delivery_ids=tuple(range(first, first + len(stored.deliveries))),
        lane_seqs=lane_seqs,
        event=stored.event if isinstance(stored.later, MessageEdited) else None,
        later=stored.later,
        following=tuple(_follow(ledger, rows, following, accepted_at) for following in stored.following),
    )


def _follow(ledger: Ledger, rows: _Rows, stored: Stored[Message], accepted_at: int) -> Following:
    deliveries = tuple(delivery.planned for delivery in stored.deliveries)
    prepared = prepare(AcceptRequest(event=stored.event, deliveries=deliveries))
    first, lane_seqs = _add_deliveries(ledger, rows, stored, accepted_at)
    assert stored.message is not None
    _add_event(ledger, rows, prepared, stored, stored.message[0], accepted_at, first)
    _add_message(rows, prepared, stored)
    return Following(
        event=stored.event,
        event_seq=stored.event_seq,
        deliveries=deliveries,
        delivery_ids=tuple(range(first, first + len(deliveries))),
        lane_seqs=lane_seqs,
    )


def follow_late(ledger: Ledger, change: CopyCameLate) -> None:
    """What came before the copy goes to the end of its lane. It is forgotten together with the message."""
    found = read_late(ledger, change.event_seq, change.target, change.thread_id)
    if found is None:
        return
    chat, early = found
    (accepted_at,) = ledger.connection.execute("SELECT accepted_at FROM event WHERE seq = ?", (change.event_seq,)).fetchone()
    here = (PlannedDelivery(route=change.route, target=change.target, thread_id=change.thread_id),)
    message, rows = change.event.message_id, _Rows()
    for event, planned in early.following(message, change.event, here, late=change.delivery_id):
        if not _KEYS.run(ledger.connection, [(hash_key(event.meta.event_key),)]):
            deliveries = tuple(NewDelivery(one, DeliveryStatus.WAITING) for one in planned)
            _follow(ledger, rows, Stored(ledger.take_seq(), event, None, deliveries, message=(chat, pack_id(message))), accepted_at)
    _write(ledger, rows)
    ledger.keep_lane_seqs()


def _add_deliveries(ledger: Ledger, rows: _Rows, stored: Stored[Message], accepted_at: int) -> tuple[int, tuple[int, ...]]:
    """The number of the first, and the place of each in its lane."""
    first = ledger.take_deliveries(len(stored.deliveries))
    numbers = [_lane_number(ledger, delivery) for delivery in stored.deliveries]
    for number, (delivery, (lane, lane_seq)) in enumerate(zip(stored.deliveries, numbers, strict=True), first):
        rows.deliveries.append(_delivery_row(ledger.names, number, stored.event_seq, delivery, lane, lane_seq, accepted_at))
    return first, tuple(lane_seq or 0 for _lane, lane_seq in numbers)


def _lane_number(ledger: Ledger, delivery: NewDelivery) -> tuple[int, int | None]:
    """The lane, and the delivery's place in it; none if it never is in the line."""
    lane = ledger.names.lane(delivery.planned.target)
    return lane, None if delivery.state is DeliveryStatus.SKIPPED else ledger.take_lane_seq(lane)


def _add_event(
    ledger: Ledger, rows: _Rows, prepared: Prepared, stored: Stored[Message], chat: int, accepted_at: int, first: int
) -> None:
    event, count, seq = stored.event, len(stored.deliveries), stored.event_seq
    message, also, thread = None, None, None
    author: tuple[str | None, Packed | None, str | None] = (None, None, None)
    if isinstance(event, MessageCreated):
        message, also = prepared.messages[0], pack_more(event.also_ids)
        author, thread = pack_author(event.meta.author), pack_optional(event.meta.thread_id)
    ledger.came.append((seq, steps.CAME))
    ledger.came += [(number, SKIPPED) for number, one in enumerate(stored.deliveries, first) if one.state is DeliveryStatus.SKIPPED]
    row = (seq, prepared.key, accepted_at, chat, message, also, *author, thread, first if count else 0, count, stored.open)
    rows.events.append(row)
    if stored.open:
        rows.bodies.append((seq, _body(prepared, event)))


def _body(prepared: Prepared, event: ChatEvent) -> bytes:
    return prepared.body if prepared.body is not None and event is prepared.entry.event else encode_event(event)


def _add_message(rows: _Rows, prepared: Prepared, stored: Stored[Message]) -> None:
    """What the event says about its messages."""
    seq = stored.event_seq
    for original in stored.originals:
        rows.links[original] = (*original, seq, seq, _ORIGINAL)
    if stored.originals:
        pairs = zip(prepared.messages, prepared.items, strict=False)
        rows.items += [(seq, place, packed, json) for place, (packed, json) in enumerate(pairs)]
    if stored.item_of is not None:
        rows.further.append((_ITEM_NOW, (prepared.items[0], stored.item_of, prepared.messages[0])))
    rows.further += [(_CLAIM, (seq, *message)) for message in stored.claims]
    if stored.originals and isinstance(stored.event, MessageCreated) and stored.event.content.poll is not None:
        rows.further.append((_POLL, (seq, _body(prepared, stored.event))))
    message = stored.message
    if message is None:
        return
    if stored.poll_of is not None and isinstance(stored.event, PollVotesChanged):
        counts = encode_counts(stored.event.votes)
        rows.further.append((_VOTE, (stored.poll_of, *message, counts, int(stored.event.closed))))
    if stored.reacting is not None:
        person, removed, added, name = stored.reacting
        key = (stored.reacts_to, *message, person)
        rows.further += [(_NO_REACTION, (*key, emoji)) for emoji in removed]
        rows.further += [(_REACTION, (*key, emoji, seq, position, name or None)) for position, emoji in enumerate(added)]
    if stored.latest is not None:
        edit = stored.latest.edit
        rows.latest[message] = (*message, stored.latest.event_seq, None if edit is None else _body(prepared, edit))
    kind = changes.kind(stored.event)
    if kind is not None:
        rows.changes.append((*message, CHANGES.index(kind), seq))


def _delivery_row(
    names: Names, number: int, seq: int, delivery: NewDelivery, lane: int, lane_seq: int | None, accepted_at: int
) -> Row:
    planned = delivery.planned
    begun, skipped = delivery.state is DeliveryStatus.SENDING, delivery.state is DeliveryStatus.SKIPPED
    return (
        number,
        seq,
        lane,
        lane_seq,
        names.route(planned.route),
        pack_optional(planned.thread_id),
        NUMBERS[delivery.state],
        1 if begun else None,
        accepted_at if begun else None,
        accepted_at if begun or skipped else None,
        str(delivery.rule) if skipped else None,
    )


def _write(ledger: Ledger, rows: _Rows) -> None:
    connection = ledger.connection
    _EVENT.run(connection, rows.events)
    _BODY.run(connection, rows.bodies)
    _DELIVERY.run(connection, rows.deliveries)
    _LINK.run(connection, list(rows.links.values()))
    _ITEM.run(connection, rows.items)
    _LATEST.run(connection, list(rows.latest.values()))
    _CHANGE.run(connection, rows.changes)
    for sql, row in rows.further:
        connection.execute(sql, row)


def write_cursors(ledger: Ledger, calls: Sequence[tuple[AccountName, Sequence[Cursor]]]) -> None:
    """The last value of a name counts."""
    latest = {(account, cursor.name): cursor.value for account, cursors in calls for cursor in cursors}
    _CURSOR.run(ledger.connection, [(account, name, value) for (account, name), value in latest.items()])
