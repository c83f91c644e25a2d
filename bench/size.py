"""The figures of memory, disk and start-up. What files cost is in `files`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from bench.stage import Relay, Stage

Row = dict[str, Any]
_MB = 1e6
_SETTLE_S = 3.0


async def idle(*, platforms: tuple[str, ...]) -> Row:
    """Resident size of a connected bridge with nothing to do."""
    async with Stage(platforms=platforms) as stage, Relay(stage) as relay:
        await relay.warm_up(origin=platforms[0], target=platforms[1])
        await asyncio.sleep(_SETTLE_S)
        return {"accounts": "+".join(platforms), "rss_mb": round(relay.rss_bytes / _MB, 1)}


async def start_up(*, routes: int) -> Row:
    """Seconds from starting the process to ready, and of that the imports of the libraries in use."""
    async with Stage(routes=routes) as stage:
        imports_s = await _imports()
        relay = Relay(stage)
        await relay.start()
        ready_s = relay.ready_after_s
        await relay.stop()
        return {
            "routes": routes,
            "ready_s": round(ready_s, 2),
            "imports_s": round(imports_s, 2),
            "beyond_imports_s": round(ready_s - imports_s, 2),
        }


async def _imports() -> float:
    """What a process takes to import what a telegram and a discord account need."""
    import sys

    code = (
        "from adapters.registry import manifest; import bridge.daemon;"
        "[(manifest(p).preload(), manifest(p).options()) for p in ('telegram', 'discord')]"
    )
    began_s = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    await process.wait()
    return time.perf_counter() - began_s


async def soak(*, minutes: float, per_s: float = 20.0, origin: str = "telegram", target: str = "discord") -> Row:
    """Resident size, threads and journal over a steady load; growth is the last third's mean over the middle third's."""
    async with Stage(platforms=(origin, target)) as stage, Relay(stage) as relay:
        await relay.warm_up(origin=origin, target=target)
        sizes: list[int] = []
        until_s = time.perf_counter() + minutes * 60
        number = 0
        while time.perf_counter() < until_s:
            await stage.say(origin, 0, f"soak {number}")
            number += 1
            if number % round(per_s) == 0:
                sizes.append(relay.rss_bytes)
            await asyncio.sleep(1 / per_s)
        arrivals = stage.arrivals[target]
        await stage.until(lambda: len(arrivals) > number, 30)
        third = len(sizes) // 3
        middle, last = sum(sizes[third : 2 * third]) / third, sum(sizes[2 * third :]) / len(sizes[2 * third :])
        return {
            "minutes": minutes,
            "messages": number,
            "lost": number + 1 - len(arrivals),
            "rss_mb": round(last / _MB, 1),
            "growth_percent": round((last / middle - 1) * 100, 2),
            "journal_mb": round(_size(stage.folder / "bridge.journal") / _MB, 2),
        }


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
