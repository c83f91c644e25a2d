"""mypy is strict on everything, tests and benches too. The modules that are not typed yet are a list that only gets shorter."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
AT_MOST = 24
"""How many modules the list has. Lower it with each that leaves: it never grows."""
SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]


def untyped() -> list[str]:
    return [name for override in SETTINGS["overrides"] if override.get("ignore_errors") for name in override["module"]]


def test_everything_is_checked_strictly() -> None:
    assert SETTINGS["strict"]
    assert {"bridge", "adapters", "tests", "bench"} <= set(SETTINGS["files"])


def test_the_list_of_untyped_modules_only_gets_shorter() -> None:
    assert len(untyped()) == AT_MOST, "a module left: lower AT_MOST; a module joined: type it instead"


def test_the_untyped_modules_are_tests_that_are_there_each_named_once() -> None:
    names = untyped()
    assert sorted(set(names)) == names
    assert not [name for name in names if not name.startswith(("tests.", "bench."))]
    assert not [name for name in names if not (ROOT / f"{name.replace('.', '/')}.py").exists()]
