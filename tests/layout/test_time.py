"""Time is given, not taken: an adapter knows the clock of its `AdapterContext` alone, and a test waits for things, not for time."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLOCKS = frozenset(
    {
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "time.monotonic_ns",
        "time.perf_counter",
        "datetime.now",
        "asyncio.get_running_loop().time",
    }
)
SLEEPS = frozenset({"asyncio.sleep", "time.sleep"})

ADAPTERS = {
    "adapters/common/http_errors.py": "a date in a header is compared with now where the answer itself has no date",
    "adapters/common/platform_time.py": "a platform's clock is learned against one that goes on in sleep; tests give it theirs",
    "adapters/common/transfers.py": "is set by worker threads, and measures a transfer of real bytes",
    "adapters/discord/inbound/gateway.py": "a field of the library that is in its own clock's seconds",
}
"""Modules of adapters, outside emulators, that read a clock or sleep by themselves, and why. May only shrink."""

TESTS: dict[str, tuple[int, str]] = {
    "tests/adapters/common/test_transfers.py": (3, "a server that is slow, and one that stands still, for real bytes"),
    "tests/adapters/common/test_http_client.py": (1, "a server that never answers"),
    "tests/adapters/discord/conftest.py": (1, "a supervisor's pause between two connections"),
    "tests/adapters/discord/inbound/test_receiver.py": (1, "a disk that is slow"),
    "tests/adapters/discord/inbound/test_receiver_chaos.py": (2, "people and disturbances at random moments"),
    "tests/adapters/discord/outbound/test_sender_chaos.py": (2, "the core's own waits"),
    "tests/adapters/slack/inbound/test_receiver_chaos.py": (
        4,
        "people and disturbances at random moments, and the core's own waits",
    ),
    "tests/adapters/slack/inbound/test_receiver.py": (2, "until the emulator's own deadlines have passed"),
    "tests/adapters/slack/inbound/test_stream.py": (1, "people who talk while a socket is renewed"),
    "tests/adapters/teamspirit/inbound/test_beginnings.py": (1, "a second before a route, by the server's clock of whole seconds"),
    "tests/adapters/telegram/test_uploads.py": (1, "a server that is slow"),
    "tests/adapters/telegram/inbound/test_albums.py": (2, "people who go on talking, and a disk that is slow"),
    "tests/bench/test_running.py": (1, "never comes to its end"),
    "tests/bridge/delivery/test_attempt_log.py": (1, "lets a write end, of which nothing tells"),
    "tests/bridge/delivery/test_poison.py": (1, "people who go on talking"),
    "tests/bridge/delivery/test_precedence.py": (3, "people and deliveries, in virtual time"),
    "tests/bridge/journal/journal_process.py": (1, "a process that talks until it is killed"),
    "tests/bridge/observability/test_metrics.py": (1, "never comes to its end"),
    "tests/bridge/test_app_reloads.py": (2, "adapters that are slow to let go"),
    "tests/bridge/test_app_reloads_routes.py": (1, "an adapter that is slow to look up"),
    "tests/bridge/web/test_door_hostile.py": (1, "a caller that sends a byte now and then"),
    "tests/faults/kills.py": (1, "a kill at a random moment"),
    "tests/faults/platform.py": (4, "a platform's latency, in virtual time"),
    "tests/faults/simulation.py": (5, "people and disturbances, in virtual time"),
    "tests/faults/test_kill_points.py": (2, "people at random moments"),
    "tests/faults/test_mistakes_of_others.py": (1, "a platform's latency"),
    "tests/faults/test_simulation.py": (1, "a platform's latency, in virtual time"),
    "tests/faults/virtual_time.py": (1, "the virtual clock itself"),
    "tests/flows/test_daemon.py": (1, "people who go on talking while the daemon is killed"),
    "tests/flows/test_first_moments.py": (2, "people who go on talking while the bridge starts"),
    "tests/flows/test_rates.py": (1, "people who write at a given rate"),
    "tests/flows/test_teamspirit_keys.py": (1, "people who talk while the key changes"),
    "tests/support/patience.py": (2, "the one place that waits"),
}
"""Files with sleeps of some length, how many, and why. May only shrink."""


def takes_time(tree: ast.AST, names: frozenset[str]) -> Iterator[int]:
    """Lines that name one of these functions, called or handed on. `sleep(0)` is no time: it lets others run once."""
    passing = {
        node.func
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in names and node not in passing:
            yield node.lineno


def found_in(folder: str, names: frozenset[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        if lines := sorted(takes_time(ast.parse(path.read_text(encoding="utf-8")), names)):
            found[path.relative_to(ROOT).as_posix()] = lines
    return found


def test_adapters_know_the_clock_they_are_given() -> None:
    found = {
        path: lines
        for path, lines in found_in("adapters", CLOCKS | SLEEPS).items()
        if not {"emulator", "emulation"} & set(Path(path).parts)
    }
    new = [f"{path}:{line}" for path, lines in found.items() if path not in ADAPTERS for line in lines]
    assert not new, "use `AdapterContext.clock`:\n" + "\n".join(new)
    assert not (gone := sorted(ADAPTERS.keys() - found.keys())), f"these are right now: take them out of ADAPTERS: {gone}"


def test_tests_wait_for_things_and_not_for_time() -> None:
    counts = Counter({path: len(lines) for path, lines in found_in("tests", SLEEPS).items()})
    more = [f"{path}: {count}" for path, count in counts.items() if count > TESTS.get(path, (0, ""))[0]]
    assert not more, (
        "wait with tests/support/patience.py (`eventually`, `stays`) or give a clock (tests/support/clock.py):\n" + "\n".join(more)
    )
    fewer = [f"{path}: {counts[path]}" for path, (count, _) in TESTS.items() if counts[path] < count]
    assert not fewer, "fewer now: say so in TESTS\n" + "\n".join(fewer)


def test_it_finds_them() -> None:
    source = "asyncio.sleep(0)\nawait asyncio.sleep(0.1)\nf(sleep=asyncio.sleep)\nasyncio.sleep(x)\ntime.sleep(1)\nclock.sleep(2)\n"
    assert sorted(takes_time(ast.parse(source), SLEEPS)) == [2, 3, 4, 5]
    assert list(takes_time(ast.parse("a = datetime.now(UTC)\nb = clock.now()\nc = datetime.fromtimestamp(0)"), CLOCKS)) == [1]
