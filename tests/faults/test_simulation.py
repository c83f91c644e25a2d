"""Histories under the seeded fault plan; each must keep every promise. A failing seed replays exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.simulation import Plan, Simulation
from tests.faults.virtual_time import run_virtually


def play(plan: Plan, folder: Path) -> Simulation:
    async def main() -> Simulation:
        simulation = Simulation(plan, folder)
        await simulation.run()
        return simulation

    simulation = run_virtually(main())
    simulation.check()
    return simulation


@pytest.mark.parametrize("seed", range(10))
def test_a_bad_hour(tmp_path: Path, seed: int) -> None:
    simulation = play(Plan(seed=seed), tmp_path)
    assert sum(len(platform.said) for platform in simulation.platforms) > 0
