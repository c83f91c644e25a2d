"""All reads. On the reader's thread, except where the writer needs one."""

from __future__ import annotations

import sqlite3

from bridge.journal.contract import (
    StoredWait,
)
from bridge.journal.sqlite.codec import (
    hash_key,
    unpack_optional_time,
    unpack_time,
)
from bridge.journal.sqlite.delivering import Deliveries
from bridge.journal.sqlite.linking import Links
from bridge.journal.sqlite.names import Names
from bridge.journal.sqlite.parts import Parts
from bridge.journal.sqlite.people import PeoplesSide
from bridge.journal.sqlite.recent import Recent
from bridge.journal.sqlite.stepping import Stepping
from bridge.journal.sqlite.tracing import Tracing
from bridge.model.refs import AccountName


class Queries:
    """One instance per connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        names = Names(connection)
        parts = Parts(connection, names)
        self.connection = connection
        self.deliveries = Deliveries(connection, names, parts)
        self.links = Links(connection, names, parts)
        self.people = PeoplesSide(connection, names, parts)
        self.tracing = Tracing(connection, names, parts)
        self.stepping = Stepping(connection, names, self.tracing)
        self.recent = Recent(connection, names)

    def cursor(self, account: AccountName, name: str) -> str | None:
        row = self.connection.execute("SELECT value FROM cursor WHERE account = ? AND name = ?", (account, name)).fetchone()
        return None if row is None else row[0]

    def is_known(self, event_key: str) -> bool:
        return self.connection.execute("SELECT 1 FROM event WHERE key = ?", (hash_key(event_key),)).fetchone() is not None

    def note(self, name: str) -> str | None:
        row = self.connection.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def native_ids(self, account: AccountName) -> dict[str, str]:
        return dict(self.connection.execute("SELECT address, chat_id FROM native_id WHERE account = ?", (account,)).fetchall())

    def waits(self) -> dict[str, StoredWait]:
        rows = self.connection.execute("SELECT name, until, at FROM wait").fetchall()
        return {name: StoredWait(until=unpack_time(until), kept_at=unpack_optional_time(at)) for name, until, at in rows}

    def is_hurried(self) -> bool:
        row = self.connection.execute("SELECT 1 FROM wish LIMIT 1").fetchone()
        return row is not None
