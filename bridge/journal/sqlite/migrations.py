"""Steps from one schema version to the next. `schema.sql` is the whole of the newest version, for a new journal.

To change the schema: edit `schema.sql`, append a step here, and add a journal of the old version to the tests, which compare a
migrated journal with a new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files

STEPS: tuple[str, ...] = (
    """
CREATE TABLE piece (
  seq INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  lead INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (seq, lane)
) STRICT, WITHOUT ROWID;
CREATE INDEX piece_lead ON piece (lane, lead);
""",
    """
CREATE TABLE place (id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, thread ANY NOT NULL, UNIQUE (lane, thread)) STRICT;
INSERT INTO place (lane, thread) SELECT DISTINCT lane, thread FROM delivery WHERE thread IS NOT NULL;
UPDATE piece SET lane = -place.id FROM delivery JOIN place USING (lane, thread)
  WHERE piece.seq = delivery.event AND piece.lane = delivery.lane
  AND NOT EXISTS (SELECT 1 FROM part WHERE part.seq = piece.seq AND part.lane = piece.lane AND part.delivery <> delivery.id);
UPDATE part SET lane = -place.id FROM delivery JOIN place USING (lane, thread)
  WHERE part.seq = delivery.event AND part.lane = delivery.lane AND (part.delivery = delivery.id OR part.delivery IS NULL);
ALTER TABLE reaction RENAME TO old_reaction;
CREATE TABLE reaction (
  seq INTEGER NOT NULL,
  chat INTEGER NOT NULL,
  message ANY NOT NULL,
  person TEXT NOT NULL,
  emoji TEXT NOT NULL,
  event INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (seq, chat, message, person, emoji)
) STRICT, WITHOUT ROWID;
INSERT INTO reaction SELECT seq, chat, '', person, emoji, event, position FROM old_reaction;
DROP TABLE old_reaction;
""",
    """
CREATE TABLE item (
  seq INTEGER NOT NULL,
  place INTEGER NOT NULL,
  message ANY NOT NULL,
  json BLOB NOT NULL,
  PRIMARY KEY (seq, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_behind ON delivery (lane, id) WHERE state = -1;
CREATE TABLE plan (delivery INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;
CREATE TABLE latest (chat INTEGER NOT NULL, message ANY NOT NULL, seq INTEGER NOT NULL, json BLOB, PRIMARY KEY (chat, message))
  STRICT, WITHOUT ROWID;
CREATE INDEX latest_seq ON latest (seq);
ALTER TABLE wait RENAME TO old_wait;
CREATE TABLE wait (name TEXT PRIMARY KEY, until INTEGER NOT NULL, at INTEGER) STRICT, WITHOUT ROWID;
INSERT INTO wait (name, until) SELECT name, until FROM old_wait;
DROP TABLE old_wait;
""",
    """
CREATE TABLE change (
  chat INTEGER NOT NULL,
  message ANY NOT NULL,
  kind INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (chat, message, kind, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX change_seq ON change (seq);
INSERT INTO change SELECT chat, message, json IS NULL, seq FROM latest;
""",
)
"""`STEPS[n]` leads from version n + 1 to n + 2. Plain SQL statements; run in one transaction together."""

NEWEST = len(STEPS) + 1


def schema() -> str:
    return files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")


def create(connection: sqlite3.Connection) -> None:
    """Make an empty file a journal of the newest version. Inside the caller's transaction."""
    run_script(connection, schema())
    connection.execute(f"PRAGMA user_version = {NEWEST}")


def migrate(connection: sqlite3.Connection, version: int, steps: Sequence[str] = STEPS) -> None:
    """Take a journal of an older version to the newest. Inside the caller's transaction, so that it is all or nothing."""
    for step in steps[version - 1 :]:
        run_script(connection, step)
    connection.execute(f"PRAGMA user_version = {len(steps) + 1}")


def run_script(connection: sqlite3.Connection, script: str) -> None:
    """`executescript` would commit the caller's transaction first."""
    for statement in _statements(script):
        connection.execute(statement)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
