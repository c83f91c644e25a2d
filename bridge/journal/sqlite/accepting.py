"""Storing a group of accepted entries: duplicates and echoes out, numbers given, rows written. Runs on the writer's thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from bridge.journal.contract import Accepted, Entry, Verdict
from bridge.journal.sqlite.bulk import Bulk, Row
from bridge.journal.sqlite.codec import (
    CHANGES,
    ORIGINAL,
    SENDING,
    SKIPPED,
    WAITING,
    Packed,
    author_column,
    decode_event,
    encode_event,
    encode_item,
    hash_key,
    pack_id,
    pack_more,
    pack_optional,
    pack_time,
)
from bridge.journal.sqlite.ledger import Ledger
from bridge.journal.tracing import ChangeKind
from bridge.model.adapter import Cursor
from bridge.model.events import (
    AlbumItem,
    ChatEvent,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
    as_edited,
)
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName

_KEYS = Bulk("SELECT key FROM event WHERE key IN (VALUES {rows})", 1)
_LINKS = Bulk(
    "SELECT link.chat, link.message, link.seq, link.copy FROM (VALUES {rows}) AS v"
    " CROSS JOIN link ON link.chat = v.column1 AND link.message = v.column2",
    2,
)
_EVENT = Bulk(
    "INSERT INTO event (seq, key, accepted_at, origin, message, also, author, first_delivery, deliveries, open) VALUES {rows}", 10
)
_BODY = Bulk("INSERT INTO body (seq, json) VALUES {rows}", 2)
_DELIVERY = Bulk(
    "INSERT INTO delivery (id, event, lane, route, thread, state, attempt, first_attempt_at, at, note) VALUES {rows}", 10
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
    "INSERT INTO reaction (seq, chat, message, person, emoji, event, position) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET event = excluded.event, position = excluded.position"
)
_NO_REACTION = "DELETE FROM reaction WHERE seq = ? AND chat = ? AND message IN (?, '') AND person = ? AND emoji = ?"


@dataclass(slots=True, frozen=True)
class Prepared:
    """An entry with all that can be computed without the file."""

    entry: Entry
    key: bytes
    messages: tuple[Packed, ...]
    """Native messages that the event is about; the first is its `message_id`."""
    echoes: bool
    """Whether it is an echo if one of them is our copy."""
    body: bytes | None
    open: int
    change: bytes | None = None
    """Of an edit of a whole message: what is kept of it for who asks what became of the message."""
    kind: int | None = None
    """Of a change of a message: which."""
    items: tuple[bytes, ...] = ()
    """Of an album: what each of `messages` says; of an edit of one of its messages, what that one says now."""


def prepare(entry: Entry) -> Prepared:
    """On the loop, so that what cannot be stored fails at its caller. Raises UnicodeEncodeError for lone surrogates."""
    event = entry.event
    messages: tuple[Packed, ...] = ()
    items: tuple[AlbumItem, ...] = ()
    match event:
        case MessageCreated():
            messages = (pack_id(event.message_id), *map(pack_id, event.also_ids))
            items = event.items
        case MessageEdited(item=AlbumItem() as item):
            messages, items = (pack_id(event.message_id),), (item,)
        case MessageEdited() | MessageDeleted() | ReactionsChanged() | PinsChanged():
            messages = (pack_id(event.message_id),)
    open_count = sum(not delivery.skip_rule for delivery in entry.deliveries)
    return Prepared(
        entry=entry,
        key=hash_key(event.meta.event_key),
        messages=messages,
        echoes=isinstance(event, MessageCreated | MessageEdited | MessageDeleted),
        body=encode_event(event) if open_count else None,
        open=open_count,
        change=encode_event(event) if isinstance(event, MessageEdited) and not event.album_item else None,
        kind=_kind(event),
        items=tuple(map(encode_item, items)),
    )


def _kind(event: ChatEvent) -> int | None:
    match event:
        case MessageEdited():
            kind = ChangeKind.EDIT
        case MessageDeleted():
            kind = ChangeKind.DELETION
        case ReactionsChanged():
            kind = ChangeKind.REACTIONS
        case PinsChanged(pinned=pinned):
            kind = ChangeKind.PIN if pinned else ChangeKind.UNPIN
        case _:
            return None
    return CHANGES.index(kind)


@dataclass(slots=True)
class _Rows:
    events: list[Row] = field(default_factory=list)
    bodies: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    links: dict[tuple[int, Packed], Row] = field(default_factory=dict)
    """By primary key: one statement must not name a message twice."""
    items: list[Row] = field(default_factory=list)
    latest: dict[tuple[int, Packed], Row] = field(default_factory=dict)
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


def accept(ledger: Ledger, batches: Sequence[Batch]) -> list[list[Accepted]]:
    """Answers are parallel to the batches and their entries."""
    entries = [entry for batch in batches for entry in batch.entries]
    chats = [ledger.names.chat(entry.entry.event.meta.origin) for entry in entries]
    known = {key for (key,) in _KEYS.run(ledger.connection, [(entry.key,) for entry in entries])}
    asked = {(chat, message) for entry, chat in zip(entries, chats, strict=True) for message in entry.messages}
    links = {(chat, message): (seq, copy) for chat, message, seq, copy in _LINKS.run(ledger.connection, list(asked))}
    rows = _Rows()
    changing = [
        (chat, message)
        for entry, chat in zip(entries, chats, strict=True)
        if isinstance(entry.entry.event, MessageCreated | MessageEdited) and entry.key not in known
        for message in entry.messages
    ]
    for chat, message, seq, json in _CHANGES.run(ledger.connection, list(set(changing))):
        rows.latest[chat, message] = (chat, message, seq, json)
    answers: list[list[Accepted]] = []
    numbers = iter(chats)
    for batch in batches:
        accepted_at = pack_time(batch.received_at)
        answers.append([_accept_one(ledger, rows, entry, next(numbers), accepted_at, known, links) for entry in batch.entries])
    _write(ledger, rows)
    write_cursors(ledger, [(batch.account, batch.cursors) for batch in batches])
    return answers


def _accept_one(
    ledger: Ledger,
    rows: _Rows,
    prepared: Prepared,
    chat: int,
    accepted_at: int,
    known: set[bytes],
    links: dict[tuple[int, Packed], tuple[int, int]],
) -> Accepted:
    if prepared.key in known:
        return Accepted(verdict=Verdict.DUPLICATE)
    found = [links.get((chat, message)) for message in prepared.messages]
    if prepared.echoes and any(link is not None and link[1] != ORIGINAL for link in found):
        return Accepted(verdict=Verdict.ECHO)
    known.add(prepared.key)
    event, deliveries = prepared.entry.event, prepared.entry.deliveries
    seq = ledger.take_seq()
    first = ledger.take_deliveries(len(deliveries))
    message, also, author = None, None, None
    body, open_count, later = prepared.body, prepared.open, None
    if isinstance(event, MessageCreated):
        later = _change_before(rows, prepared, event, chat)
        if isinstance(later, MessageDeleted):
            body, open_count = None, 0
        elif isinstance(later, MessageEdited):
            event = as_edited(event, later)
            body = encode_event(event) if open_count else None
        message, also = prepared.messages[0], pack_more(event.also_ids)
        author = author_column(event.meta.author) if event.meta.author is not None else None
        for original in prepared.messages:
            links[chat, original] = (seq, ORIGINAL)
            rows.links[chat, original] = (chat, original, seq, seq, ORIGINAL)
        rows.items += [
            (seq, place, packed, json) for place, (packed, json) in enumerate(zip(prepared.messages, prepared.items, strict=False))
        ]
    elif isinstance(event, MessageEdited) and prepared.items and found[0] is not None:
        rows.further.append((_ITEM_NOW, (prepared.items[0], found[0][0], prepared.messages[0])))
    elif isinstance(event, ReactionsChanged) and found[0] is not None:
        _react(rows, event, found[0][0], (chat, prepared.messages[0]), seq)
    if isinstance(event, MessageDeleted) or prepared.change is not None:
        _change(rows, event, (chat, prepared.messages[0]), seq, prepared.change)
    if prepared.kind is not None:
        rows.changes.append((chat, prepared.messages[0], prepared.kind, seq))
    rows.events.append(
        (seq, prepared.key, accepted_at, chat, message, also, author, first if deliveries else 0, len(deliveries), open_count)
    )
    if body is not None:
        rows.bodies.append((seq, body))
    names = ledger.names
    for number, planned in enumerate(deliveries, first):
        lane, route, thread = names.lane(planned.target), names.route(planned.route), pack_optional(planned.thread_id)
        rule = planned.skip_rule or (Skip.DELETED_BEFORE if isinstance(later, MessageDeleted) else "")
        if rule:
            rows.deliveries.append((number, seq, lane, route, thread, SKIPPED, None, None, accepted_at, str(rule)))
        elif planned.begun:
            rows.deliveries.append((number, seq, lane, route, thread, SENDING, 1, accepted_at, accepted_at, None))
        else:
            rows.deliveries.append((number, seq, lane, route, thread, WAITING, None, None, None, None))
    return Accepted(
        verdict=Verdict.ACCEPTED,
        event_seq=seq,
        delivery_ids=tuple(range(first, first + len(deliveries))),
        event=event if isinstance(later, MessageEdited) else None,
        later=later,
    )


def _change(rows: _Rows, event: ChatEvent, message: tuple[int, Packed], seq: int, change: bytes | None) -> None:
    """What the message is by now. What was deleted stays so; an edit that told its words alone leaves the files as an earlier one
    told them."""
    before = rows.latest.get(message)
    if isinstance(event, MessageEdited) and before is not None:
        if before[3] is None:
            return
        earlier = _readable(before[3])
        if not event.attachments_known and isinstance(earlier, MessageEdited) and earlier.attachments_known:
            content = msgspec.structs.replace(event.content, attachments=earlier.content.attachments)
            change = encode_event(msgspec.structs.replace(event, content=content, attachments_known=True))
    rows.latest[message] = (*message, seq, change)


def _readable(json: bytes) -> ChatEvent | None:
    """A row that is harmed, or of a newer version, is taken for none: the message that is accepted must not suffer from it."""
    try:
        return decode_event(json)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _change_before(rows: _Rows, prepared: Prepared, event: MessageCreated, chat: int) -> MessageEdited | MessageDeleted | None:
    """The newest change of a message that was accepted before the message: platforms promise no order, and redeliver late."""
    found = [row for message in prepared.messages if (row := rows.latest.get((chat, message))) is not None]
    if not found:
        return None
    json = max(found, key=lambda row: row[2])[3]
    if json is None:
        return MessageDeleted(meta=event.meta, message_id=event.message_id)
    change = _readable(json)
    return change if isinstance(change, MessageEdited) else None


def _react(rows: _Rows, event: ReactionsChanged, original: int, message: tuple[int, Packed], seq: int) -> None:
    """Our own reactions are not people's: they would keep an emoji alive that everybody else took back."""
    if event.meta.sent_by_us:
        return
    person = event.meta.author.user_id if event.meta.author is not None else ""
    rows.further += [(_NO_REACTION, (original, *message, person, emoji)) for emoji in event.removed]
    rows.further += [(_REACTION, (original, *message, person, emoji, seq, position)) for position, emoji in enumerate(event.added)]


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
