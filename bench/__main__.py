"""`python -m bench [--only NAME ...] [--quick] [--json FILE]`: measure, print a table per figure, keep the numbers as JSON."""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import platform
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from adapters.common.emulation.contract import FaultKind
from adapters.registry import platforms
from bench import busy, disabled_end, files, neighbours, size, soak, speed, strangers, surface, text, trouble, webhooks

_ROW_LIMIT_S = 3600.0

Row = dict[str, Any]
Figure = Callable[[bool], Sequence[Awaitable[Row]]]


def _throughput(routes: Sequence[int], api_latency_s: float) -> Figure:
    def rows(quick: bool) -> Sequence[Awaitable[Row]]:
        found = []
        for count in routes:
            messages = min((2000 if not api_latency_s else 100 * count), 10_000) // (4 if quick else 1)
            for kind in ("bare", "bridge"):
                found.append(
                    speed.throughput(
                        kind=kind, routes=count, api_latency_s=api_latency_s, messages=messages, rounds=1 if quick else 3
                    )
                )
        return found

    return rows


_RING = (("telegram", "slack"), ("slack", "discord"), ("discord", "teamspirit"), ("teamspirit", "telegram"))
"""Each platform once as an origin and once as a target."""


def _big_files(quick: bool) -> Sequence[Awaitable[Row]]:
    """Every directed pair, with what both take: Discord's largest files are 100 MB."""
    platforms = ("telegram", "slack", "discord", "teamspirit")
    ways = _RING if quick else tuple(itertools.permutations(platforms, 2))
    sizes_mb = {way: (40,) if quick or "discord" in way else (40, 1000) for way in ways}
    return [files.big_file(size_mb=size_mb, origin=way[0], target=way[1]) for way in ways for size_mb in sizes_mb[way]]


FIGURES: dict[str, Figure] = {
    "latency": lambda quick: [
        *(speed.latency(kind=kind, messages=50 if quick else 300) for kind in ("bare", "bridge")),
        speed.disk_sync(times=50 if quick else 300),
    ],
    "throughput": _throughput((1, 20, 100), 0.0),
    "throughput-100ms": _throughput((20, 100), 0.1),
    "hanging-neighbour": lambda quick: [speed.hanging_neighbour(hang=hang, seconds=12 if quick else 25) for hang in (False, True)],
    "neighbours": lambda quick: [
        neighbours.neighbours(seconds=5 if quick else 60, backlog=5000 if quick else 100_000, characters=40_000)
    ],
    "surface": lambda quick: [
        surface.surface(seconds=3 if quick else 20, messages=500 if quick else 4000, rounds=2 if quick else 5, onlookers=onlookers)
        for onlookers in (1, 8)
    ],
    "outage": lambda quick: [trouble.outage(seconds=5 if quick else 20)],
    "killed": lambda quick: [trouble.killed_in_a_backlog(target=target) for target in ("discord", "slack", "teamspirit")],
    "every-third": lambda quick: [
        trouble.every_third_send_fails(kind=kind, target=target)
        for kind in (FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR)
        for target in ("discord", "slack", "telegram")
    ],
    "order": lambda quick: [trouble.order_from_discord()],
    "big-file": _big_files,
    "slow-file": lambda quick: [files.slow_file(origin=one, target=other, size_mb=5 if quick else 20) for one, other in _RING],
    "cut-file": lambda quick: [files.cut_file(origin=one, target=other) for one, other in _RING],
    "idle": lambda quick: [
        size.idle(platforms=("teamspirit", "slack")),
        size.idle(platforms=("teamspirit", "slack", "discord")),
        size.idle(platforms=("telegram", "teamspirit", "slack", "discord")),
    ],
    "start-up": lambda quick: [size.start_up(routes=routes) for routes in (1, 10_000)],
    "long-texts": lambda quick: [
        text.long_text(platform=one, shape=shape, characters=4000 if quick else 40_000)
        for shape in text.SHAPES
        for one in platforms()
    ],
    "strangers": lambda quick: [strangers.strangers(seconds=8 if quick else 30)],
    "webhooks-out": lambda quick: [
        webhooks.outgoing(endpoints=endpoints, messages=messages // (5 if quick else 1))
        for endpoints, messages in ((1, 1000), (100, 100), (1000, 20))
    ],
    "webhooks-in": lambda quick: [
        webhooks.incoming(requests=requests // (10 if quick else 1), at_once=at_once)
        for at_once, requests in ((1, 2000), (20, 5000), (200, 5000))
    ],
    "disabled-end": lambda quick: [disabled_end.disabled_end(messages=5000 if quick else 100_000)],
    "busy": lambda quick: [busy.busy(messages=50_000 if quick else 1_000_000)],
    "soak": lambda quick: [soak.soak(minutes=1 if quick else 10)],
}


async def measure(names: Sequence[str], quick: bool, console: Console) -> dict[str, list[Row]]:
    results: dict[str, list[Row]] = {}
    for name in names:
        rows = []
        for row in FIGURES[name](quick):
            try:
                async with asyncio.timeout(_ROW_LIMIT_S):
                    rows.append(await row)
            except Exception as error:
                rows.append({"failed": f"{type(error).__name__}: {error}"})
        results[name] = rows
        console.print(_table(name, rows))
    return results


def _table(name: str, rows: Sequence[Row]) -> Table:
    columns = list(dict.fromkeys(column for row in rows for column, value in row.items() if not isinstance(value, list)))
    table = Table(*columns, title=name, title_justify="left")
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in columns))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the bridge against the emulators.")
    parser.add_argument("--only", nargs="+", choices=FIGURES, metavar="NAME", help=f"of: {', '.join(FIGURES)}")
    parser.add_argument("--quick", action="store_true", help="fewer messages, shorter runs: to see that it works")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    console = Console()
    load = psutil.getloadavg()[0]
    if load > 0.5:
        console.print(f"[yellow]the machine is busy (load {load:.1f}): figures of time will be worse than they are[/]")
    began = time.time()
    # pauses of the emulators must not count as the relay's
    gc.collect()
    gc.freeze()
    results = uvloop.run(measure(options.only or list(FIGURES), options.quick, console))
    if options.json:
        about = {"python": platform.python_version(), "machine": platform.machine(), "cores": psutil.cpu_count(), "load": load}
        options.json.write_text(json.dumps({"about": about, "seconds": round(time.time() - began), "figures": results}, indent=2))


if __name__ == "__main__":
    main()
