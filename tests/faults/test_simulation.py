"""Histories under the seeded fault plan; each must keep every promise. A failing seed replays exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.checks import check
from tests.faults.simulation import Plan, play


@pytest.mark.parametrize("seed", range(10))
def test_a_bad_hour(tmp_path: Path, seed: int) -> None:
    simulation = play(Plan(seed=seed), tmp_path)
    check(simulation)
    assert sum(len(platform.said) for platform in simulation.platforms) == 200
    assert simulation.deaths == 3
