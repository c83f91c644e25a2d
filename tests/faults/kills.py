"""A talk in which everything occurs that the bridge can carry, lived through in lives that end at chosen boundaries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tests.faults.simulation import Plan, Simulation, fresh, on_a_virtual_loop


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
    one.attach(with_file, rng.randbytes(1500))
    await pause()
    one.react_to(long, "👍")
    one.pin_or_unpin(first)
    one.speak(5, "c0", answers=with_file)
    gone = three.speak(6, "c0")
    one.speak(7, "c0")
    await pause()
    one.correct(long)
    three.withdraw(gone)
    one.speak(8, "c0")
    ninth, tenth = one.speak(9, "c0"), one.speak(10, "c0")
    one.attach(tenth, rng.randbytes(700))
    for number in (11, 12):  # nobody changes these
        one.speak(number, "c0")
    await pause()
    one.correct(ninth)
    one.withdraw(tenth)


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


def run(plan: Plan, folder: Path, ends: Sequence[int | None]) -> Simulation:
    """Ends with `settle`, so that it can be checked. The last of `ends` is None."""
    simulation = Simulation(plan, fresh(folder))
    on_a_virtual_loop(f"{plan.seed} {ends}", live(simulation, ends))
    return simulation
