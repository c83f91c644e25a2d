"""Journals of every older version, and of newer ones: each is migrated whole, or left as it was."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from bridge.journal.contract import DeliveryStatus, JournalError, StoredWait
from bridge.journal.sqlite import SqliteJournal, migrations
from bridge.journal.tracing import ChangeKind
from bridge.model.refs import AccountName, ChatRef, MessageRef
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, deliver, message, native, reacted
from tests.bridge.journal.sqlite.files import content, open_and_close, pragma
from tests.support.deliveries import readable

VERSION_1 = Path(__file__).parents[1] / "journal-version-1.sql"
VERSION_2 = Path(__file__).parents[1] / "journal-version-2.sql"
VERSION_3 = Path(__file__).parents[1] / "journal-version-3.sql"
VERSION_4 = Path(__file__).parents[1] / "journal-version-4.sql"
VERSION_5 = Path(__file__).parents[1] / "journal-version-5.sql"
VERSION_6 = Path(__file__).parents[1] / "journal-version-6.sql"
VERSION_7 = Path(__file__).parents[1] / "journal-version-7.sql"
VERSION_8 = Path(__file__).parents[1] / "journal-version-8.sql"


async def test_a_newer_journal_is_refused_and_untouched(path: Path) -> None:
    await open_and_close(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {migrations.NEWEST + 1}")
    connection.close()
    before = content(path)
    for exclusive in (True, False):
        with pytest.raises(JournalError, match="Install that version again"):
            await open_and_close(path, exclusive=exclusive)
    assert content(path) == before


async def test_a_journal_of_version_1_is_migrated_and_works(path: Path) -> None:
    """`journal-version-1.sql` was written by the first release and is never changed."""
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1.read_text(encoding="utf-8"))
    connection.close()
    assert pragma(path, "user_version") == 1
    journal = SqliteJournal(path)
    await journal.open()
    link = await journal.link(message(native(A), "1300000000000000001"), B)
    assert link is not None
    assert (link.original, link.author_name) == (message(CHAT, "1"), "Anna")
    (waiting,) = readable(await journal.pending(A, 0, 10))
    assert (waiting.state, waiting.attempt, waiting.event) == (DeliveryStatus.SENDING, 2, created("2", also=("3",), text="grüße"))
    (dead,) = await journal.dead_letters()
    assert (dead.reason, dead.target) == ("chat not found", B)
    assert await journal.cursor(CHAT.account, "offset") == "2"
    assert await journal.native_ids(A.account) == {"A": "N-A"}
    assert await journal.waits() == {"target": StoredWait(until=at(60), kept_at=None)}
    assert [kept.raw for kept in await journal.undecodable()] == [b"{}"]
    await deliver(journal, await accept(journal, created("9"), A), (A, "9"))
    await journal.close()
    assert pragma(path, "user_version") == migrations.NEWEST


async def test_a_journal_of_version_2_knows_its_copies_in_threads_by_their_ends(path: Path) -> None:
    """Version 2 kept one copy a chat, whatever its thread: it belongs to the thread of the delivery that sent it."""
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_2.read_text(encoding="utf-8"))
    connection.close()
    assert pragma(path, "user_version") == 2
    journal = SqliteJournal(path)
    await journal.open()
    for asked in (message(CHAT, "1"), message(native(A), "1300000000000000001"), message(native(A), "1300000000000000002")):
        link = await journal.link(asked, A, "7")
        assert link is not None
        assert [sent.copy.message_ids for sent in link.copies] == [("1300000000000000001",), ("1300000000000000002",)]
        link = await journal.link(asked, A)
        assert link is not None
        assert (link.copies, [other.thread_id for other in link.elsewhere]) == ((), ["7"])
        link = await journal.link(asked, B)
        assert link is not None
        assert [sent.copy.message_ids for sent in link.copies] == [("80",)]
    two, three = readable(await journal.pending(A, 0, 10))
    assert (two.thread_id, two.lead_seq, three.lead_seq) == ("general", two.event_seq, two.event_seq)
    merged = await journal.merged(three.event_seq, A, "general")
    assert merged is not None
    assert [piece.content for piece in merged.pieces] == [b"p5", b"p6"]
    link = await journal.link(message(native(A), "55"), A, "7")
    assert link is not None
    merged = await journal.merged(link.event_seq, A, "7")
    assert merged is not None
    assert [piece.content for piece in merged.pieces] == [b"p7", b"p8"]
    assert await journal.merged(link.event_seq, A) is None
    (dead,) = await journal.dead_letters()
    assert dead.parts_sent == 1
    link = await journal.link(message(CHAT, "7"), A, "general")
    assert link is not None
    assert [sent.copy.message_ids for sent in link.copies] == [("72",)]
    await journal.close()


async def test_a_reaction_of_version_2_can_be_taken_back(path: Path) -> None:
    """Version 2 did not keep on which message of the chat it is."""
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_2.read_text(encoding="utf-8"))
    connection.close()
    journal = SqliteJournal(path)
    await journal.open()
    assert await journal.reactions(1, not_on=()) == ["🎉", "👍"]
    assert await journal.reactions(1, not_on=[message(native(B), "80")]) == ["👍"]
    await accept(journal, reacted("80", native(B), version=2, who="Boris", removed=("🎉",)))
    assert await journal.reactions(1, not_on=()) == ["👍"]
    await journal.close()


async def test_an_album_of_version_3_is_one_whose_items_are_not_known(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_3.read_text(encoding="utf-8"))
    connection.close()
    journal = SqliteJournal(path)
    await journal.open()
    link = await journal.link(message(CHAT, "2"), A)
    assert link is not None
    assert (link.original, link.also_ids) == (message(CHAT, "1"), ("2", "3"))
    assert await journal.album(message(CHAT, "2")) == {}
    await journal.close()


async def test_the_newest_change_of_a_message_of_version_4_can_be_traced(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_4.read_text(encoding="utf-8"))
    connection.close()
    journal = SqliteJournal(path)
    await journal.open()
    found = [await journal.trace(MessageRef(ChatRef(AccountName("origin"), "C"), number)) for number in ("1", "2")]
    assert [[change.change for change in traced.changes] for (traced,) in found] == [[ChangeKind.EDIT], [ChangeKind.DELETION]]
    await journal.close()


@pytest.mark.parametrize(
    ("version", "dump"),
    list(enumerate([VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5, VERSION_6, VERSION_7, VERSION_8], 1)),
    ids="12345678",
)
def test_a_migrated_journal_has_the_schema_of_a_new_one(tmp_path: Path, version: int, dump: Path) -> None:
    old, new = sqlite3.connect(tmp_path / "old"), sqlite3.connect(tmp_path / "new")
    old.executescript(dump.read_text(encoding="utf-8"))
    migrations.migrate(old, version)
    migrations.create(new)
    described = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
    assert [normal(row) for row in old.execute(described)] == [normal(row) for row in new.execute(described)]
    old.close()
    new.close()


def normal(row: tuple[str | None, ...]) -> list[str]:
    """A column that ALTER TABLE added stands where it would have been written."""
    return [re.sub(r"\s*([(),])\s*", r"\1", " ".join((column or "").split())) for column in row]


@pytest.fixture
def two_more_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (
        *migrations.STEPS,
        "ALTER TABLE event ADD COLUMN colour TEXT; -- a comment; with a semicolon\nUPDATE event SET colour = 'a;b';",
        "CREATE TABLE extra (a);\nINSERT INTO extra SELECT colour FROM event;\n",
    )
    monkeypatch.setattr(migrations, "STEPS", steps)
    monkeypatch.setattr(migrations, "NEWEST", len(steps) + 1)


async def make_old(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    await accept(journal, created("1"), A)
    await journal.close()


@pytest.fixture
async def old_journal(path: Path) -> Path:
    await make_old(path)
    return path


async def test_every_step_is_taken_in_order(old_journal: Path, two_more_versions: None) -> None:
    await open_and_close(old_journal)
    connection = sqlite3.connect(old_journal)
    assert connection.execute("SELECT a FROM extra").fetchall() == [("a;b",)]
    connection.close()
    assert pragma(old_journal, "user_version") == migrations.NEWEST
    await open_and_close(old_journal)


async def test_a_step_that_fails_leaves_the_old_journal(old_journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = migrations.NEWEST
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, "CREATE TABLE extra (a);\nINSERT INTO nowhere VALUES (1);"))
    monkeypatch.setattr(migrations, "NEWEST", version + 1)
    with pytest.raises(JournalError, match="nowhere"):
        await open_and_close(old_journal)
    assert pragma(old_journal, "user_version") == version
    monkeypatch.undo()
    journal = SqliteJournal(old_journal)
    await journal.open()
    assert len(await journal.pending(A, 0, 10)) == 1
    await journal.close()


async def test_the_command_line_does_not_migrate(old_journal: Path, two_more_versions: None) -> None:
    with pytest.raises(JournalError, match="Start the daemon once"):
        await open_and_close(old_journal, exclusive=False)
