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
    """
ALTER TABLE lane RENAME TO old_lane;
CREATE TABLE lane (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  address TEXT NOT NULL,
  last_seq INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account, address)
) STRICT;
INSERT INTO lane SELECT id, account, address, max(
  coalesce((SELECT max(id) FROM delivery), 0), coalesce((SELECT value FROM meta WHERE name = 'last_delivery'), 0)) FROM old_lane;
DROP TABLE old_lane;
CREATE TABLE lane_end (id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, thread ANY, UNIQUE (lane, thread)) STRICT;
CREATE UNIQUE INDEX lane_end_chat ON lane_end (lane) WHERE thread IS NULL;
INSERT INTO lane_end (id, lane) SELECT id, id FROM lane;
INSERT INTO lane_end (id, lane, thread) SELECT id + (SELECT max(id) FROM lane), lane, thread FROM place;
DROP TABLE place;
ALTER TABLE event ADD COLUMN author_id ANY;
ALTER TABLE event ADD COLUMN username TEXT;
UPDATE event SET author = substr(author, 1, instr(author, char(31)) - 1),
  author_id = nullif(substr(substr(author, instr(author, char(31)) + 1), 1,
    instr(substr(author, instr(author, char(31)) + 1) || char(31), char(31)) - 1), ''),
  username = nullif(substr(substr(author, instr(author, char(31)) + 1),
    instr(substr(author, instr(author, char(31)) + 1) || char(31), char(31)) + 1), '')
  WHERE instr(author, char(31));
ALTER TABLE delivery ADD COLUMN lane_seq INTEGER;
DROP INDEX delivery_open;
UPDATE delivery SET state = 6 WHERE state = -1;
DROP INDEX delivery_behind;
UPDATE delivery SET lane_seq = id WHERE state NOT IN (4, 5);
CREATE INDEX delivery_line ON delivery (lane, lane_seq) WHERE state IN (0, 1);
CREATE INDEX delivery_behind ON delivery (lane, id) WHERE state = 6;
ALTER TABLE part RENAME TO old_part;
CREATE TABLE part (
  seq INTEGER NOT NULL,
  lane_end INTEGER NOT NULL,
  part INTEGER NOT NULL,
  chat INTEGER NOT NULL,
  message ANY,
  more TEXT,
  thread ANY,
  data ANY,
  text INTEGER NOT NULL,
  marks TEXT,
  delivery INTEGER,
  edit INTEGER,
  PRIMARY KEY (seq, lane_end, part)
) STRICT, WITHOUT ROWID;
INSERT INTO part SELECT seq, iif(lane > 0, lane, (SELECT max(id) FROM lane) - lane), part, chat, message, more, thread,
  CASE WHEN via GLOB '[-t][-f]*' THEN nullif(substr(via, 3), '')
    WHEN via GLOB '[-t]F*' THEN nullif(substr(via, instr(via, '|') + 1), '') ELSE via END,
  via GLOB 't[-fF]*' AND via IS NOT NULL,
  CASE WHEN via GLOB '[-t]f*' THEN '[]' WHEN via GLOB '[-t]F*|*' THEN '["' || (
    WITH RECURSIVE mark (at) AS (VALUES (3) UNION ALL SELECT at + 8 FROM mark WHERE at + 8 < instr(via, '|'))
    SELECT group_concat(substr(via, at, 8), '","') FROM mark) || '"]' END,
  delivery, edit FROM old_part;
DROP TABLE old_part;
ALTER TABLE piece RENAME TO old_piece;
DROP INDEX piece_lead;
CREATE TABLE piece (
  seq INTEGER NOT NULL,
  lane_end INTEGER NOT NULL,
  lead INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (seq, lane_end)
) STRICT, WITHOUT ROWID;
CREATE INDEX piece_lead ON piece (lane_end, lead);
INSERT INTO piece SELECT seq, iif(lane > 0, lane, (SELECT max(id) FROM lane) - lane), lead, content FROM old_piece;
DROP TABLE old_piece;
CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO note SELECT name, value FROM cursor WHERE account = '';
DELETE FROM cursor WHERE account = '';
CREATE TABLE wish (account TEXT NOT NULL, address TEXT, at INTEGER NOT NULL) STRICT;
INSERT INTO wish SELECT substr(name, 7), NULL, until FROM wait WHERE name GLOB 'hurry:*' AND NOT instr(name, '/');
INSERT INTO wish SELECT substr(name, 7, instr(name, '/') - 7), substr(name, instr(name, '/') + 1), until FROM wait
  WHERE name GLOB 'hurry:*/*';
DELETE FROM wait WHERE name GLOB 'hurry:*';
""",
    """
CREATE TABLE access_key (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  address TEXT NOT NULL,
  direction TEXT NOT NULL,
  label TEXT NOT NULL,
  form INTEGER NOT NULL,
  origins TEXT,
  per_minute INTEGER NOT NULL,
  most_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  used_day INTEGER,
  listened_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE key_secret (hash BLOB PRIMARY KEY, key TEXT NOT NULL, created_at INTEGER NOT NULL, valid_until INTEGER)
  STRICT, WITHOUT ROWID;
CREATE INDEX key_secret_key ON key_secret (key);
CREATE TABLE invite (
  hash BLOB PRIMARY KEY,
  chats TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  session BLOB UNIQUE,
  session_until INTEGER,
  keys TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE arrival (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  method TEXT NOT NULL,
  query TEXT NOT NULL,
  headers BLOB NOT NULL,
  body BLOB NOT NULL,
  whole INTEGER NOT NULL,
  status INTEGER NOT NULL,
  answer TEXT NOT NULL,
  replay_at INTEGER,
  replay_status INTEGER,
  replay_answer TEXT
) STRICT;
CREATE INDEX arrival_key ON arrival (key, number);
CREATE INDEX arrival_replay ON arrival (number) WHERE replay_at IS NOT NULL AND replay_status IS NULL;
CREATE TABLE mailbox (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  chat TEXT NOT NULL,
  last INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account, chat)
) STRICT;
CREATE TABLE mail (
  mailbox INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  name TEXT NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (mailbox, number),
  UNIQUE (mailbox, name)
) STRICT;
CREATE INDEX mail_at ON mail (at);
CREATE TABLE answer (
  delivery INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  took INTEGER NOT NULL,
  status INTEGER,
  body TEXT NOT NULL,
  PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;
""",
    """
CREATE TABLE decision (
  account TEXT NOT NULL,
  user TEXT NOT NULL,
  kind INTEGER NOT NULL,
  name TEXT NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  until INTEGER,
  PRIMARY KEY (account, user, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE linked (
  account TEXT NOT NULL,
  user TEXT NOT NULL,
  person TEXT NOT NULL,
  name TEXT NOT NULL,
  username TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (account, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE claim (
  account TEXT NOT NULL,
  user TEXT NOT NULL,
  asker BLOB NOT NULL,
  step INTEGER NOT NULL,
  code BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  other BLOB NOT NULL,
  PRIMARY KEY (account, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE shown_name (
  account TEXT NOT NULL,
  address TEXT NOT NULL,
  look TEXT NOT NULL,
  who TEXT NOT NULL,
  mark TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (account, address, look, who)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  result TEXT NOT NULL
) STRICT;
CREATE TABLE shown_dead (delivery INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
INSERT INTO shown_dead SELECT id, coalesce(at, 0) FROM delivery WHERE state IN (2, 3);
""",
    """
CREATE TABLE generation (first_delivery INTEGER PRIMARY KEY, mark TEXT NOT NULL) STRICT;
ALTER TABLE event ADD COLUMN thread ANY;
CREATE TABLE partner (
  bond INTEGER NOT NULL,
  chat INTEGER NOT NULL,
  thread ANY,
  title TEXT NOT NULL,
  state INTEGER NOT NULL,
  at INTEGER NOT NULL,
  made INTEGER NOT NULL DEFAULT 0,
  closed INTEGER NOT NULL DEFAULT 0,
  titled_by INTEGER,
  PRIMARY KEY (bond, chat)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX partner_thread ON partner (chat, thread) WHERE thread IS NOT NULL;
CREATE INDEX partner_wanted ON partner (chat) WHERE state = 1;
CREATE TABLE poll (seq INTEGER PRIMARY KEY, json BLOB NOT NULL) STRICT;
CREATE TABLE vote (
  seq INTEGER NOT NULL,
  chat INTEGER NOT NULL,
  message ANY NOT NULL,
  counts BLOB NOT NULL,
  closed INTEGER NOT NULL,
  PRIMARY KEY (seq, chat, message)
) STRICT, WITHOUT ROWID;
ALTER TABLE reaction ADD COLUMN name TEXT;
CREATE TABLE step (first INTEGER PRIMARY KEY, event INTEGER NOT NULL, what BLOB NOT NULL) STRICT;
INSERT INTO step SELECT 1, coalesce(max(seq), 0), x'' FROM event;
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
