"""Opening the file: creation, the lock, versions, damage; each refusal says what to do."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.journal.contract import DeliveryStatus, JournalError, StoredWait
from bridge.journal.sqlite import SqliteJournal, migrations
from bridge.journal.sqlite.database import APPLICATION_ID
from bridge.journal.tracing import ChangeKind
from bridge.model.refs import AccountName, ChatRef, MessageRef
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, deliver, kill, message, native, reacted
from tests.support.deliveries import readable

VERSION_1 = Path(__file__).parent / "journal-version-1.sql"
VERSION_2 = Path(__file__).parent / "journal-version-2.sql"
VERSION_3 = Path(__file__).parent / "journal-version-3.sql"
VERSION_4 = Path(__file__).parent / "journal-version-4.sql"
VERSION_5 = Path(__file__).parent / "journal-version-5.sql"
VERSION_6 = Path(__file__).parent / "journal-version-6.sql"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bridge.journal"


async def open_and_close(path: Path, *, exclusive: bool = True) -> None:
    journal = SqliteJournal(path, exclusive=exclusive)
    try:
        await journal.open()
    finally:
        await journal.close()


def pragma(path: Path, name: str) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
    finally:
        connection.close()


async def test_a_new_journal_is_for_the_daemons_user_only(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    await accept(journal, created("1"), A)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    await journal.close()
    assert pragma(path, "user_version") == migrations.NEWEST
    assert pragma(path, "application_id") == APPLICATION_ID


async def test_closing_leaves_one_file_and_may_be_repeated(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    await accept(journal, created("1"), A)
    await journal.close()
    await journal.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["bridge.journal", "bridge.journal.lock"]
    with pytest.raises(JournalError, match="not open"):
        await journal.figures()
    with pytest.raises(JournalError, match="not open"):
        await journal.record(journal.lease(A.account), [])


async def test_closing_finishes_what_was_asked(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    asked = [asyncio.ensure_future(accept(journal, created(f"{number}"), A)) for number in range(50)]
    await asyncio.sleep(0)
    await journal.close()
    assert len(await asyncio.gather(*asked)) == 50


async def test_a_second_daemon_is_refused_in_the_same_process_and_in_another(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    with pytest.raises(JournalError, match=f"in use by another process \\(pid {os.getpid()}\\)"):
        await open_and_close(path)
    script = (
        "import asyncio, pathlib, sys\nfrom bridge.journal.sqlite import SqliteJournal\n"
        "asyncio.run(SqliteJournal(pathlib.Path(sys.argv[1])).open())"
    )
    process = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script, str(path)], capture_output=True, text=True)
    assert "in use by another process" in process.stderr
    await accept(journal, created("1"), A)  # and the first one goes on
    await journal.close()
    await open_and_close(path)


async def test_a_folder_that_is_missing_or_forbidden(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened"):
        await open_and_close(tmp_path / "missing" / "bridge.journal")
    (tmp_path / "bridge.journal").mkdir()
    with pytest.raises(JournalError, match=r"cannot be opened|unable to open"):
        await open_and_close(tmp_path / "bridge.journal")


async def test_the_command_line_does_not_create_a_journal(path: Path) -> None:
    with pytest.raises(JournalError, match="There is no journal at"):
        await open_and_close(path, exclusive=False)
    assert list(path.parent.iterdir()) == []


async def test_opening_that_is_cancelled_lets_go_of_the_file(path: Path) -> None:
    journal = SqliteJournal(path)
    task = asyncio.ensure_future(journal.open())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await open_and_close(path)


def content(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


# -- versions ---------------------------------------------------------------------------------------------------------------


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
    ("version", "dump"), list(enumerate([VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5, VERSION_6], 1)), ids="123456"
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


# -- damage -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exclusive", [True, False])
async def test_a_file_that_is_no_database(path: Path, exclusive: bool) -> None:
    write(path, b"accounts:\n  tg:\n" * 1000)
    with pytest.raises(JournalError, match="damaged: stop the daemon, restore"):
        await open_and_close(path, exclusive=exclusive)


async def test_a_database_of_another_program(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE moz_places (id)")
    connection.close()
    before = content(path)
    with pytest.raises(JournalError, match="another program"):
        await open_and_close(path)
    assert content(path) == before


async def fill(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    for number in range(300):
        accepted = await accept(journal, created(f"{number}", text="x" * 500), A)
        if number % 2:
            await kill(journal, accepted.delivery_ids[0])
    await journal.close()


async def test_a_file_cut_short(path: Path) -> None:
    await fill(path)
    os.truncate(path, 3 * 4096)
    with pytest.raises(JournalError, match="damaged"):
        await open_and_close(path)


async def test_pages_overwritten_are_found_when_read(path: Path) -> None:
    await fill(path)
    with path.open("r+b") as file:
        for page in range(40, 60):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    journal = SqliteJournal(path)
    with pytest.raises(JournalError, match="damaged"):
        await journal.open()
        await journal.dead_letters(limit=1000)
        for lane in (A, B):
            await journal.pending(lane, 0, 1000)
    await journal.close()


async def test_an_empty_file_is_a_new_journal(path: Path) -> None:
    write(path, b"")
    journal = SqliteJournal(path)
    await journal.open()
    await accept(journal, created("1"), A)
    await journal.close()
