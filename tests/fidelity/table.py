"""docs/fidelity.md: written from what was played, and read again. Pure, but for the file."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.registry import load_platform
from tests.flows.world import PLATFORMS
from tests.support.programs import ROOT

PAGE = ROOT / "docs" / "fidelity.md"
TITLES = {name: load_platform(name).title for name in PLATFORMS}
Cells = dict[str, dict[str, str]]
"""Of one origin: feature -> target -> what becomes of it."""

_HEAD = """# What crosses between which messengers, and how

Made by `make fidelity` from messages that were really sent: each feature is posted at each origin in that platform's own form, goes
through a whole bridge, and is looked at in the other three chats as their users see it. The tests fail when this page is out of
date. Do not edit it.

● native: the target shows it as its own. ◐ converted: shown by other means. ○ not possible: there is nothing to send, or nothing to
show. How and why is told below, by origin. The accounts are those of the emulators: one person posts, bots copy, without `people:`.
Rows that end in "converted" are of a bridge with the extra `[media]`, all others of one without.

"""
_SIGNS = {"native": "●", "converted": "◐", "not possible": "○", "": ""}


def written(played: Mapping[str, Cells]) -> str:
    return _HEAD + overview(played) + "".join(f"\n{section(origin, cells)}" for origin, cells in played.items())


def overview(played: Mapping[str, Cells]) -> str:
    """All pairs at a glance."""
    pairs = [(origin, target) for origin in played for target in PLATFORMS if target != origin]
    lines = [
        "| | " + " | ".join(f"{TITLES[origin]} → {TITLES[target]}" for origin, target in pairs) + " |",
        "|---|" + ":-:|" * len(pairs),
    ]
    for feature in dict.fromkeys(feature for cells in played.values() for feature in cells):
        signs = (_SIGNS[played[origin].get(feature, {}).get(target, "").partition(":")[0]] for origin, target in pairs)
        lines.append(f"| {feature} | " + " | ".join(signs) + " |")
    return "\n".join(lines) + "\n"


def section(origin: str, cells: Cells) -> str:
    targets = [name for name in PLATFORMS if name != origin]
    lines = [
        f"## From {TITLES[origin]}\n",
        "| | " + " | ".join(f"to {TITLES[target]}" for target in targets) + " |",
        "|---|" + "---|" * len(targets),
        *(f"| {feature} | " + " | ".join(found[target] for target in targets) + " |" for feature, found in cells.items()),
    ]
    return "\n".join(lines) + "\n"


def read(page: str) -> dict[str, Cells]:
    """What the page says, by origin."""
    played: dict[str, Cells] = {}
    for origin in PLATFORMS:
        targets = [name for name in PLATFORMS if name != origin]
        told = page.partition(f"## From {TITLES[origin]}\n")[2].partition("\n## ")[0]
        rows = [line.strip("| ").split(" | ") for line in told.splitlines() if line.startswith("| ")][1:]
        played[origin] = {feature: dict(zip(targets, found, strict=True)) for feature, *found in rows}
    return played
