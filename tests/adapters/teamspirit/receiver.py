"""A plain web server that takes outgoing webhooks, for checking the emulator without the adapter."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.patience import PATIENCE_S


@dataclass
class Receiver:
    """Answers with the statuses in `answers` first, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    confirmed: list[dict[str, Any]] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/in", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/in"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.calls.append((dict(request.headers), body))
        status = self.answers.pop(0) if self.answers else 200
        if status < 300:
            self.confirmed.append(json.loads(body))
            self._arrived.set()
        return web.Response(status=status)

    async def wait(self, count: int, timeout_s: float = PATIENCE_S) -> list[dict[str, Any]]:
        """Wait until `count` events were confirmed."""
        async with asyncio.timeout(timeout_s):
            while len(self.confirmed) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.confirmed


def signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    text = headers["X-TeamSpirit-Timestamp"].encode() + b"." + body
    return headers["X-TeamSpirit-Signature"] == "sha256=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def sign(body: bytes, key: str, secret: str) -> dict[str, str]:
    """The headers of a call with that key and secret, now."""
    stamp = str(int(time.time()))
    made = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-TeamSpirit-Key": key,
        "X-TeamSpirit-Timestamp": stamp,
        "X-TeamSpirit-Signature": f"sha256={made}",
    }
