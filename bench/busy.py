"""The figure of a long day in busy chats: a million messages, while lanes read their backlogs and the configuration is reloaded.

In each chat people write in bursts larger than a lane keeps in memory, then one by one until all has arrived. So a lane alternates
between deliveries that it gets from the intake and those that it reads: there a message could be lost, taken twice or overtaken.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import time
from dataclasses import dataclass, field
from typing import Any

import yaml

from bench.stage import Relay, Stage

ORIGIN, TARGET = "telegram", "discord"
CHATS = 8
_MB = 1_000_000
_RELOAD_S = 2.0
_STUCK_S = 120.0

Row = dict[str, Any]


@dataclass
class Tally:
    """What arrived in one chat of the messages 0, 1, 2, ...: a byte each, since there are many."""

    seen: bytearray = field(default_factory=bytearray)
    arrived: int = 0
    doubled: int = 0
    out_of_order: int = 0
    highest: int = -1

    def take(self, number: int) -> None:
        if number >= len(self.seen):
            self.seen.extend(bytes(number + 1 - len(self.seen)))
        if self.seen[number]:
            self.doubled += 1
            return
        self.seen[number] = 1
        self.arrived += 1
        self.out_of_order += number < self.highest
        self.highest = max(self.highest, number)


class _Counting(Stage):
    """Does not keep the texts."""

    tallies: dict[str, Tally]

    async def _watch(self, name: str) -> None:
        seen, self.tallies = self.arrivals.setdefault(name, {}), {}
        async for change in self.emulators[name].changes():
            if change.kind != "created" or not change.message.is_bot:
                continue
            tally = self.tallies.setdefault(change.message.chat_id, Tally())
            for text in change.message.text.split("\n"):
                if text.startswith("busy "):
                    tally.take(int(text.removeprefix("busy ")))
                elif text.startswith("warm "):
                    seen[text] = _NOTED

    def tally(self, place: int) -> Tally:
        return self.tallies.setdefault(self.chats[TARGET][place].chat_id, Tally())


_NOTED: Any = object()


async def busy(*, messages: int, chats: int = CHATS, seed: int = 0) -> Row:
    """Lost, doubled and out of order must be 0; `stuck`: nothing arrived for `_STUCK_S`, which ends the run."""
    kept = {"messages_kept": 2000, "changes_kept": 20_000}
    async with _Counting(platforms=(ORIGIN, TARGET), routes=chats, emulator_options={ORIGIN: kept, TARGET: kept}) as stage:
        async with Relay(stage) as relay:
            await relay.warm_up()
            relay.forget_peak()
            began_s, reloads = time.perf_counter(), itertools.count()
            reloading = asyncio.create_task(_reloads(stage, relay, reloads), name="reloads")
            try:
                async with asyncio.TaskGroup() as talks:
                    for place in range(chats):
                        share = messages // chats + (place < messages % chats)
                        talks.create_task(_talk(stage, place, share, random.Random(f"{seed} {place}")), name=f"chat {place}")
            finally:
                reloading.cancel()
            await relay.quiet()  # what would come twice, or late, has come
            tallies = [stage.tally(place) for place in range(chats)]
            return {
                "messages": messages,
                "chats": chats,
                "reloads": next(reloads),
                "msg_per_s": round(messages / (time.perf_counter() - began_s)),
                "lost": messages - sum(tally.arrived for tally in tallies),
                "doubled": sum(tally.doubled for tally in tallies),
                "out_of_order": sum(tally.out_of_order for tally in tallies),
                "peak_mb": round(relay.peak_rss_bytes / _MB, 1),
            }


async def _talk(stage: _Counting, place: int, messages: int, rng: random.Random) -> None:
    tally, said = stage.tally(place), 0
    while said < messages:
        for _ in range(min(rng.randint(65, 200), messages - said)):
            await stage.say(ORIGIN, place, f"busy {said}")
            said += 1
        stuck_s = time.perf_counter() + _STUCK_S
        while tally.arrived < said:
            if said < messages:
                await stage.say(ORIGIN, place, f"busy {said}")
                said += 1
            before = tally.arrived
            await asyncio.sleep(rng.uniform(0.0, 0.02))
            if tally.arrived > before:
                stuck_s = time.perf_counter() + _STUCK_S
            elif time.perf_counter() > stuck_s:
                return


async def _reloads(stage: Stage, relay: Relay, reloads: itertools.count[int]) -> None:
    """Each is another configuration for every route, so that every lane looks at everything anew."""
    path = stage.folder / "bridge.yaml"
    while True:
        await asyncio.sleep(_RELOAD_S)
        number = next(reloads)
        config = stage.config()
        config["defaults"] = {**config["defaults"], "max_file_mb": 1 + number % 2}
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(yaml.safe_dump(config))
        fresh.replace(path)  # at once: the bridge may still be reading it for the reload before
        assert relay.process is not None
        os.kill(relay.process.pid, signal.SIGHUP)
