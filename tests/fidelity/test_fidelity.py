"""docs/fidelity.md says what really becomes of each feature between each two platforms."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fidelity import table
from tests.fidelity.playing import play
from tests.flows.world import PLATFORMS

WRITE = os.environ.get("FIDELITY") == "write"
"""Whether the page is written anew: `make fidelity`."""


def page() -> str:
    return table.PAGE.read_text(encoding="utf-8") if table.PAGE.exists() else ""


@pytest.mark.parametrize("origin", PLATFORMS)
async def test_the_page_says_what_becomes_of_each_feature(origin: str, tmp_path: Path) -> None:
    played = await play(origin, tmp_path)
    if WRITE:
        table.PAGE.write_text(table.written(table.read(page()) | {origin: played}), encoding="utf-8")
    told = table.read(page())[origin]
    differing = {name: (told.get(name), found) for name, found in played.items() if told.get(name) != found}
    assert not differing, f"if that is right: make fidelity\n{differing}"
    assert set(told) == set(played)


def test_the_page_is_whole() -> None:
    told = table.read(page())
    assert page() == table.written(told)
    assert len(PLATFORMS) * (len(PLATFORMS) - 1) == 12
    assert all(len(features) >= 45 for features in told.values())
    for origin, features in told.items():
        for name, cells in features.items():
            for target, cell in cells.items():
                kind, _, how = cell.partition(":")
                assert kind in ("native", "converted", "not possible"), (origin, name, target, cell)
                assert kind == "native" or how.strip(), f"{origin} to {target}: {name} is {kind}, but how or why is not told"
