"""A journal that is as it should be has no problem; each kind of damage is one that is told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bridge.journal.contract import JournalError
from bridge.journal.sqlite import SqliteJournal, migrations
from bridge.journal.sqlite.checking import Checked, check
from tests.bridge.journal.journal_makers import A, B, accept, created, deliver
from tests.bridge.journal.sqlite.files import content, open_and_close, write

VERSIONS = sorted(Path(__file__).parents[1].glob("journal-version-*.sql"))


def checked(path: Path) -> Checked:
    return check(path, busy_timeout_s=5.0)


def found(path: Path) -> set[tuple[str, str]]:
    return {(one.where, one.what) for one in checked(path).problems}


async def filled(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    await deliver(journal, await accept(journal, created("1"), A), (A, "9"))
    await accept(journal, created("2"), A, B)
    await journal.close()


def damage(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()


async def test_a_good_journal_has_no_problem_whether_a_daemon_runs_or_not(path: Path) -> None:
    await filled(path)
    answer = checked(path)
    assert (answer.problems, answer.schema, answer.events, answer.unfinished) == ((), migrations.NEWEST, 2, 2)
    journal = SqliteJournal(path)
    await journal.open()
    assert checked(path).problems == ()
    await journal.close()


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.stem)
async def test_a_journal_of_each_older_version_has_none_once_it_is_migrated(path: Path, version: Path) -> None:
    damage(path, content(version).decode())
    ((where, what),) = found(path)
    assert where == "schema"
    assert f"this version of messenger-bridge has {migrations.NEWEST}" in what
    await open_and_close(path)
    assert found(path) == set()


@pytest.mark.parametrize(
    ("sql", "where", "what"),
    [
        ("DELETE FROM event WHERE seq = 2", "delivery", "2 of events that are not there"),
        ("DELETE FROM body", "delivery", "2 unfinished, without their event's content"),
        ("DELETE FROM route", "delivery", "3 of routes that are not there"),
        ("DELETE FROM lane", "delivery", "3 into chats that are not there"),
        ("DELETE FROM lane_end", "part", "1 at ends that are not there"),
        ("DELETE FROM chat", "event", "2 of chats that are not there"),
        ("UPDATE delivery SET lane_seq = NULL", "delivery", "2 waiting, without a place in their line"),
        (
            "UPDATE event SET open = open + 1 WHERE seq = 1",
            "event",
            "1 with another number of unfinished deliveries than they have",
        ),
        ("UPDATE body SET json = x'7b'", "body", "1 that cannot be read"),
        ("INSERT INTO plan VALUES (99, x'7b')", "plan", "1 of deliveries that are not there"),
        ("INSERT INTO poll VALUES (99, x'7b')", "poll", "1 of events that are not there"),
        ("INSERT INTO key_secret VALUES (x'00', 'gone', 0, NULL)", "key_secret", "1 of keys that are not there"),
        ("DROP TABLE mail", "schema", "table mail is missing"),
        ("ALTER TABLE mail DROP COLUMN content", "schema", "table mail differs from what this version creates"),
        ("DROP INDEX delivery_line", "schema", "index delivery_line is missing"),
    ],
)
async def test_each_damage_is_told(path: Path, sql: str, where: str, what: str) -> None:
    await filled(path)
    damage(path, sql)
    problems = checked(path).problems
    assert (where, what) in {(one.where, one.what) for one in problems}
    assert all(one.costs for one in problems)


async def test_damaged_pages_are_told(path: Path) -> None:
    await filled(path)
    harmed = bytearray(content(path))
    for page in range(4096, len(harmed), 4096):
        harmed[page + 100 : page + 200] = b"\xff" * 100
        harmed[page] = 99  # the kind of page
    write(path, bytes(harmed))
    assert {where for where, _ in found(path)} == {"file"}


async def test_what_is_no_journal_is_refused(path: Path, tmp_path: Path) -> None:
    write(tmp_path / "text", b"words " * 1000)
    with pytest.raises(JournalError):
        checked(tmp_path / "text")
    damage(tmp_path / "other", "CREATE TABLE a (b)")
    with pytest.raises(JournalError, match="no journal of messenger-bridge"):
        checked(tmp_path / "other")
    await filled(path)
    damage(path, f"PRAGMA user_version = {migrations.NEWEST + 1}")
    with pytest.raises(JournalError, match="newer version"):
        checked(path)
