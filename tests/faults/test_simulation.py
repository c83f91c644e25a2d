"""Histories under the seeded fault plan; each must keep every promise. A failing seed replays exactly, and the checks can fail."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from bridge.delivery.changed_since import ChangedSince
from bridge.model.adapter import Intake, Outbound, Receipt
from bridge.model.events import ChatEvent
from tests.faults.checks import Broken, check
from tests.faults.kills import run
from tests.faults.month import plan_of
from tests.faults.platform import KIND, Faults, SimulatedAdapter
from tests.faults.simulation import Plan, play

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", [*range(6), 122, 1063])
def test_a_bad_hour(tmp_path: Path, seed: int) -> None:
    simulation = play(Plan(seed=seed), tmp_path)
    check(simulation)
    assert sum(len(platform.said) for platform in simulation.platforms) == 200
    assert simulation.deaths == 3


@pytest.mark.parametrize("seed", range(3))
def test_an_hour_with_a_busy_admin(tmp_path: Path, seed: int) -> None:
    """Accounts are refused again and again, tokens, routes and accounts come and go meanwhile, and dead letters are retried."""
    faults = Faults(account_down=0.03, send_refused=0.03, creation_late=0.05)
    simulation = play(Plan(seed=seed, changes=0.3, retries=0.2, edits=0.1, deletions=0.05, faults=faults), tmp_path)
    check(simulation)
    assert simulation.retried


RETRIED_AND_LATE = Plan(
    seed=0,
    messages=300,
    changes=0,
    retries=0.5,
    reactions=0.5,
    pins=0.2,
    faults=Faults(send_refused=0.1, creation_late=0.1, change_late=0.4),
)


@pytest.mark.parametrize("seed", [0, 13, 21, 39])
def test_an_hour_of_retried_letters_and_changes_that_come_before_their_message(tmp_path: Path, seed: int) -> None:
    """Reactions, pins, edits and deletions overtake their message and each other."""
    simulation = play(replace(RETRIED_AND_LATE, seed=seed), tmp_path)
    check(simulation)
    assert simulation.retried


@pytest.mark.parametrize("seed", range(3))
def test_a_loud_chat_whose_journal_answers_late(tmp_path: Path, seed: int) -> None:
    simulation = play(
        Plan(seed=seed, messages=500, duration_s=300, chats=1, changes=0.2, faults=Faults(late_answers=0.5)), tmp_path
    )
    check(simulation)


TAKEN_BACK = Plan(seed=1, changes=0, deletions=0.3, edits=0.2, faults=Faults(account_down=0.03))


def test_an_hour_of_messages_that_are_taken_back_while_they_wait(tmp_path: Path) -> None:
    check(play(TAKEN_BACK, tmp_path))


def test_the_checks_see_what_is_posted_after_its_deletion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChangedSince, "note", lambda _self, _pending: None)
    with pytest.raises(Broken, match="after its deletion"):
        check(play(TAKEN_BACK, tmp_path))


def test_a_day_of_a_small_team(tmp_path: Path) -> None:
    """As `python -m tests.faults.month`, shorter."""
    simulation = play(plan_of(seed=1, days=1, chats=8, messages_a_day=200), tmp_path)
    check(simulation)
    assert simulation.most_tasks < 8 * 3 * 2 + 20, "tasks are bounded by lanes, not by messages"


def test_one_seed_is_one_history(tmp_path: Path) -> None:
    """Whatever else differs between two runs: addresses of objects, hashes of strings, the time of day."""
    plan = Plan(seed=11, messages=60)
    first, other = play(plan, tmp_path / "first"), play(Plan(seed=12, messages=60), tmp_path / "other")
    assert first.digest != other.digest
    code = (
        "from pathlib import Path; from tests.faults.simulation import Plan, play;"
        f"print('digest', play(Plan(seed=11, messages=60), Path({str(tmp_path / 'again')!r})).digest)"
    )
    environ = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Kolkata", "PYTHONPATH": str(ROOT)}
    again = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    assert f"digest {first.digest}" in again.stdout


# -- the checks see what they are there for ---------------------------------------------------------------------------------


class Forgetful(SimulatedAdapter):
    """Never finds what became of a message."""

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        return None


class Hasty(SimulatedAdapter):
    """Confirms upstream what still sits in a buffer."""

    async def take(self, intake: Intake, events: list[ChatEvent], batch: list[ChatEvent]) -> None:
        await self.confirm(batch)
        await intake.accept(events)


class Concurrent(SimulatedAdapter):
    """Hands each event to a task of its own."""

    async def take(self, intake: Intake, events: list[ChatEvent], batch: list[ChatEvent]) -> None:
        async def one(event: ChatEvent) -> None:
            await asyncio.sleep(self.platform.rng.uniform(0, 0.05))
            await intake.accept([event])

        async with asyncio.TaskGroup() as tasks:
            for event in events:
                tasks.create_task(one(event))
        await self.confirm(batch)


class Careless(SimulatedAdapter):
    """Says that it sent what it did not send."""

    async def send(self, outbound: Outbound) -> Receipt:
        if self.platform.rng.random() < 0.1:
            return Receipt(message_ids=("nothing",), adapter_data="note")
        return await super().send(outbound)


def killed_everywhere(adapter: type[SimulatedAdapter], folder: Path) -> Iterator[str]:
    for point in range(1, 120, 3):
        try:
            check(run(Plan(seed=0, chats=1, faults=KIND, adapter=adapter), folder, [point, None]))
        except Broken as broken:
            yield str(broken)


def test_without_reconciling_messages_are_doubled(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="doubled"):
        check(play(Plan(seed=0, adapter=Forgetful), tmp_path))
    assert "doubled" in next(killed_everywhere(Forgetful, tmp_path / "killed"))


def test_confirming_too_early_loses_messages(tmp_path: Path) -> None:
    assert "lost" in next(killed_everywhere(Hasty, tmp_path))


def test_a_task_per_event_mixes_them_up(tmp_path: Path) -> None:
    calm = {"deaths": 0, "clock_steps": 0, "edits": 0.0, "deletions": 0.0, "reactions": 0.0, "replies": 0.0, "faults": KIND}
    check(play(Plan(seed=0, chats=1, messages=100, duration_s=2, **calm), tmp_path / "right"))  # type: ignore[arg-type]
    with pytest.raises(Broken, match="out of order"):
        check(play(Plan(seed=0, chats=1, messages=100, duration_s=2, **calm, adapter=Concurrent), tmp_path / "wrong"))  # type: ignore[arg-type]


def test_reactions_that_came_before_the_copy_of_a_retried_letter_are_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.lane.copy_came_late", lambda pending: None)
    with pytest.raises(Broken, match=r"shows|is pinned"):
        check(play(RETRIED_AND_LATE, tmp_path))


def test_reactions_that_came_before_their_message_are_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.journal.rules.early.Early.following", lambda *_, **__: [])
    with pytest.raises(Broken, match=r"shows|is pinned"):
        check(play(replace(RETRIED_AND_LATE, retries=0.0, faults=Faults(creation_late=0.5)), tmp_path))


def test_a_copy_that_was_never_made_is_missed(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="lost"):
        check(play(Plan(seed=0, messages=60, edits=0, deletions=0, reactions=0, replies=0, adapter=Careless), tmp_path))
