"""Strangers at the public listener: a thousand idle connections, two hundred held bodies, a hundred gzip bombs, all at once.

What it costs the bridge (resident size, answers of /health), and whether signed webhooks go on meanwhile. TeamSpirit's dialect.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import hmac
import json
import resource
import time
from typing import Any

import aiohttp

from bench.stage import Relay, Stage, free_port, percentile

IDLE, HELD, BOMBS = 1000, 200, 100
_BODY_BYTES = 1024**2 - 1
_BOMB = gzip.compress(bytes(200 * 1024**2), 1)
_PATH, _KEY, _SECRET = "a-path-hard-to-guess", "the-key", "the-secret"


async def strangers(*, seconds: int) -> dict[str, Any]:
    """`health_p99_ms`, `growth_mb` of the resident size (its peak), webhooks that were sent, taken and seen, and their p99."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * (IDLE + HELD + BOMBS))), hard))
    public, admin = free_port(), free_port()
    web = {
        "public": {"listen": f"127.0.0.1:{public}", "url": f"http://127.0.0.1:{public}"},
        "admin": {"listen": f"127.0.0.1:{admin}"},
    }
    own = {"webhook": {"path": _PATH, "key": _KEY, "secret": _SECRET}}
    async with Stage(
        platforms=("teamspirit", "telegram"), settings={"web": web}, account_settings={"teamspirit": own}
    ) as stage, Relay(stage) as relay, aiohttp.ClientSession() as session:  # fmt: skip
        hook = stage.emulators["teamspirit"].outgoing_webhook(f"http://127.0.0.1:{public}/hooks/teamspirit/{_PATH}")  # type: ignore[attr-defined]
        hook.key, hook.secret = _KEY, _SECRET
        await relay.warm_up(origin="teamspirit", target="telegram")
        await relay.quiet()
        before_bytes = relay.rss_bytes
        relay.forget_peak()
        attack = asyncio.create_task(_attack(public), name="strangers")
        asking = asyncio.create_task(_ask(session, admin, seconds), name="health")
        await asyncio.sleep(1)
        said = await _talk(stage, seconds - 2)
        health_ms = await asking
        attack.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await attack
        delays_ms = [1000 * (seen.at_s - said[text]) for text, seen in stage.arrivals["telegram"].items() if text in said]
        return {
            "idle": IDLE,
            "held bodies": HELD,
            "bombs": BOMBS,
            "health_p99_ms": round(percentile(health_ms, 0.99), 1),
            "growth_mb": round((relay.peak_rss_bytes - before_bytes) / 1e6, 1),
            "webhooks": len(said),
            "relayed": len(delays_ms),
            "relayed_p99_ms": round(percentile(delays_ms, 0.99), 1) if delays_ms else None,
        }


async def _attack(port: int) -> None:
    """Keep all of it up: who is thrown out comes again five seconds later."""
    async with asyncio.TaskGroup() as group:
        for _ in range(IDLE):
            group.create_task(_again(port, b""))
        for _ in range(HELD):
            group.create_task(_again(port, _head(_BODY_BYTES + 1) + bytes(_BODY_BYTES)))
        for _ in range(BOMBS):
            group.create_task(_again(port, _head(len(_BOMB), "Content-Encoding: gzip\r\n") + _BOMB))


def _head(size_bytes: int, more: str = "") -> bytes:
    """All that a stranger can know to write: the right path, and headers of the right form."""
    stamp = str(int(time.time()))
    forged = hmac.new(b"guess", stamp.encode(), hashlib.sha256).hexdigest()
    signs = f"X-TeamSpirit-Key: {_KEY}\r\nX-TeamSpirit-Timestamp: {stamp}\r\nX-TeamSpirit-Signature: sha256={forged}\r\n"
    path = f"/hooks/teamspirit/{_PATH}"
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size_bytes}\r\n{more}{signs}\r\n".encode()


async def _again(port: int, request: bytes) -> None:
    while True:
        writer = None
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            await reader.read()
        if writer is not None:
            writer.transport.abort()
        await asyncio.sleep(5)


async def _ask(session: aiohttp.ClientSession, port: int, seconds: int) -> list[float]:
    took_ms = []
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        began = time.perf_counter()
        async with session.get(f"http://127.0.0.1:{port}/health") as answer:
            json.loads(await answer.read())
        took_ms.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(0.02)
    return took_ms


async def _talk(stage: Stage, seconds: int) -> dict[str, float]:
    """Messages that the messenger brings by signed webhooks; each text with the moment it was said."""
    said: dict[str, float] = {}
    for number in range(seconds * 5):
        text = f"amid strangers {number}"
        said[text] = await stage.say("teamspirit", 0, text)
        await asyncio.sleep(0.2)
    await stage.until(lambda: said.keys() <= stage.arrivals["telegram"].keys(), 30)
    return said
