"""The figures of speed: each a coroutine that sets its stage, measures, and returns a row of plain numbers."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
import time
from typing import Any

from adapters.common.emulation.contract import Fault, FaultKind
from bench.stage import Relay, Stage, percentile

ORIGIN, TARGET = "telegram", "discord"
Row = dict[str, Any]


async def latency(*, kind: str = "bridge", per_s: float = 5.0, messages: int = 150) -> Row:
    """Milliseconds from posting to being visible in the target, at a calm pace."""
    async with Stage() as stage, Relay(stage, kind) as relay:
        await relay.warm_up()
        said: dict[str, float] = {}
        for number in range(messages):
            text = f"latency {number}"
            said[text] = await stage.say(ORIGIN, 0, text)
            await asyncio.sleep(1 / per_s)
        arrivals = stage.arrivals[TARGET]
        await stage.until(lambda: all(text in arrivals for text in said), 10)
        took_ms = [(arrivals[text].at_s - at_s) * 1000 for text, at_s in said.items() if text in arrivals]
        return {
            "relay": kind,
            "p50_ms": round(percentile(took_ms, 0.5), 2),
            "p99_ms": round(percentile(took_ms, 0.99), 2),
            "lost": messages - len(took_ms),
        }


async def disk_sync(*, per_s: float = 5.0, times: int = 150, pages: int = 10) -> Row:
    """The time that the disk alone needs to store as much as the journal writes per message: the price of "accepted means kept"."""
    took_ms = []
    with tempfile.TemporaryFile(dir=os.environ.get("BENCH_DIR")) as file:
        for _ in range(times):
            began_s = time.perf_counter()
            await asyncio.to_thread(_write_through, file.fileno(), b"x" * 4096 * pages)
            took_ms.append((time.perf_counter() - began_s) * 1000)
            await asyncio.sleep(1 / per_s)
    return {"relay": "disk alone", "p50_ms": round(percentile(took_ms, 0.5), 2), "p99_ms": round(percentile(took_ms, 0.99), 2)}


def _write_through(file: int, content: bytes) -> None:
    os.write(file, content)
    os.fdatasync(file)


async def throughput(*, kind: str = "bridge", routes: int, api_latency_s: float = 0.0, messages: int, rounds: int = 1) -> Row:
    """Messages per second with a backlog, from the first to the last arrival: the median of some rounds, all that went wrong."""
    found = [await _one_round(kind, routes, api_latency_s, messages) for _ in range(rounds)]
    middle = sorted(found, key=lambda row: row["msg_per_s"])[rounds // 2]
    return middle | {what: sum(row[what] for row in found) for what in ("lost", "doubled", "out_of_order")}


async def _one_round(kind: str, routes: int, api_latency_s: float, messages: int) -> Row:
    async with Stage(routes=routes) as stage, Relay(stage, kind) as relay:
        await relay.warm_up()
        if api_latency_s:
            stage.emulators[TARGET].inject(Fault(kind=FaultKind.LATENCY, operation="*webhooks*", delay_s=api_latency_s))
        arrivals = stage.arrivals[TARGET]
        before = len(arrivals)
        for number in range(messages):
            await stage.say(ORIGIN, number % routes, f"load {number}")
        done = await stage.until(lambda: len(arrivals) >= before + messages, 300)
        moments = sorted(arrival.at_s for text, arrival in arrivals.items() if text.startswith("load "))
        per_s = (len(moments) - 1) / (moments[-1] - moments[0]) if len(moments) > 1 else 0.0
        wrong_order = 0
        for texts in stage.order[TARGET].values():
            numbers = [int(text.split()[1]) for text in texts if text.startswith("load ")]
            wrong_order += sum(1 for one, other in itertools.pairwise(numbers) if other < one)
        return {
            "relay": kind,
            "routes": routes,
            "api_latency_ms": round(api_latency_s * 1000),
            "msg_per_s": round(per_s, 1),
            "lost": messages - len(moments),
            "doubled": sum(arrival.count - 1 for arrival in arrivals.values()),
            "out_of_order": wrong_order,
            "complete": done,
        }


async def hanging_neighbour(*, hang: bool, seconds: float = 12.0) -> Row:
    """Latency of a healthy route while another route's target hangs."""
    async with Stage(platforms=("telegram", "discord", "slack"), routes=2) as stage, Relay(stage) as relay:
        await relay.warm_up()
        if hang:
            stage.emulators["slack"].inject(Fault(kind=FaultKind.HANG, operation="chat.postMessage", delay_s=10))
        said: dict[str, float] = {}
        until = time.perf_counter() + seconds
        number = 0
        while time.perf_counter() < until:
            text = f"neighbour {number}"
            said[text] = await stage.say(ORIGIN, 0, text)
            number += 1
            await asyncio.sleep(0.1)
        arrivals = stage.arrivals[TARGET]
        await stage.until(lambda: all(text in arrivals for text in said), 20)
        took_ms = [(arrivals[text].at_s - at_s) * 1000 for text, at_s in said.items() if text in arrivals]
        return {"hang": hang, "p50_ms": round(percentile(took_ms, 0.5), 2), "p99_ms": round(percentile(took_ms, 0.99), 2)}
