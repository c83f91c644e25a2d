"""Copies of a journal: whole, of one moment, private, over nothing, while the daemon goes on writing."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bridge.journal.contract import JournalError
from bridge.journal.sqlite import SqliteJournal, copying, migrations
from bridge.journal.sqlite.copying import back_up, former
from tests.bridge.journal.journal_makers import A, accept, created
from tests.bridge.journal.sqlite.files import content, open_and_close, pragma, write

OLD = Path(__file__).parents[1] / "journal-version-8.sql"


def copy(path: Path, to: Path, **more: Any) -> int:
    return back_up(path, to, busy_timeout_s=5.0, **more)


def names(folder: Path, begin: str) -> set[str]:
    return {one.name for one in folder.iterdir() if one.name.startswith(begin)}


def events(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])
    finally:
        connection.close()


async def test_a_copy_is_of_one_moment_while_the_daemon_writes(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "STEP_PAGES", 1)
    journal = SqliteJournal(path)
    await journal.open()
    for number in range(30):
        await accept(journal, created(str(number), text="words " * 400), A)
    begun, go_on = asyncio.Event(), False
    loop = asyncio.get_running_loop()

    def pause(_: float) -> None:
        loop.call_soon_threadsafe(begun.set)
        if not go_on:
            asyncio.run_coroutine_threadsafe(written.wait(), loop).result()

    written = asyncio.Event()
    monkeypatch.setattr("bridge.journal.sqlite.copying.time.sleep", pause)
    copied = asyncio.create_task(asyncio.to_thread(copy, path, tmp_path / "copy"))
    await begun.wait()
    for number in range(30, 40):
        await accept(journal, created(str(number)), A)  # is not held up by the copy, which stands still
    go_on = True
    written.set()
    await copied
    assert events(tmp_path / "copy") == 30
    assert os.stat(tmp_path / "copy").st_mode & 0o777 == 0o600
    assert names(tmp_path, "copy") == {"copy"}, "one file, and nothing beside it"
    await journal.close()
    restored = SqliteJournal(tmp_path / "copy")
    await restored.open()
    await accept(restored, created("41"), A)
    await restored.close()
    assert events(tmp_path / "copy") == 31


async def test_nothing_is_overwritten(path: Path, tmp_path: Path) -> None:
    await open_and_close(path)
    write(tmp_path / "there", b"precious")
    os.symlink(tmp_path / "nowhere", tmp_path / "link")
    for name in ("there", "link"):
        with pytest.raises(JournalError, match="replaces nothing"):
            copy(path, tmp_path / name)
    write(tmp_path / "new.part", b"of another backup")
    with pytest.raises(JournalError, match=r"new\.part came into being meanwhile, or is left"):
        copy(path, tmp_path / "new")
    assert content(tmp_path / "there") == b"precious"
    assert content(tmp_path / "new.part") == b"of another backup"
    assert names(tmp_path, "nowhere") == set()


async def test_a_copy_that_fails_leaves_nothing(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await open_and_close(path)

    def full(_: float) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bridge.journal.sqlite.copying.time.sleep", full)
    with pytest.raises(JournalError, match="cannot be written: No space left"):
        copy(path, tmp_path / "copy")
    assert names(tmp_path, "copy") == set()
    with pytest.raises(JournalError, match="cannot be written: No such file"):
        copy(path, tmp_path / "no folder" / "copy")


async def test_where_files_cannot_be_linked_the_copy_is_renamed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_and_close(path)

    def link(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    copy(path, tmp_path / "copy")
    assert events(tmp_path / "copy") == 0


def test_what_is_no_journal_is_not_copied(tmp_path: Path) -> None:
    other = tmp_path / "other"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE a (b)")
    connection.close()
    with pytest.raises(JournalError, match="is no journal"):
        copy(other, tmp_path / "copy")
    (tmp_path / "text").write_text("no database, but longer than a header of one " * 10)
    with pytest.raises(JournalError):
        copy(tmp_path / "text", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def old_journal(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(OLD.read_text(encoding="utf-8"))
    connection.close()


async def test_before_a_schema_step_the_journal_is_copied(path: Path) -> None:
    old_journal(path)
    write(former(path, 7), b"of an earlier step")
    write(former(path, 8), b"of a start that failed")
    before = events(path)
    await open_and_close(path)
    assert pragma(path, "user_version") == migrations.NEWEST
    kept = former(path, 8)
    assert pragma(kept, "user_version") == 8
    assert events(kept) == before
    assert os.stat(kept).st_mode & 0o777 == 0o600
    assert names(path.parent, path.name + ".schema") == {kept.name}, "one copy is kept, not one of each step"
    os.unlink(kept)
    await open_and_close(path)
    assert names(path.parent, path.name + ".schema") == set(), "only a step makes a copy"


async def test_without_room_for_the_copy_there_is_no_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_journal(path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(JournalError, match=r"No space left on device\. Free space there"):
        await open_and_close(path)
    assert pragma(path, "user_version") == 8
    assert names(path.parent, path.name + ".schema") == set()
