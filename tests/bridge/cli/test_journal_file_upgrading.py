"""docs/upgrading.md is played: every command in it runs, in its order, on a journal that an earlier version has written."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

from bridge.journal.sqlite import SqliteJournal
from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "upgrading.md"
OLD = ROOT / "tests" / "bridge" / "journal" / "journal-version-8.sql"


def commands() -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


async def start_once(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    await journal.close()


def test_every_command_of_the_page_runs(folder: Path) -> None:
    journal = folder / "messenger-bridge.journal"
    connection = sqlite3.connect(journal)
    connection.executescript(OLD.read_text(encoding="utf-8"))
    connection.close()
    asyncio.run(start_once(journal))  # the daemon of the new version
    assert (folder / "messenger-bridge.journal.schema-8").exists()
    (folder / "bin").mkdir()
    program = folder / "bin" / "messenger-bridge"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bridge.cli "$@"\n')
    program.chmod(0o755)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    found = commands()
    assert len(found) > 8
    for command in found:
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert not (folder / "messenger-bridge.journal.schema-8").exists()
    assert (folder / "events.jsonl").stat().st_mode & 0o777 == 0o600
    asyncio.run(start_once(journal))  # what was restored
