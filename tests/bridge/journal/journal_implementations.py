"""What the contract's tests run on. A second implementation joins by a line here; only the tests in `sqlite/` are not for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bridge.journal.contract import Journal
from bridge.journal.sqlite import SqliteJournal

IMPLEMENTATIONS: dict[str, Callable[[Path], Journal]] = {"sqlite": lambda folder: SqliteJournal(folder / "bridge.journal")}
"""By name: a journal, not yet open, that keeps what it stores in the given folder."""
