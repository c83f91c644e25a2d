"""kill -9 at every boundary of the process: before and after each transaction, at each reading, before and after each request to a
platform, before each confirmation upstream. Simulated lives, since there are hundreds; and a few real processes.

The schedule is exhaustive and seeded: every boundary that a story crosses ends the first life once, and a boundary drawn by the
seed ends the second.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.checks import check
from tests.faults.platform import KIND, Faults
from tests.faults.simulation import Plan, Simulation, fresh, on_a_virtual_loop

TROUBLED = Faults(send_fails=0.1, send_unknown=0.1, send_limited=0.05, send_refused=0, connection_lost=0.1, redelivered=0.3)
STORIES = {0: KIND, 1: TROUBLED, 2: KIND}
SHARDS = 2
FEWEST_RUNS_PER_SHARD = 84
"""Times stories and shards: more than 500 runs."""


def plan(seed: int) -> Plan:
    return Plan(seed=seed, chats=1, faults=STORIES[seed])


async def people(simulation: Simulation) -> None:
    """A talk in which everything occurs that the bridge can carry."""
    one, two, three = simulation.platforms
    rng = simulation.rng

    async def pause() -> None:
        await asyncio.sleep(rng.uniform(0.0, 0.6))

    first = one.speak(1, "c0")
    long = one.speak(2, "c0", words=100)
    await pause()
    two.speak(3, "c0", words=2)
    with_file = one.speak(4, "c0", file=rng.randbytes(2500))
    one.correct(first)
    await pause()
    one.react_to(long, "👍")
    one.speak(5, "c0", answers=with_file)
    gone = three.speak(6, "c0")
    one.speak(7, "c0")
    await pause()
    one.correct(long)
    three.withdraw(gone)
    one.speak(8, "c0")


async def live(simulation: Simulation, ends: Sequence[int | None]) -> None:
    """Lives one after the other, each ending at its boundary (None: at none), until all is settled."""
    talking = asyncio.create_task(people(simulation), name="simulated people")
    for dies_at in ends:
        await simulation.start(dies_at=dies_at)
        ending = asyncio.create_task(settled(simulation, talking), name="simulated end")
        over = asyncio.create_task(simulation.life.over.wait(), name="simulated death")
        await asyncio.wait({ending, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if ending.done():
            ending.result()
            return
        ending.cancel()
        await simulation.die()
    raise AssertionError("the last life must not end")


async def settled(simulation: Simulation, talking: asyncio.Task[None]) -> None:
    await asyncio.wait({talking})
    talking.result()
    await simulation.settle()
    await simulation.finish()


def run(seed: int, folder: Path, ends: Sequence[int | None]) -> Simulation:
    simulation = Simulation(plan(seed), fresh(folder))
    on_a_virtual_loop(f"{seed} {ends}", live(simulation, ends))
    return simulation


def doubled(simulation: Simulation, name: str) -> int:
    """How many parts were posted more than once on that platform."""
    (platform,) = (platform for platform in simulation.platforms if platform.name == name)
    tokens = Counter(post.token for posts in platform.chats.values() for post in posts)
    return sum(count - 1 for count in tokens.values())


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("seed", STORIES)
def test_a_death_at_every_boundary(tmp_path: Path, seed: int, shard: int) -> None:
    whole = run(seed, tmp_path / "whole", [None])
    check(whole)
    rng = random.Random(f"{seed} {shard}")
    points = range(1 + shard, whole.boundaries + 1, SHARDS)
    assert len(points) >= FEWEST_RUNS_PER_SHARD
    for point in points:
        ends = [point, rng.randint(1, whole.boundaries), None]
        simulation = run(seed, tmp_path / "killed", ends)
        replay = f"seed {seed}, deaths at {ends}"
        try:
            check(simulation)
        except AssertionError as error:
            raise AssertionError(f"{replay}: {error}") from error
        assert not simulation.letters, replay
        if STORIES[seed] is KIND:
            assert doubled(simulation, "three") <= simulation.deaths, replay
