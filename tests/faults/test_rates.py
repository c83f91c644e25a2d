"""Busy chats on platforms that take less than is said, in every kind of trouble: what is merged keeps all promises too."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

import pytest

from bridge.capabilities import Rates, Window
from bridge.contract import Outbound
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

    def _watcher(self, name: str):
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
    plan = Plan(seed=seed, messages=500, duration_s=900, chats=1, deaths=4, reactions=0, edits=0.1, deletions=0.05)
    simulation = play_limited(plan, tmp_path)
    posted = sum(len(platform.posted("c0")) for platform in simulation.platforms)
    assert posted < 2 * 500 * 0.8, "some were merged"


@pytest.mark.parametrize("seed", range(3))
def test_two_hundred_a_minute_on_a_good_day(tmp_path: Path, seed: int) -> None:
    platforms = (("one", True), ("two", False))
    calm = Plan(
        seed=seed, messages=600, duration_s=180, chats=1, platforms=platforms, deaths=0, clock_steps=0, reloads=0, edits=0.05,
        deletions=0.02, reactions=0, replies=0, files=0, long=0, faults=KIND,
    )  # fmt: skip
    simulation = play_limited(calm, tmp_path)
    for sent_at_s in simulation.sent_at_s.values():
        for window in GROUP.per_chat:
            most = max(sum(1 for at_s in sent_at_s if start <= at_s < start + window.span_s) for start in sent_at_s)
            assert most <= window.messages
