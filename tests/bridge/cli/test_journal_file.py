"""`journal backup`, `check` and `export`, as an admin calls them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.patience import PATIENCE_S


def test_backup_is_a_journal_that_the_other_commands_read(cli: Any, dead: list[int], folder: Path) -> None:
    done = cli("journal", "backup", "copy")
    assert done.code == 0
    assert "is copied to copy" in done.err
    assert os.stat(folder / "copy").st_mode & 0o777 == 0o600
    assert len(cli("dead", "list", "--journal", "copy", "--json").data["dead"]) == len(dead)
    again = cli("journal", "backup", "copy", "--json")
    assert (again.code, again.data["ok"]) == (69, False)
    assert "replaces nothing" in again.data["error"]


def test_without_a_journal_there_is_nothing_to_copy(cli: Any) -> None:
    assert cli("journal", "backup", "copy").code == 69
    assert cli("journal", "check").code == 69
    assert cli("journal", "export").code == 69


def test_check_says_that_all_is_well(cli: Any, dead: list[int], folder: Path) -> None:
    spool = folder / "messenger-bridge.spool"
    spool.mkdir()
    (spool / "messenger-bridge-0123456789abcdef-1.spooled").write_bytes(b"12345")
    done = cli("journal", "check")
    assert (done.code, done.out) == (0, "ok\n")
    assert "1 files that a daemon left" in done.err
    data = cli("journal", "check", "--json").data
    assert (data["ok"], data["events"], data["unfinished"], data["problems"]) == (True, len(dead), len(dead), [])
    assert (data["spool"]["files"], data["spool"]["size_bytes"], data["spool"]["in_use"]) == (1, 5, False)


def test_check_ends_with_1_and_says_what_a_problem_costs(cli: Any, dead: list[int], folder: Path) -> None:
    connection = sqlite3.connect(folder / "messenger-bridge.journal")
    connection.executescript("DELETE FROM body")
    connection.close()
    (folder / "messenger-bridge.spool").mkdir()
    (folder / "messenger-bridge.spool" / "thesis.doc").write_text("")
    (folder / "messenger-bridge.journal.schema-8").write_text("")
    done = cli("journal", "check")
    assert done.code == 1
    assert f"{len(dead)} unfinished, without their event's content" in done.out
    assert "thesis.doc" in done.out
    assert "messenger-bridge.journal.schema-8: of before an upgrade" in done.err
    data = cli("journal", "check", "--json").data
    assert not data["ok"]
    assert {one["where"] for one in data["problems"]} == {"delivery", "spool"}
    assert data["copies"] == ["messenger-bridge.journal.schema-8"]


def test_export_into_a_new_file_without_words_and_with_them(cli: Any, dead: list[int], folder: Path) -> None:
    assert cli("journal", "export", "without").code == 0
    assert cli("journal", "export", "--words", "with").code == 0
    assert os.stat(folder / "with").st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in (folder / "without").read_text().splitlines()]
    assert [one["type"] for one in lines] == ["journal", *["event"] * len(dead)]
    assert "disk full" not in (folder / "without").read_text()
    assert "disk full" in (folder / "with").read_text()
    again = cli("journal", "export", "with")
    assert again.code == 1
    assert "with cannot be written: File exists" in again.err


def test_export_into_a_pipe_that_is_closed_ends_quietly(dead: list[int], folder: Path) -> None:
    command = f"{sys.executable} -m bridge.cli journal export --journal messenger-bridge.journal | head -n 1"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert json.loads(done.stdout)["type"] == "journal"
    assert "Traceback" not in done.stderr
