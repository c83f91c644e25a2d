"""kill -9 at every boundary of the process: before and after each transaction, at each reading, before and after each request to a
platform, before each confirmation upstream. Simulated lives, since there are hundreds; and a few real processes.

The schedule is exhaustive and seeded: every boundary that a story crosses ends the first life once, and a boundary drawn by the
seed ends the second.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from bridge.model.capabilities import Rates, Window
from tests.faults.checks import check
from tests.faults.kills import run
from tests.faults.platform import KIND, Faults
from tests.faults.simulation import Plan, Simulation
from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.patience import eventually

TROUBLED = Faults(send_fails=0.1, send_unknown=0.1, send_limited=0.05, send_refused=0, connection_lost=0.1, redelivered=0.3)
SLOW = {name: Rates(per_chat=(Window(messages=1, span_s=1.5),)) for name in ("two", "three")}
STORIES = {
    "kind": (Plan(seed=0, chats=1, faults=KIND), 4),
    "troubled": (Plan(seed=1, chats=1, faults=TROUBLED), 1),
    "limited": (Plan(seed=2, chats=1, faults=KIND, rates=SLOW), 1),
}
"""Each with its step from one boundary to the next: together more than 500 runs."""
FEWEST_RUNS = {"kind": 50, "troubled": 225, "limited": 225}
SHARDS = 2


def doubled(simulation: Simulation, name: str) -> int:
    """How many parts were posted more than once on that platform."""
    (platform,) = (platform for platform in simulation.platforms if platform.name == name)
    tokens = Counter(post.token for posts in platform.chats.values() for post in posts)
    return sum(count - 1 for count in tokens.values())


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("story", STORIES)
def test_a_death_at_every_boundary(tmp_path: Path, story: str, shard: int) -> None:
    plan, step = STORIES[story]
    whole = run(plan, tmp_path / "whole", [None])
    check(whole)
    if plan.rates:
        assert whole.merged, "what a limit holds back is merged"
    rng = random.Random(f"{story} {shard}")
    points = range(1 + shard * step, whole.boundaries + 1, SHARDS * step)
    assert len(points) >= FEWEST_RUNS[story] // SHARDS
    for point in points:
        ends = [point, rng.randint(1, whole.boundaries), None]
        simulation = run(plan, tmp_path / "killed", ends)
        replay = f"{story}, deaths at {ends}"
        try:
            check(simulation)
        except AssertionError as error:
            raise AssertionError(f"{replay}: {error}") from error
        assert not simulation.letters, replay
        if plan.faults is KIND:
            assert doubled(simulation, "three") <= simulation.deaths, replay


async def test_a_real_process_killed_five_times(tmp_path: Path) -> None:
    """Moments drawn by a seed, among sends whose answers are lost: on a platform that can be asked everything is there once, in
    order."""
    rng, count = random.Random(5), 60
    world = World(tmp_path, platforms=("teamspirit", "discord"))
    await world.start_platforms()
    daemon = Daemon(world.write_config())
    world.emulators["discord"].inject(Fault(kind=FaultKind.DROP_AFTER, operation="POST /webhooks/*", every=17))

    def arrived() -> list[str]:
        return [found[0] for message in world.copies("discord", "number") for found in re.finditer(r"number \d+", message.text)]

    async def people() -> None:
        for number in range(count):
            await world.say("teamspirit", f"number {number:03}")
            await asyncio.sleep(0.02)

    try:
        await daemon.start()
        for account in world.emulators:
            await daemon.until_notified(f"{account} up")
        talking = asyncio.create_task(people(), name="people")
        for least in sorted(rng.sample(range(2, count - 10), 5)):
            await eventually(lambda least=least: len(arrived()) >= least, what=f"{least} arrived: {daemon.output[-2000:]}")
            await asyncio.sleep(rng.uniform(0, 0.02))
            await daemon.kill()
            await daemon.start()
        await talking
        await eventually(lambda: len(arrived()) >= count, what="all arrived")
        assert arrived() == [f"number {number:03}" for number in range(count)]
    finally:
        await daemon.kill()
        daemon.close()
        await world.stop_platforms()
