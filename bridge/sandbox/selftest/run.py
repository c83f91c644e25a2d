"""Runs the self-test: a sandbox with one room per check, all checks from all origins at the same time, then the table."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from adapters.registry import people_lack
from bridge.model.platform import Platform
from bridge.sandbox.runner import folder_for, load, loop_factory
from bridge.sandbox.selftest.checks import CHECKS, Check
from bridge.sandbox.selftest.room import Room
from bridge.sandbox.selftest.table import print_json, print_table
from bridge.sandbox.selftest.verdict import Cell, Failed, Outcome, Report, Verdict
from bridge.sandbox.world import Sandbox, SandboxError

CONNECT_LIMIT_S = 30.0
PATIENCE_S = 20.0
"""How long one copy may take. The whole test takes about as long as its slowest messenger allows, some ten seconds."""


def run_self_test(
    *,
    manifests: Callable[[str], Platform],
    platforms: Sequence[str],
    keep: Path | None = None,
    as_json: bool = False,
    out: TextIO | None = None,
) -> int:
    """Try every pair and print what crossed; 1 if anything failed that is not declared."""
    output = out or sys.stdout
    if sys.stderr.isatty():
        print(f"Trying {len(platforms) * (len(platforms) - 1)} pairs of messengers ...", file=sys.stderr, flush=True)
    load(manifests, platforms, log_level="error")
    with folder_for(keep) as folder, asyncio.Runner(loop_factory=loop_factory()) as runner:
        sandbox = Sandbox(folder, manifests=manifests, platforms=platforms, rooms=tuple(CHECKS), log_level="error")
        try:
            report = runner.run(self_test(sandbox))
        except SandboxError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    (print_json if as_json else print_table)(report, sandbox.titles, output)
    return 0 if report.passed else 1


async def self_test(sandbox: Sandbox) -> Report:
    """Start the sandbox, try everything, stop it. Raises SandboxError if it does not start or connect."""
    started_s = time.monotonic()
    async with sandbox:
        await sandbox.wait_connected(CONNECT_LIMIT_S)
        lacks = {platform: people_lack(platform) for platform in sandbox.platforms}
        rooms = {
            check: Room(
                sandbox.emulators,
                chats,
                capabilities_of=sandbox.app.capabilities_of,
                titles=sandbox.titles,
                patience_s=PATIENCE_S,
                lacks=lacks,
            )
            for check, chats in sandbox.rooms.items()
        }
        cells = await try_all(rooms, sandbox.platforms)
        journal = (await sandbox.app.report())["journal"]
    faults = [f"{journal[kind]} {words}" for kind, words in _JOURNAL_FAULTS.items() if journal[kind]]
    return Report(cells=cells, faults=tuple(faults), took_s=round(time.monotonic() - started_s, 1))


_JOURNAL_FAULTS = {"dead": "deliveries became dead letters", "undecodable": "events were not understood"}


async def try_all(rooms: Mapping[str, Room], platforms: Sequence[str]) -> tuple[Cell, ...]:
    """Every check of `CHECKS` in its room, from every platform to all others; checks and origins at the same time."""
    async with asyncio.TaskGroup() as group:
        tasks = {
            (name, origin): group.create_task(
                _try(check, rooms[name], origin, [target for target in platforms if target != origin]),
                name=f"self-test {name} from {origin}",
            )
            for name, check in CHECKS.items()
            for origin in platforms
        }
    return tuple(
        Cell(check=name, origin=origin, target=target, outcome=verdict.outcome, reason=verdict.reason)
        for (name, origin), task in tasks.items()
        for target, verdict in task.result().items()
    )


async def _try(check: Check, room: Room, origin: str, targets: Sequence[str]) -> Mapping[str, Verdict]:
    try:
        verdicts = await check(room, origin, targets)
    except Failed as failure:
        return dict.fromkeys(targets, Verdict(Outcome.FAILED, str(failure)))
    return {target: verdicts[target] for target in targets}
