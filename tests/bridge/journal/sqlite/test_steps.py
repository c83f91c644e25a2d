"""Steps are kept in the transaction that they are of; the newest stay, and one damaged row costs itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.journal.sqlite import SqliteJournal, steps
from tests.bridge.journal.journal_makers import A, accept, created, deliver, kill


async def test_the_newest_are_kept_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(steps, "STEPS_KEPT", 10)
    monkeypatch.setattr(steps, "_FORGOTTEN_AT_ONCE", 4)
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    for number in range(20):
        await deliver(journal, await accept(journal, created(f"{number}"), A), (A, f"c{number}"))
    answer = await journal.steps(after=5, limit=100)
    await journal.close()
    numbers = [step.number for step in answer.steps]
    assert (numbers[-1], answer.newest) == (40, 40)
    assert 10 <= len(numbers) <= 10 + 4
    assert numbers == list(range(numbers[0], 41))
    assert answer.not_kept == numbers[0] - 6, "those between the asked one and the oldest that is kept"


async def test_another_process_gives_the_next_numbers(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    daemon = SqliteJournal(path)
    await daemon.open()
    accepted = await accept(daemon, created("1"), A)
    await kill(daemon, accepted.delivery_ids[0])
    command = SqliteJournal(path, exclusive=False)
    await command.open()
    await command.retry_dead(accepted.delivery_ids)
    await deliver(daemon, accepted, (A, "c"))
    answer = await command.steps(after=0, limit=10)
    assert [(step.number, step.kind.value) for step in answer.steps] == [
        (1, "came"),
        (2, "dead"),
        (3, "waiting"),
        (4, "delivered"),
    ]
    await command.close()
    await daemon.close()


async def test_a_damaged_row_costs_its_own_step(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    journal = SqliteJournal(path)
    await journal.open()
    await deliver(journal, await accept(journal, created("1"), A), (A, "c1"))
    await accept(journal, created("2"), A)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE delivery SET route = 99 WHERE event = 1")
    answer = await journal.steps(after=0, limit=10)
    await journal.close()
    assert ([step.number for step in answer.steps], answer.unknown, answer.last) == ([3], 2, 3)


async def test_what_only_came_is_told_without_a_row_and_keeps_its_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(steps, "MOST_PENDING", 6)
    path = tmp_path / "bridge.journal"

    def rows() -> int:
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute("SELECT count(*) FROM step").fetchone()[0])

    journal = SqliteJournal(path)
    await journal.open()
    accepted = [await accept(journal, created(f"{number}"), A) for number in range(5)]
    before = await journal.steps(after=0, limit=3)
    assert (rows(), len(before.steps), before.newest) == (0, 3, 5)
    await journal.close()
    await journal.open()
    await deliver(journal, accepted[4], (A, "c"))
    assert rows() == 1
    after = await journal.steps(after=0, limit=100)
    assert after.steps[:3] == before.steps
    assert [(step.number, step.kind.value) for step in after.steps[4:]] == [(5, "came"), (6, "delivered")]
    for number in range(10, 16):
        await accept(journal, created(f"{number}"), A)
    assert rows() == 2, "so many are written, even though none has an outcome"
    await journal.close()


@pytest.mark.parametrize(
    "those",
    [[], [(1, steps.CAME)], [(5, 4), (4, 5), (900_000_000_000, 3), (7, steps.CAME), (6, steps.CAME), (1, 0), (2**50, steps.CAME)]],
)
def test_steps_are_packed_and_come_back(those: list[steps.Step]) -> None:
    packed = steps._pack(900, those)
    assert list(steps._unpack(900, packed)) == those
    assert steps._count(packed) == len(those)


async def test_a_journal_of_another_version_has_no_steps_yet(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parents[1] / "journal-version-8.sql").read_text(encoding="utf-8"))
    journal = SqliteJournal(path)
    await journal.open()
    assert (await journal.steps(after=0, limit=10)).newest == 0
    await deliver(journal, await accept(journal, created("99"), A), (A, "c"))
    answer = await journal.steps(after=0, limit=10)
    await journal.close()
    assert [(step.number, step.kind.value) for step in answer.steps] == [(1, "came"), (2, "delivered")]
