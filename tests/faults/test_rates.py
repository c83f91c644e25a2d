"""Busy chats on platforms that take less than is said, in every kind of trouble: what is merged keeps all promises too."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.model.adapter import Outbound
from bridge.model.capabilities import Operation, Rates, Window
from tests.faults.checks import check
from tests.faults.platform import KIND
from tests.faults.simulation import Plan, Simulation, on_a_virtual_loop

GROUP = Rates(
    per_chat=(Window(messages=3, span_s=3.0), Window(messages=20, span_s=60.0, burst=5)),
    per_account=(Window(messages=30, span_s=1.0),),
    counts_files=True,
)


class Limited(Simulation):
    """All platforms have rates; `sent_at_s` has when they were asked to take a message, per platform."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        super().__init__(plan, folder)
        self.sent_at_s: dict[str, list[float]] = defaultdict(list)
        for platform in self.platforms:
            platform.rates = GROUP
            platform.before_send = self._watcher(platform.name)

    def _watcher(self, name: str) -> Callable[[Outbound], None]:
        def watch(outbound: Outbound) -> None:
            self.sent_at_s[name].append(asyncio.get_running_loop().time())

        return watch


def play_limited(plan: Plan, folder: Path) -> Limited:
    simulation = Limited(plan, folder)
    on_a_virtual_loop(plan.seed, simulation.run())
    check(simulation)
    return simulation


@pytest.mark.parametrize("seed", range(6))
def test_a_loud_quarter_of_an_hour(tmp_path: Path, seed: int) -> None:
    plan = Plan(seed=seed, messages=500, duration_s=900, chats=1, deaths=4, reactions=0, pins=0, edits=0.1, deletions=0.05)
    simulation = play_limited(plan, tmp_path)
    posted = sum(len(platform.posted("c0")) for platform in simulation.platforms)
    assert posted < 2 * 500 * 0.9, "some were merged"


@pytest.mark.parametrize("seed", range(3))
def test_two_hundred_a_minute_on_a_good_day(tmp_path: Path, seed: int) -> None:
    platforms = (("one", True), ("two", False))
    calm = Plan(
        seed=seed, messages=600, duration_s=180, chats=1, platforms=platforms, deaths=0, clock_steps=0, reloads=0, edits=0.05,
        deletions=0.02, reactions=0, pins=0, replies=0, files=0, long=0, faults=KIND,
    )  # fmt: skip
    simulation = play_limited(calm, tmp_path)
    for sent_at_s in simulation.sent_at_s.values():
        for window in GROUP.per_chat:
            most = max(sum(1 for at_s in sent_at_s if start <= at_s < start + window.span_s) for start in sent_at_s)
            assert most <= window.messages


MINUTE = Rates(per_account=(Window(messages=10, span_s=60.0, burst=3),))
MOMENT = Rates(per_chat=(Window(messages=1, span_s=0.25),))
CHANGING = Rates(
    per_chat=(Window(messages=4, span_s=4.0),),
    changes={Operation.EDIT: MINUTE, Operation.DELETE: MINUTE, Operation.REACT: MOMENT, Operation.UNREACT: MINUTE},
)


class Watched(Simulation):
    """All platforms have a rate for each kind of change; `calls` has when they were asked for one."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        super().__init__(plan, folder)
        self.calls: dict[tuple[str, Operation], list[float]] = defaultdict(list)
        for platform in self.platforms:
            platform.rates = CHANGING
            platform.before_change = self._watcher(platform.name)

    def _watcher(self, name: str) -> Callable[[Operation, int], None]:
        def watch(operation: Operation, calls: int) -> None:
            self.calls[name, operation] += [asyncio.get_running_loop().time()] * calls

        return watch


@pytest.mark.parametrize("seed", range(3))
def test_every_kind_of_change_keeps_to_its_own_rate(tmp_path: Path, seed: int) -> None:
    """Edits, deletes and reactions in disorderly haste: none is lost, and each platform is asked no more often than it declared."""
    haste = Plan(
        seed=seed, messages=240, duration_s=240, chats=1, platforms=(("one", True), ("two", False)), deaths=0, clock_steps=0,
        reloads=0, edits=0.4, deletions=0.2, reactions=0.6, pins=0, replies=0, files=0, long=0.05, faults=KIND,
    )  # fmt: skip
    simulation = Watched(haste, tmp_path)
    on_a_virtual_loop(seed, simulation.run())
    check(simulation)
    assert {operation for _, operation in simulation.calls} == set(CHANGING.changes)
    held_back = 0
    for (_, operation), calls in simulation.calls.items():
        for window in (*CHANGING.changes[operation].per_account, *CHANGING.changes[operation].per_chat):
            most = max(sum(1 for at_s in calls if start <= at_s < start + window.span_s) for start in calls)
            assert most <= window.messages, operation
            held_back += most == window.messages
    assert held_back >= 4, "the rates were used up"
