"""The figures of memory and start-up. What files cost is in `files`, what a long run leaves behind in `soak`."""

from __future__ import annotations

import asyncio
import time
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
        "from adapters.registry import load_platform; import bridge.daemon;"
        "[(load_platform(p).preload(), load_platform(p).options()) for p in ('telegram', 'discord')]"
    )
    began_s = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    await process.wait()
    return time.perf_counter() - began_s
