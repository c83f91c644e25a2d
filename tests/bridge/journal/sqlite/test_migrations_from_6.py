"""A journal that version 6 wrote, with a row of every kind: nothing of it changes, and keys have their place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bridge.journal.sqlite import SqliteJournal, migrations
from tests.bridge.journal.contract.test_keys import arrival, key
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, created, deliver, message

DUMP = Path(__file__).parents[1] / "journal-version-6.sql"


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {table: sorted(connection.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr) for table in tables}


def as_before(after: dict[str, list[tuple[object, ...]]], before: dict[str, list[tuple[object, ...]]]) -> dict[str, object]:
    """What is there by now of the tables of before, without the columns that were added at their ends."""
    width = {table: len(found[0]) for table, found in before.items()}
    return {table: [row[: width[table]] for row in after[table]] for table in before}


async def test_what_was_there_stays_and_keys_join_it(tmp_path: Path) -> None:
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
        assert (
            after["access_key"]
            == after["key_secret"]
            == after["invite"]
            == after["arrival"]
            == after["mail"]
            == after["answer"]
            == []
        )
        await journal.add_key(key())
        await journal.keep_arrival(arrival())
        assert await journal.find_key(b"hash of k1") == key()
        link = await journal.link(message(CHAT, "61"), A)
        assert link is not None
        assert link.copies[0].copy.message_ids == ("6100",)
        assert "chat is gone" in {letter.reason for letter in await journal.dead_letters()}
        await deliver(journal, await accept(journal, created("70"), B), (B, "7000"))
    finally:
        await journal.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (migrations.NEWEST,)
