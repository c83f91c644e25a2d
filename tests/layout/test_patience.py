"""No test depends on how fast the machine is: what must come is waited for with `tests.support.patience`, not with some seconds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.patience import PATIENCE_S

TESTS = Path(__file__).parents[1]
WAITS = {"timeout": 0, "wait_for": 1}
"""Functions of asyncio that wait, and which argument says how long."""
KEYWORDS = frozenset({"within_s", "deadline_s", "timeout"})
WAITERS = frozenset({"eventually", "until", "run", "wait", "communicate", "ended"})
ON_PURPOSE = "# short:"
"""On the line, with the reason: what is waited for must *not* come, or the time is no bound at all."""
VIRTUAL = frozenset({"faults/simulation.py", "faults/virtual_time.py"})
"""Time costs nothing there."""


def short_waits(source: str) -> Iterator[tuple[int, float]]:
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [keyword.value for keyword in node.keywords if keyword.arg in KEYWORDS and name in WAITERS]
        if name in WAITS and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "asyncio":
            given += node.args[WAITS[name] : WAITS[name] + 1]
        for value in given:
            seconds = value.value if isinstance(value, ast.Constant) else None
            if isinstance(seconds, int | float) and 0 < seconds < PATIENCE_S and ON_PURPOSE not in lines[value.lineno - 1]:
                yield value.lineno, float(seconds)


def test_what_must_come_is_waited_for_with_patience() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line}: {seconds:g} s"
        for path in sorted(TESTS.rglob("*.py"))
        if str(path.relative_to(TESTS)) not in VIRTUAL
        for line, seconds in short_waits(path.read_text(encoding="utf-8"))
    ]
    assert not found, "use tests.support.patience, or say `# short: <why>` on the line:\n" + "\n".join(found)


def test_it_finds_them() -> None:
    source = "asyncio.timeout(5)\nasyncio.wait_for(x, 3)\nawait eventually(x, within_s=2)\nsubprocess.run(x, timeout=60)\n"
    assert [seconds for _, seconds in sorted(short_waits(source))] == [5, 3, 2, 60]
    assert not list(short_waits("asyncio.timeout(5)  # short: nothing may come\nasyncio.wait_for(x, PATIENCE_S)\nask(timeout=1)\n"))
