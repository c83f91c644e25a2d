"""The figure of the operator's surface: what it costs the relaying that people and programs look on.

One relay, alone and watched by turns. Watched: the dashboard's overview renewed as the page renews itself, its live tail open,
`/metrics` scraped every second, and `trace --follow` running. Those who look on are processes of their own, on the emulators' core
and of low priority: the relay has its core to itself. So what differs is what the relay does for them, by the clock and by the CPU
time that the kernel counted for its process.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench.stage import OURS, Relay, Stage, free_port, percentile

ORIGIN, TARGET = "telegram", "discord"
_PER_S = 20.0
_READY_S = 60.0
_GIVES_WAY = 10
_WITHIN_S = 120.0

Row = dict[str, Any]


@dataclass
class Measured:
    """Of all rounds with one way to be watched."""

    took_ms: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)
    calm_cpu: list[float] = field(default_factory=list)
    """Seconds of CPU per second at the steady rate."""
    burst_cpu_ms: list[float] = field(default_factory=list)
    """Milliseconds of CPU per message with a backlog."""
    lost: int = 0

    def figures(self) -> dict[str, float]:
        return {
            "msg_per_s": median(self.per_s),
            "p50_ms": percentile(self.took_ms, 0.5),
            "p99_ms": percentile(self.took_ms, 0.99),
            "cpu_ms_per_msg": median(self.burst_cpu_ms),
            "cpu_percent_calm": 100 * median(self.calm_cpu),
        }


async def surface(*, seconds: float, messages: int, rounds: int, onlookers: int = 1) -> Row:
    """Each figure alone / watched, and their ratio. `looked` is what those who look on got, in all."""
    port = free_port()
    tokens = [f"a-token-of-nobody-{number}" for number in range(onlookers)]
    dashboard = {"users": {f"nobody-{number}": {"password": token} for number, token in enumerate(tokens)}}
    kept = {"messages_kept": 2000, "changes_kept": messages * 3}
    async with Stage(emulator_options={ORIGIN: kept, TARGET: kept}) as stage:
        stage.settings["web"] = {"admin": {"listen": f"127.0.0.1:{port}", "dashboard": dashboard}}
        async with Relay(stage) as relay:
            await relay.warm_up()
            numbers, looked = itertools.count(), Counter[str]()
            async with _watched(stage, port, tokens, Counter()):
                pass  # what the first look alone costs: imports, templates
            ways = {"alone": Measured(), "watched": Measured()}
            for _ in range(rounds):
                await _measure(stage, relay, ways["alone"], numbers, seconds, messages)
                async with _watched(stage, port, tokens, looked):
                    await _measure(stage, relay, ways["watched"], numbers, seconds, messages)
                await relay.quiet(5)
            return _row(onlookers, ways["alone"], ways["watched"], looked)


def _row(onlookers: int, alone: Measured, watched: Measured, looked: Counter[str]) -> Row:
    row: Row = {"onlookers": onlookers}
    before, beside = alone.figures(), watched.figures()
    for name, value in before.items():
        row[name] = f"{value:.3g} / {beside[name]:.3g} ({beside[name] / value:.3f})" if value else f"0 / {beside[name]:.3g}"
        row[f"{name}_numbers"] = [value, beside[name]]
    return row | {"lost": alone.lost + watched.lost, "looked": " ".join(f"{kind} {count}" for kind, count in looked.items())}


async def _measure(
    stage: Stage, relay: Relay, found: Measured, numbers: itertools.count[int], seconds: float, messages: int
) -> None:
    arrivals, cpu_s, began_s = stage.arrivals[TARGET], _cpu_s(relay), time.perf_counter()
    said: dict[str, float] = {}
    while time.perf_counter() < began_s + seconds:
        text = f"calm {next(numbers)}"
        said[text] = await stage.say(ORIGIN, 0, text)
        await asyncio.sleep(1 / _PER_S)
    await stage.until(lambda: said.keys() <= arrivals.keys(), 20)
    found.calm_cpu.append((_cpu_s(relay) - cpu_s) / (time.perf_counter() - began_s))
    took_ms = [(arrivals[text].at_s - at_s) * 1000 for text, at_s in said.items() if text in arrivals]
    found.took_ms += took_ms
    cpu_s = _cpu_s(relay)
    texts = [f"burst {next(numbers)}" for _ in range(messages)]
    for text in texts:
        await stage.say(ORIGIN, 0, text)
    await stage.until(lambda: texts[-1] in arrivals, _WITHIN_S)
    moments = sorted(arrivals[text].at_s for text in texts if text in arrivals)
    found.per_s.append((len(moments) - 1) / (moments[-1] - moments[0]) if len(moments) > 1 else 0.0)
    found.burst_cpu_ms.append(1000 * (_cpu_s(relay) - cpu_s) / messages)
    found.lost += len(said) - len(took_ms) + messages - len(moments)


def _cpu_s(relay: Relay) -> float:
    """Of the relay's process, all its threads."""
    assert relay.process is not None
    return float(sum(psutil.Process(relay.process.pid).cpu_times()[:2]))


# -- those who look on ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _watched(stage: Stage, port: int, tokens: Sequence[str], looked: Counter[str]) -> AsyncIterator[None]:
    """What they got is added to `looked` at the end. Raises RuntimeError: one of them was refused, or ended."""
    traced = stage.folder / "traced.txt"
    traced.unlink(missing_ok=True)
    environ = {**os.environ, "PYTHONPATH": os.getcwd()}
    looking = await _beside([sys.executable, "-m", "bench.onlookers", f"http://127.0.0.1:{port}", *tokens], environ)
    config = str(stage.folder / "bridge.yaml")
    following: asyncio.subprocess.Process | None = None
    try:
        with traced.open("wb") as out:
            command = [sys.executable, "-m", "bridge.cli", "trace", "--follow", "--config", config]
            following = await _beside(command, environ, out.fileno())
        assert looking.stdout is not None
        async with asyncio.timeout(_READY_S):
            if (await looking.stdout.readline()).strip() != b"ready":
                raise RuntimeError("nobody could look on")
            await _until_traced(stage, traced)
        yield
        if following.returncode is not None:
            raise RuntimeError("trace --follow has ended")
        looking.terminate()
        said = json.loads((await looking.stdout.readline()) or b"{}")
        if said.get("failed") or not said.get("got"):
            raise RuntimeError(f"those who look on were refused: {said}")
        looked.update(said["got"])
        looked["traced"] += traced.read_bytes().count(b"\n")
    finally:
        for process in (looking, following):
            if process is not None and process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


async def _beside(command: list[str], environ: dict[str, str], out: int = asyncio.subprocess.PIPE) -> asyncio.subprocess.Process:
    """On our core, behind everything else there: a real one would be on another machine."""
    process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=out)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, _GIVES_WAY)
        os.sched_setaffinity(process.pid, {OURS})
    return process


async def _until_traced(stage: Stage, traced: Path) -> None:
    """It shows what happens from its start on: until then nobody knows whether it has started."""
    for number in itertools.count():
        await stage.say(ORIGIN, 0, f"look {number}")
        if await stage.until(lambda: traced.stat().st_size > 0, 1):
            return
