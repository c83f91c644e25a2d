"""Looks through a journal's file for what is wrong with it: damaged pages, another schema, rows that refer to nothing, events that
cannot be read. Only reads; in one read transaction, beside a running daemon too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bridge.journal.contract import JournalError
from bridge.journal.rules import states
from bridge.journal.sqlite import migrations
from bridge.journal.sqlite.codec import UNREADABLE, decode_event, sql_states
from bridge.journal.sqlite.database import APPLICATION_ID, explain, size_on_disk_bytes

_MOST_MESSAGES = 20
"""Of SQLite's own check."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`where`: the table, or the part of the file. `costs`: what no longer works because of it."""

    where: str
    what: str
    costs: str


@dataclass(frozen=True, slots=True)
class Checked:
    schema: int
    size_bytes: int
    events: int
    unfinished: int
    problems: tuple[Problem, ...]


_LOST = "those deliveries are not made"
_NOT_FOUND = "edits, replies and reactions do not find those messages"
_UNUSED = "nothing; they take up room"
_EVENT = "NOT EXISTS (SELECT 1 FROM event WHERE event.seq = {table}.seq)"
_DELIVERY = "NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.id = {table}.delivery)"

_STRAY: tuple[tuple[str, str, str, str], ...] = (
    ("delivery", "of events that are not there", "event NOT IN (SELECT seq FROM event)", _LOST),
    ("delivery", "into chats that are not there", "lane NOT IN (SELECT id FROM lane)", _LOST),
    ("delivery", "of routes that are not there", "route NOT IN (SELECT id FROM route)", _LOST),
    (
        "delivery",
        "unfinished, without their event's content",
        f"state {sql_states(states.UNFINISHED)} AND event NOT IN (SELECT seq FROM body)",
        _LOST,
    ),
    ("delivery", "waiting, without a place in their line", f"state {sql_states(states.IN_LINE)} AND lane_seq IS NULL", _LOST),
    ("event", "of chats that are not there", "origin NOT IN (SELECT id FROM chat)", _NOT_FOUND),
    (
        "event",
        "with another number of unfinished deliveries than they have",
        "open <> (SELECT count(*) FROM delivery WHERE id BETWEEN first_delivery AND first_delivery + event.deliveries - 1"
        f" AND delivery.event = event.seq AND state {sql_states(states.UNFINISHED)})",
        "they are forgotten too early, or never",
    ),
    ("lane_end", "of chats that are not there", "lane NOT IN (SELECT id FROM lane)", _NOT_FOUND),
    ("part", "at ends that are not there", "lane_end NOT IN (SELECT id FROM lane_end)", _NOT_FOUND),
    ("part", "in chats that are not there", "chat NOT IN (SELECT id FROM chat)", _NOT_FOUND),
    ("link", "in chats that are not there", "chat NOT IN (SELECT id FROM chat)", _NOT_FOUND),
    *(
        (table, "of events that are not there", _EVENT.format(table=table), _NOT_FOUND if table in ("part", "link") else _UNUSED)
        for table in ("body", "part", "piece", "link", "gone", "poll", "vote", "item", "latest", "change")
    ),
    ("reaction", "of events that are not there", f"seq <> 0 AND {_EVENT.format(table='reaction')}", _UNUSED),
    *((table, "of deliveries that are not there", _DELIVERY.format(table=table), _UNUSED) for table in ("plan", "answer")),
    ("key_secret", "of keys that are not there", "key NOT IN (SELECT id FROM access_key)", _UNUSED),
    ("mail", "of mailboxes that are not there", "mailbox NOT IN (SELECT id FROM mailbox)", _UNUSED),
)
"""Table, what the rows are, their condition, and what it costs."""


def check(path: Path, *, busy_timeout_s: float) -> Checked:
    """Raises JournalError for a file that is no journal, or cannot be read at all."""
    try:
        uri = f"{path.absolute().as_uri()}?mode=rw"  # not ro: a log that a killed daemon left is read too
        with closing(sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = ON")
            return _check(connection, path)
    except (sqlite3.Error, OSError) as error:
        raise explain(error, path) from error


def _check(connection: sqlite3.Connection, path: Path) -> Checked:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise JournalError(f"{path} is no journal of messenger-bridge.")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > migrations.NEWEST:
        raise JournalError(f"{path} was written by a newer version of messenger-bridge, which checks it: its schema is {version}.")
    connection.execute("BEGIN")
    problems = [*_pages(connection)]
    events = unfinished = 0
    if not problems:
        problems += _schema(connection, version)
    if not problems:
        problems += [*_stray(connection), *_unreadable(connection)]
        events = connection.execute("SELECT count(*) FROM event").fetchone()[0]
        (unfinished,) = connection.execute(f"SELECT count(*) FROM delivery WHERE state {sql_states(states.UNFINISHED)}").fetchone()
    return Checked(version, size_on_disk_bytes(path), events, unfinished, tuple(problems))


def _pages(connection: sqlite3.Connection) -> Iterator[Problem]:
    costs = "anything may fail: restore a backup, or move the file away to start anew"
    try:
        for (message,) in connection.execute(f"PRAGMA integrity_check({_MOST_MESSAGES})").fetchall():
            if message != "ok":
                yield Problem("file", str(message), costs)
    except sqlite3.DatabaseError as error:
        yield Problem("file", str(error), costs)


def _schema(connection: sqlite3.Connection, version: int) -> Iterator[Problem]:
    """Compares with what this version would create."""
    if version < migrations.NEWEST:
        what = f"of schema {version}; this version of messenger-bridge has {migrations.NEWEST}"
        yield Problem("schema", what, "nothing: the daemon leads it to the next one as it starts (docs/upgrading.md)")
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrations.create(fresh)
        wanted, found = _columns(fresh), _columns(connection)
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            yield Problem("schema", f"{name} is missing", "the daemon cannot use the journal")
        elif name in wanted and wanted[name] != found[name]:
            yield Problem("schema", f"{name} differs from what this version creates", "the daemon may be unable to use the journal")


def _columns(connection: sqlite3.Connection) -> dict[str, list[object]]:
    """Tables with the names of their columns, and indexes with theirs: a schema that was led here has other texts than a new
    one."""
    names = connection.execute("SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").fetchall()
    return {
        f"{kind} {name}": sorted(
            row[1] if kind == "table" else row[2]
            for row in connection.execute(f'PRAGMA {"table_info" if kind == "table" else "index_info"}("{name}")').fetchall()
        )
        for kind, name in names
        if kind in ("table", "index")
    }


def _stray(connection: sqlite3.Connection) -> Iterator[Problem]:
    for table, what, condition, costs in _STRAY:
        (count,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()
        if count:
            yield Problem(table, f"{count} {what}", costs)


def _unreadable(connection: sqlite3.Connection) -> Iterator[Problem]:
    """One body in memory at a time."""
    count = 0
    for (json,) in connection.execute("SELECT json FROM body"):
        try:
            decode_event(json)
        except UNREADABLE:
            count += 1
    if count:
        yield Problem("body", f"{count} that cannot be read", "each is one dead letter: messenger-bridge dead list")
