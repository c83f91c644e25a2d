"""`docs/observability.md` is complete both ways: every event of the log and every metric is there, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bridge.accounts.state import AccountState
from bridge.model.outcomes import Arrival, Outcome

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
LOGGERS = frozenset({"log", "_log", "logger", "get_logger"})
BUILT = {
    "arrival.value": {arrival.value for arrival in Arrival},
    "outcome.value": {outcome.value for outcome in Outcome},
    "Outcome.SKIPPED.value": {Outcome.SKIPPED.value},
    "'account ' + state.value": {f"account {state.value}" for state in (AccountState.BACKOFF, AccountState.PARKED)},
}
"""Events that are not written out where they are logged: the expression there, and what it can be."""
NOT_THE_BRIDGE = ("adapters/common/emulation/", "bridge/sandbox/")
"""Emulators and the sandbox log for developers."""


def events_of(source: str) -> Iterator[tuple[str, str, int]]:
    """What a module logs: event, level, line."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS and node.args):
            continue
        logger = node.func.value
        called = logger.func if isinstance(logger, ast.Call) else logger
        if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) not in LOGGERS:
            continue
        event = node.args[0]
        if isinstance(event, ast.Constant) and isinstance(event.value, str):
            yield event.value, node.func.attr, node.lineno
        else:
            for name in BUILT.get(ast.unparse(event), {f"not in BUILT: {ast.unparse(event)}"}):
                yield name, node.func.attr, node.lineno


def logged() -> Iterator[tuple[str, str, str]]:
    """Event, level, and where."""
    for folder in ("bridge", "adapters"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            if not where.startswith(NOT_THE_BRIDGE) and "/emulator/" not in where:
                yield from ((event, level, f"{where}:{line}") for event, level, line in events_of(path.read_text(encoding="utf-8")))


def rows(title: str) -> list[tuple[str, str]]:
    """First and second column of the tables of one chapter."""
    chapter = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (text,) = [part for part in chapter if part.startswith(title)]
    return re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", text, re.MULTILINE)


def test_every_event_of_the_log_is_explained_with_its_level() -> None:
    named = {row for row in rows("The log") if row[1] in LEVELS}
    found = list(logged())
    assert len(found) > 60
    assert not [(event, level, where) for event, level, where in found if (event, level) not in named]


def test_every_event_that_is_explained_is_logged() -> None:
    known = {(event, level) for event, level, _ in logged()}
    named = [row for row in rows("The log") if row[1] in LEVELS]
    assert len(set(named)) == len(named)
    assert not [row for row in named if row not in known]


def test_every_metric_is_explained_and_nothing_else_is() -> None:
    source = (ROOT / "bridge" / "observability" / "metrics.py").read_text(encoding="utf-8")
    kept = set(re.findall(r'_PREFIX \+ "(\w+)"', source)) - {"build"} | {"build_info"}
    kept |= {f"{name}_total" for name in re.findall(r'^ +\("(\w+)", "[A-Z]', source, re.MULTILINE)}
    assert len(kept) > 18
    assert {name for name, _ in rows("The metrics")} == kept


def test_a_metric_of_time_or_size_says_its_unit() -> None:
    units = dict(rows("The metrics"))
    assert {name for name, unit in units.items() if unit == "seconds"} == {name for name in units if name.endswith("_seconds")}
    assert {name for name, unit in units.items() if unit == "bytes"} == {name for name in units if name.endswith("_bytes")}


def test_an_event_that_is_put_together_must_be_listed() -> None:
    source = 'log.info("a")\nlog.warning(what)\nstructlog.get_logger("x").error("b")\nparser.error("no log")\n'
    assert list(events_of(source)) == [("a", "info", 1), ("not in BUILT: what", "warning", 2), ("b", "error", 3)]
