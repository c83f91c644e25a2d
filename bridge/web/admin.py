"""The admin listener, for the host itself: `/health` (what every account, route and lane is doing, and what a human should do),
`/ready` (200 while everything is relayed; `?verbose` says what is not), `/metrics` (Prometheus)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import msgspec
import structlog
from aiohttp import web

from bridge.accounts.health import checks
from bridge.web.door import Door, Handler, most_connections
from bridge.web.listening import answers_to

log = structlog.get_logger("web")

_MOST_CONNECTIONS = 64
"""Connections at once: many more than monitoring needs, and far fewer than the process's file descriptors."""
Report = Callable[[], Awaitable[dict[str, Any]]]


class AdminWeb:
    """`report` gives the health report (its `ok` is what `/ready` answers), `metrics` the exposition text and content type."""

    def __init__(self, *, report: Report, metrics: Callable[[], tuple[bytes, str]], hosts: Collection[str] = ()) -> None:
        self._hosts = hosts
        self._listen_host = ""
        self._report = report
        self._metrics = metrics
        self._pages: dict[str, Handler] = {"/health": self._health, "/ready": self._ready, "/metrics": self._expose}
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises OSError."""
        self._listen_host = host
        door = Door(self._dispatch, most=min(_MOST_CONNECTIONS, most_connections()))
        self._runner = web.ServerRunner(door, shutdown_timeout=2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        asked = [request.headers.get("Host", "")]
        if not request.raw_path.startswith(("/", "*")):
            asked.append(request.host)  # a target with a host name, which takes precedence over `Host`
        if not all(answers_to(name, self._listen_host, self._hosts) for name in asked):
            return _refusal(421, "not asked under this name; see web.admin.hosts in bridge.yaml\n")
        page = self._pages.get(request.path)
        if page is None:
            return _refusal(404, "not found\n")
        if request.method not in ("GET", "HEAD"):
            return _refusal(405, "only GET\n")
        try:
            return await page(request)
        except Exception:
            log.exception("a page of the admin listener failed", page=request.path)
            return _refusal(500, "failed; the log says why\n")

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


def _refusal(status: int, text: str) -> web.Response:
    answer = web.Response(status=status, text=text, headers={"Allow": "GET, HEAD"} if status == 405 else None)
    answer.force_close()
    return answer
