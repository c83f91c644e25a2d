"""A journal that version 8 wrote, with a row of every kind: nothing of it changes, and its deliveries keep their tokens."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bridge.journal.maintenance import begin_tokens
from bridge.journal.sqlite import SqliteJournal, migrations
from bridge.model.refs import ThreadRef
from bridge.policy.echo import token_for
from tests.bridge.journal.journal_makers import CHAT, B, accept, at, created, deliver, native
from tests.bridge.journal.sqlite.test_migrations_from_6 import as_before, rows

DUMP = Path(__file__).parents[1] / "journal-version-8.sql"


async def test_what_was_there_stays_and_only_new_deliveries_are_marked(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
        (last,) = connection.execute("SELECT max(id) FROM delivery").fetchone()
    before = rows(path)
    assert all(before.values()), "a table of the dump is empty, and proves nothing"
    journal = SqliteJournal(path)
    await journal.open()
    try:
        after = rows(path)
        assert as_before(after, before) == before
        assert after["generation"] == after["partner"] == []
        here = ThreadRef(CHAT, "45")
        assert await journal.partners.set_partner(here, native(B), "46", title="Releases", at=at(1))
        assert [one.thread_id for one in await journal.partners.partners(here)] == ["45", "46"]
        tokens = await begin_tokens(journal)
        assert tokens.of(last) == token_for(last, 0, tokens.journal_id), "as the earlier version would have sent it"
        accepted = await accept(journal, created("70"), B)
        (waiting,) = [one for one in await journal.pending(B, 0, 100) if one.delivery_id > last]
        assert len(tokens.of(waiting.delivery_id)) == len(token_for(waiting.delivery_id, 0, tokens.journal_id)) + 4
        await deliver(journal, accepted, (B, "7000"))
        assert await journal.persons.decisions()
    finally:
        await journal.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (migrations.NEWEST,)
