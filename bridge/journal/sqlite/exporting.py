"""The journal as plain values, event by event, for other programs. Page by page, each page of one moment: a long export holds up
nothing, and has one page in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from bridge.journal.contract import DecisionKind
from bridge.journal.sqlite import migrations
from bridge.journal.sqlite.codec import UNREADABLE, unpack_id, unpack_optional_time, unpack_time
from bridge.journal.sqlite.database import explain, prepare
from bridge.journal.sqlite.names import Names
from bridge.journal.sqlite.parts import Parts
from bridge.journal.sqlite.tracing import Tracing
from bridge.journal.tracing import TracedDelivery

PAGE = 200
Line = dict[str, Any]


def export(path: Path, *, words: bool, busy_timeout_s: float) -> Iterator[Line]:
    """One value a line. Without `words` there are no names of people and nothing that they wrote. Raises JournalError."""
    try:
        prepare(path, exclusive=False, busy_timeout_s=busy_timeout_s)
        uri = f"{path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = ON")
            yield {"type": "journal", "schema": migrations.NEWEST, "words": words}
            yield from _events(connection, words=words)
            yield from _rest(connection, words=words)
    except (sqlite3.Error, OSError) as error:
        raise explain(error, path) from error


def _pages(connection: sqlite3.Connection, sql: str, read: Callable[[Any], Line]) -> Iterator[Line]:
    """`sql` has the number of the row as its first column, and asks for those above the first parameter."""
    after = 0
    while True:
        connection.execute("BEGIN")
        try:
            rows = connection.execute(sql, (after, PAGE)).fetchall()
            lines = [read(row) for row in rows]
        finally:
            connection.execute("ROLLBACK")
        yield from lines
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


_EVENTS = (
    "SELECT event.seq, accepted_at, origin, message, thread, author, json FROM event LEFT JOIN body ON body.seq = event.seq"
    " WHERE event.seq > ? ORDER BY event.seq LIMIT ?"
)


def _events(connection: sqlite3.Connection, *, words: bool) -> Iterator[Line]:
    names = Names(connection)
    tracing = Tracing(connection, names, Parts(connection, names))

    def read(row: Any) -> Line:
        names.clear()  # another process writes
        seq, accepted_at, origin, message, thread, author, json = row
        try:
            event, chat = tracing.event(seq), str(names.chat_of(origin))
        except UNREADABLE as error:
            return {"type": "damaged", "number": seq, "reason": str(error)}  # one row, not the rest
        line: Line = {
            "type": "event",
            "number": seq,
            "accepted_at": unpack_time(accepted_at),
            "chat": chat,
            "thread": None if thread is None else unpack_id(thread),
            "message": None if message is None else unpack_id(message),
            "change": event.change.value if event.change else None,
            "of": str(event.of) if event.of else None,
            "deliveries": [_delivery(one) for one in event.deliveries],
        }
        if words:
            line |= {"author": author, "event": None if json is None else _json(json)}
        return line

    yield from _pages(connection, _EVENTS, read)


def _delivery(one: TracedDelivery) -> Line:
    return {
        "delivery": one.delivery_id,
        "route": one.route,
        "target": str(one.target),
        "thread": one.thread_id,
        "state": one.state.value,
        "attempts": one.attempts,
        "first_attempt_at": one.first_attempt_at,
        "next_attempt_at": one.not_before,
        "ended_at": one.ended_at,
        "note": one.note,
        "copies": [message_id for copy in one.copies for message_id in copy.copy.message_ids],
    }


def _rest(connection: sqlite3.Connection, *, words: bool) -> Iterator[Line]:
    def undecodable(row: Any) -> Line:
        number, account, reason, at, raw = row
        line: Line = {"type": "undecodable", "number": number, "account": account, "reason": reason, "received_at": unpack_time(at)}
        return line | ({"raw": raw.decode(errors="replace")} if words else {"size_bytes": len(raw)})

    def audit(row: Any) -> Line:
        number, at, actor, action, subject, result = row
        line: Line = {"type": "audit", "number": number, "at": unpack_time(at), "action": action, "result": result}
        return line | ({"actor": actor, "subject": subject} if words else {})

    def decision(row: Any) -> Line:
        account, user, kind, at, until = row
        return {
            "type": "decision",
            "account": account,
            "user": user,
            "kind": tuple(DecisionKind)[kind].value,
            "at": unpack_time(at),
            "until": unpack_optional_time(until),
        }

    yield from _pages(
        connection,
        "SELECT number, account, reason, received_at, raw FROM undecodable WHERE number > ? ORDER BY number LIMIT ?",
        undecodable,
    )
    yield from _pages(
        connection, "SELECT number, at, actor, action, subject, result FROM audit WHERE number > ? ORDER BY number LIMIT ?", audit
    )
    rows = connection.execute("SELECT account, user, kind, at, until FROM decision ORDER BY account, user, kind").fetchall()
    yield from (decision(row) for row in rows)


def _json(json: bytes) -> Any:
    try:
        return msgspec.json.decode(json)
    except msgspec.MsgspecError:
        return None  # damaged: `journal check` tells it
