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
