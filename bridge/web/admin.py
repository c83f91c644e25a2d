"""The admin listener, for the host itself: `/health` (what every account, route and lane is doing, and what a human should do),
`/ready` (200 while everything is relayed; `?verbose` says what is not), `/metrics` (Prometheus)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import msgspec
from aiohttp import web

from bridge.health import checks
from bridge.web.listening import answers_to

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Report = Callable[[], Awaitable[dict[str, Any]]]


class AdminWeb:
    """`report` gives the health report (its `ok` is what `/ready` answers), `metrics` the exposition text and content type."""

    def __init__(self, *, report: Report, metrics: Callable[[], tuple[bytes, str]], hosts: Collection[str] = ()) -> None:
        self._hosts = hosts
        self._listen_host = ""
        self._report = report
        self._metrics = metrics
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises OSError."""
        self._listen_host = host
        app = web.Application(middlewares=[self._known_host])
        app.router.add_get("/health", self._health)
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/metrics", self._expose)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _known_host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not answers_to(request.headers.get("Host", ""), self._listen_host, self._hosts):
            return web.Response(status=421, text="not asked under this name; see web.admin.hosts in bridge.yaml\n")
        return await handler(request)

    async def _health(self, _: web.Request) -> web.Response:
        return _json(await self._report(), 200)

    async def _ready(self, request: web.Request) -> web.Response:
        report = await self._report()
        answer = {"ok": report["ok"], "status": report["status"]}
        if "verbose" in request.query:
            answer |= {"checks": checks(report), "to_do": report["to_do"]}
        return _json(answer, 200 if report["ok"] else 503)

    async def _expose(self, _: web.Request) -> web.Response:
        body, content_type = self._metrics()
        return web.Response(body=body, headers={"Content-Type": content_type})


def _json(value: object, status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
