"""The figure of a long run: whether the bridge's process grows under a steady load of everything that people do.

Only the bridge's process is measured. The emulators run in the measuring process and keep few messages, so that their growth
neither counts nor slows the load down; the rate that was reached is in the row.
"""

from __future__ import annotations

import asyncio
import collections
import itertools
import os
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from adapters.common.emulation.contract import Upload
from bench.stage import Relay, Stage, free_port

Row = dict[str, Any]
_MB = 1_000_000
_PLATFORMS = ("telegram", "slack", "discord", "teamspirit")
_SAMPLES = 60
_FILL = 4
_SEEN_S = 6.0
_REMEMBERED = 100
_FILE = Upload(name="note.bin", mime="application/octet-stream", content=bytes(10_000))


class _People:
    """Write in every chat in turn; answer, change, react and delete, and send a file now and then.

    What they change is `_SEEN_S` old: where a chat is read now and then (TeamSpirit without webhooks), a message that was changed
    at once is only ever seen as changed, which is no loss."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._recent: dict[str, collections.deque[tuple[float, str]]] = {name: collections.deque() for name in _PLATFORMS}
        self.said: list[tuple[str, str]] = []
        """(origin, text)"""

    async def act(self, number: int) -> None:
        origin = _PLATFORMS[number % len(_PLATFORMS)]
        turn = number // len(_PLATFORMS) % 10
        emulator, chat_id = self._stage.emulators[origin], self._stage.chats[origin][0].chat_id
        recent, now_s = self._recent[origin], time.perf_counter()
        before = recent[0][1] if recent and now_s - recent[0][0] > _SEEN_S else ""
        text = f"soak {number}"
        if before and turn == 3:
            await emulator.edit(chat_id, before, f"{text} instead")
        elif before and turn == 5:
            await emulator.react(chat_id, before, "Boris", "👍")
        elif before and turn == 7:
            await emulator.delete(chat_id, before)
            recent.popleft()
        else:
            reply_to = before if turn == 2 else ""
            files = [_FILE] if turn == 9 else ()
            said = await emulator.say(chat_id, f"Anna {number % 50}", text, reply_to=reply_to, files=files)
            recent.append((now_s, said))
            if len(recent) > _REMEMBERED:
                recent.popleft()
            self.said.append((origin, text))

    def lost(self) -> list[str]:
        """What is missing where."""
        arrivals = self._stage.arrivals
        return [
            f"{text} of {origin} on {target}"
            for origin, text in self.said
            for target in _PLATFORMS
            if target != origin and text not in arrivals[target]
        ]


async def soak(*, minutes: float, per_s: float = 10.0) -> Row:
    """Resident size, tasks, threads, open files and journal over time. Growth is the last third's mean over the middle third's. The
    first third is driven `_FILL` times as hard: what the bridge remembers on purpose, some thousand messages of each kind, is to be
    full before growth is measured."""
    admin = f"127.0.0.1:{free_port()}"
    async with Stage(
        platforms=_PLATFORMS,
        settings={"web": {"admin": {"listen": admin}}},
        emulator_options={name: {"messages_kept": 2000, "changes_kept": 5000, "files_kept": 500} for name in _PLATFORMS},
    ) as stage:
        async with Relay(stage) as relay, aiohttp.ClientSession() as session:
            for target in _PLATFORMS[1:]:
                await relay.warm_up(origin="telegram", target=target)
            await relay.warm_up(origin="slack", target="telegram")
            people, samples = _People(stage), [await _sample(stage, relay, session, admin, 0)]
            seconds = minutes * 60
            began_s = time.perf_counter()
            due_s = 0.0
            for number in itertools.count():
                now_s = time.perf_counter() - began_s
                if now_s >= seconds:
                    break
                if now_s >= len(samples) * seconds / _SAMPLES:
                    samples.append(await _sample(stage, relay, session, admin, now_s))
                await people.act(number)
                # by the clock and not by the last step, so that a slow emulator does not make it a lighter load
                due_s += 1 / (per_s * _FILL if now_s < seconds / 3 else per_s)
                await asyncio.sleep(max(began_s + due_s - time.perf_counter(), 0))
            took_s = time.perf_counter() - began_s
            await stage.until(lambda: not people.lost(), 60)
            samples.append(await _sample(stage, relay, session, admin, took_s))
            return {
                "minutes": minutes,
                "per_s": round(number / took_s, 1),
                "behind_s": round(max(took_s - due_s, 0), 1),
                "messages": len(people.said),
                "lost": len(people.lost()),
                "rss_mb": samples[-1]["rss_mb"],
                "growth_percent": _growth_percent([sample["rss_mb"] for sample in samples[1:]]),
                "tasks": _span([sample["tasks"] for sample in samples]),
                "threads": _span([sample["threads"] for sample in samples]),
                "open_files": _span([sample["open_files"] for sample in samples]),
                "journal_mb": samples[-1]["journal_mb"],
                "emulators_mb": f"{samples[0]['emulators_mb']} -> {samples[-1]['emulators_mb']}",
                "over_time": samples,
                "missing": people.lost(),
            }


async def _sample(stage: Stage, relay: Relay, session: aiohttp.ClientSession, admin: str, at_s: float) -> Row:
    async with session.get(f"http://{admin}/metrics") as response:
        families = list(text_string_to_metric_families(await response.text()))
    shown = {family.name: family.samples[0].value for family in families if family.samples}
    assert relay.process is not None
    process = psutil.Process(relay.process.pid)
    return {
        "at_s": round(at_s),
        "rss_mb": round(relay.rss_bytes / _MB, 2),
        "tasks": int(shown["messenger_bridge_tasks"]),
        "threads": process.num_threads(),
        "open_files": process.num_fds(),
        "journal_mb": round(sum(path.stat().st_size for path in stage.folder.glob("bridge.journal*") if path.is_file()) / _MB, 2),
        "emulators_mb": round(psutil.Process(os.getpid()).memory_info().rss / _MB),
    }


def _growth_percent(values: Sequence[float]) -> float:
    third = len(values) // 3
    middle, last = values[third : 2 * third], values[2 * third :]
    return round((sum(last) / len(last)) / (sum(middle) / len(middle)) * 100 - 100, 2)


def _span(values: Sequence[int]) -> str:
    """A number over time: at the beginning, in the middle, at the end, and its maximum."""
    return f"{values[0]} / {values[len(values) // 2]} / {values[-1]} (most {max(values)})"
