"""The figure of isolation: the delay of a healthy route's messages beside a heavy one, in one run.

The neighbour's messages go to another chat of the same account as the healthy route's, and to a platform that is failing. Each
emulator has a process of its own, and the healthy messages are timed where they are posted and where they become visible: the
neighbour's cost for the emulators, or for this process, does not count as the bridge's.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from bench.files import DOWNLOADS
from bench.stage import Relay, Stage, percentile

ORIGIN, TARGET = "telegram", "discord"
HEAVY, TROUBLED = "slack", "teamspirit"
"""Where the neighbour's messages come from, and where they go besides `TARGET`."""
_PER_S = 10.0
_FILE = Upload(name="plan.bin", mime="application/octet-stream", content=bytes(100_000))

Row = dict[str, Any]


async def neighbours(*, seconds: float, backlog: int, characters: int) -> Row:
    """A healthy route alone, and beside each kind of trouble: p50 and p99 in milliseconds, and how many were lost."""
    kept = {"messages_kept": 2000, "changes_kept": max(20_000, backlog * 3)}
    names = (ORIGIN, TARGET, HEAVY, TROUBLED)
    options = dict.fromkeys(names, kept)
    async with Stage(platforms=names, routes=2, keep_apart=names, emulator_options=options) as stage:
        for name in (HEAVY, TROUBLED):
            stage.apart[name].give_way()
        ends = {name: [f"{name}/{chat.address}" for chat in stage.chats[name]] for name in names}
        stage.settings["routes"] = [
            {"name": "healthy", "between": [ends[ORIGIN][0], ends[TARGET][0]]},
            {"name": "neighbour", "between": [ends[HEAVY][1], ends[TARGET][1], ends[TROUBLED][1]]},
        ]
        async with Relay(stage) as relay:
            await _warm_up(stage)
            row: Row = {}
            numbers = itertools.count()
            for name, trouble in (
                ("alone", _nothing(stage)),
                ("poison", _poison(stage)),
                ("long", _long(stage, characters)),
                ("file", _file(stage)),
                ("backlog", _backlog(stage, backlog)),
            ):
                async with trouble:
                    row |= await _latency(stage, name, numbers, seconds)
                await relay.quiet(5)
            return row | {"waiting": backlog, "characters": characters}  # no name of a figure: it would replace it


async def _warm_up(stage: Stage) -> None:
    for origin, place in ((ORIGIN, 0), (HEAVY, 1)):
        for number in range(60):
            text = f"warm {origin} {number}"
            await stage.say(origin, place, text)
            if await stage.until(lambda text=text: text in stage.arrivals[TARGET], 2):  # type: ignore[misc]
                break
        else:
            raise RuntimeError(f"{origin} is not relayed")


async def _latency(stage: Stage, name: str, numbers: itertools.count[int], seconds: float) -> Row:
    texts: set[str] = set()
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        text = f"healthy {next(numbers)}"
        await stage.say(ORIGIN, 0, text)
        texts.add(text)
        await asyncio.sleep(1 / _PER_S)
    said, arrivals = stage.said[ORIGIN], stage.arrivals[TARGET]
    await stage.until(lambda: texts <= said.keys() and texts <= arrivals.keys(), 60)
    took_ms = [(arrivals[text].at_s - said[text]) * 1000 for text in texts if text in arrivals]
    p50_ms, p99_ms = (round(percentile(took_ms, share), 1) for share in (0.5, 0.99))
    return {name: f"{p50_ms} / {p99_ms} / {len(texts) - len(took_ms)}", f"{name}_numbers": [p50_ms, p99_ms]}


@asynccontextmanager
async def _nothing(stage: Stage) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def _poison(stage: Stage) -> AsyncIterator[None]:
    """A message that its target never accepts, and never refuses for good."""
    emulator = stage.apart[TROUBLED].emulator
    await emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="*"))
    await stage.say(HEAVY, 1, "poison")
    try:
        yield
    finally:
        await emulator.clear_faults()


@asynccontextmanager
async def _long(stage: Stage, characters: int) -> AsyncIterator[None]:
    """A message of that many characters, every few seconds."""
    async with _again_and_again(lambda: stage.say(HEAVY, 1, "*a* " * (characters // 4)), every_s=5.0):
        yield


@asynccontextmanager
async def _file(stage: Stage) -> AsyncIterator[None]:
    """Files that cannot be fetched for the moment."""
    emulator = stage.apart[HEAVY].emulator
    await emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=DOWNLOADS[HEAVY]))
    try:
        async with _again_and_again(lambda: stage.say(HEAVY, 1, "a file", files=[_FILE])):
            yield
    finally:
        await emulator.clear_faults()


@asynccontextmanager
async def _again_and_again(say: Callable[[], Any], *, every_s: float = 1.0) -> AsyncIterator[None]:
    async def talk() -> None:
        while True:
            await say()
            await asyncio.sleep(every_s)

    talking = asyncio.create_task(talk(), name="neighbour")
    try:
        yield
    finally:
        talking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talking


@asynccontextmanager
async def _backlog(stage: Stage, messages: int) -> AsyncIterator[None]:
    """That many messages wait for a platform that was unreachable and has just returned."""
    await stage.apart[TROUBLED].emulator.refuse_connections(True)
    for number in range(messages):
        await stage.say(HEAVY, 1, f"backlog {number}")
    last = f"backlog {messages - 1}"
    await stage.until(lambda: last in stage.arrivals[TARGET], 3000)
    await stage.apart[TROUBLED].emulator.refuse_connections(False)
    await stage.until(lambda: "backlog 0" in stage.arrivals[TROUBLED], 120)
    yield
