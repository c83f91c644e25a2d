"""A journal that version 7 wrote, with a row of every kind: nothing of it changes, and people's decisions have their place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bridge.journal.contract import Decision, DecisionKind, UserKey
from bridge.journal.sqlite import SqliteJournal, migrations
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, deliver, message
from tests.bridge.journal.sqlite.test_migrations_from_6 import as_before, rows

DUMP = Path(__file__).parents[1] / "journal-version-7.sql"


async def test_what_was_there_stays_and_old_dead_letters_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
    before = rows(path)
    assert all(before.values()), "a table of the dump is empty, and proves nothing"
    journal = SqliteJournal(path)
    await journal.open()
    try:
        after = rows(path)
        assert as_before(after, before) == before
        assert after["decision"] == after["linked"] == after["claim"] == after["audit"] == []
        assert await journal.dead_letters()
        assert await journal.persons.unshown_dead() == []
        user = UserKey(account=CHAT.account, user_id="u-Anna")
        decision = Decision(user=user, kind=DecisionKind.MUTED, name="Anna", at=at(1), by="command line")
        await journal.persons.decide(decision)
        assert await journal.persons.decisions() == [decision]
        assert await journal.persons.messages_of(user), "the authors of older messages are known"
        link = await journal.link(message(CHAT, "61"), A)
        assert link is not None
        await deliver(journal, await accept(journal, created("70"), B), (B, "7000"))
    finally:
        await journal.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (migrations.NEWEST,)
