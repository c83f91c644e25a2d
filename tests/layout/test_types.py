"""mypy is strict on everything, tests and benches too: no module is left out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
WHOLE_FILE = re.compile(r"^\s*#\s*(?:type:\s*ignore|mypy:)", re.MULTILINE)
"""A comment that stands alone speaks of the file, not of a line."""


def weakened(settings: dict[str, Any]) -> Iterator[str]:
    """What an override takes from strict mode. A library without types may be imported, nothing more."""
    for override in settings.get("overrides", ()):
        for name in override.keys() - {"module", "ignore_missing_imports"}:
            yield f"{override['module']}: {name} = {override[name]}"


def test_everything_is_checked_strictly() -> None:
    assert SETTINGS["strict"]
    assert {"bridge", "adapters", "tests", "bench"} <= set(SETTINGS["files"])
    assert not SETTINGS.keys() & {"exclude", "ignore_errors", "disable_error_code", "follow_imports"}
    assert list(weakened(SETTINGS)) == ["['tests.*']: disable_error_code = ['misc']"]


def test_no_file_leaves_itself_out() -> None:
    files = [path for folder in SETTINGS["files"] for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 500
    assert not [str(path.relative_to(ROOT)) for path in files if WHOLE_FILE.search(path.read_text(encoding="utf-8"))]


def test_it_tells_what_is_weakened() -> None:
    settings = {"overrides": [{"module": ["a.*"], "ignore_missing_imports": True}, {"module": ["b"], "ignore_errors": True}]}
    assert list(weakened(settings)) == ["['b']: ignore_errors = True"]
    assert WHOLE_FILE.search('"""Doc."""\n\n# mypy: ignore-errors\n')
    assert WHOLE_FILE.search("# type: ignore\nimport x\n")
    assert not WHOLE_FILE.search("x = y()  # type: ignore[no-untyped-call]\n")
