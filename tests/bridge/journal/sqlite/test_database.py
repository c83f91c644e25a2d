"""Opening the file: creation, the lock, damage; each refusal says what to do."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.journal.contract import JournalError
from bridge.journal.sqlite import SqliteJournal, migrations
from bridge.journal.sqlite.database import APPLICATION_ID
from tests.bridge.journal.journal_makers import A, B, accept, created, kill
from tests.bridge.journal.sqlite.files import content, open_and_close, pragma, write


async def test_a_new_journal_is_for_the_daemons_user_only(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    await accept(journal, created("1"), A)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    await journal.close()
    assert pragma(path, "user_version") == migrations.NEWEST
    assert pragma(path, "application_id") == APPLICATION_ID


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
