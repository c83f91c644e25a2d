"""`docs/observability.md` is complete both ways: every event of the log with its fields and every metric is there, and nothing
else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from prometheus_client.core import Metric

from bridge.accounts.health import Snapshot
from bridge.accounts.state import AccountState
from bridge.journal.contract import Figures, LaneFigures
from bridge.model.outcomes import Arrival, Outcome
from bridge.model.refs import AccountName, ChatAddress
from bridge.observability.families import PREFIX
from bridge.observability.metrics import Metrics

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
PASSED_ON = {"losses", "attempt"}
"""Fields that `outcome_log` adds by `**details`."""
NOT_FIELDS = {None, "exc_info"}
NOT_THE_BRIDGE = ("adapters/common/emulation/", "bridge/sandbox/")
"""Emulators and the sandbox log for developers."""


class Logged(NamedTuple):
    """One event that one call logs."""

    event: str
    level: str
    fields: frozenset[str]
    where: str


def events_of(source: str, where: str = "") -> Iterator[Logged]:
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS and node.args):
            continue
        logger = node.func.value
        called = logger.func if isinstance(logger, ast.Call) else logger
        if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) not in LOGGERS:
            continue
        event = node.args[0]
        written = {event.value} if isinstance(event, ast.Constant) and isinstance(event.value, str) else None
        names = written or BUILT.get(ast.unparse(event), {f"not in BUILT: {ast.unparse(event)}"})
        fields = frozenset(one.arg for one in node.keywords if one.arg is not None and one.arg not in NOT_FIELDS)
        yield from (Logged(name, node.func.attr, fields, f"{where}:{node.lineno}") for name in sorted(names))


@cache
def logged() -> tuple[Logged, ...]:
    return tuple(_logged())


def _logged() -> Iterator[Logged]:
    for folder in ("bridge", "adapters"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            if not where.startswith(NOT_THE_BRIDGE) and "/emulator/" not in where:
                yield from events_of(path.read_text(encoding="utf-8"), where)


def shared_fields() -> set[str]:
    """The fields of the first table: those that mean the same in every event."""
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ", PAGE.partition("\n### ")[0], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def rows(title: str) -> list[tuple[str, str]]:
    """First and second column of the tables of one chapter."""
    chapter = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (text,) = [part for part in chapter if part.startswith(title)]
    return re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", text, re.MULTILINE)


def test_every_event_of_the_log_is_explained_with_its_level() -> None:
    named = {row for row in rows("The log") if row[1] in LEVELS}
    assert len(logged()) > 60
    assert not [one for one in logged() if (one.event, one.level) not in named]


def test_every_field_is_explained_for_all_events_or_beside_its_own() -> None:
    meanings = dict(re.findall(r"^\| `([^`]+)` \| \w+ \| (.*?) \|$", PAGE.partition("\n## The metrics")[0], re.MULTILINE))
    shared = shared_fields()
    assert len(shared) > 15
    unexplained = [
        (one, name) for one in logged() for name in sorted(one.fields - shared) if f"`{name}`" not in meanings[one.event]
    ]
    assert not unexplained
    assert not shared - PASSED_ON - {name for one in logged() for name in one.fields}


def test_every_event_that_is_explained_is_logged() -> None:
    known = {(one.event, one.level) for one in logged()}
    named = [row for row in rows("The log") if row[1] in LEVELS]
    assert len(set(named)) == len(named)
    assert not [row for row in named if row not in known]


def families() -> list[Metric]:
    """All of them, each with a sample."""
    metrics = Metrics("1.2.3")
    metrics.delivered("team", "lobby", 0.1, 7)
    lane = LaneFigures(target=ChatAddress(AccountName("tg"), "1"), waiting=1, oldest_accepted_at=datetime.now(UTC))
    metrics.journal(Figures(events=1, dead=0, undecodable=0, size_bytes=1, lanes=(lane,)))
    metrics.health = lambda: Snapshot(ok=True, up={"tg": True}, heard_s={"tg": 1.0}, routes=[("lobby", {"pass": 2})])
    metrics._free_bytes = {"journal": 1}
    return list(metrics.collect())


def test_every_metric_is_explained_and_nothing_else_is() -> None:
    suffix = {"counter": "_total", "info": "_info"}
    exposed = {one.name.removeprefix(PREFIX) + suffix.get(one.type, ""): one for one in families()}
    explained = dict(rows("The metrics"))
    assert len(exposed) > 22
    assert set(explained) == set(exposed)
    units = {name: explained[name] for name in exposed if explained[name] in ("seconds", "bytes")}
    assert units == {name: family.unit for name, family in exposed.items() if family.unit}, (
        "the unit of the exposition is that of the page"
    )
    assert all(name.endswith(f"_{unit}") for name, unit in units.items())


def test_an_event_that_is_put_together_must_be_listed() -> None:
    source = 'log.info("a", end=1, **more)\nlog.warning(what)\nstructlog.get_logger("x").error("b")\nparser.error("no log")\n'
    assert [(one.event, one.level, set(one.fields), one.where) for one in events_of(source)] == [
        ("a", "info", {"end"}, ":1"),
        ("not in BUILT: what", "warning", set(), ":2"),
        ("b", "error", set(), ":3"),
    ]
