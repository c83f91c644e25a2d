"""The admin listener, for the host itself: `/health` (what every account, route and lane is doing, and what a human should do),
`/ready` (200 while everything is relayed; `?verbose` says what is not), `/livez` and `/readyz` (the same question for container
platforms, in plain text), `/metrics` (Prometheus, OpenMetrics)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

import msgspec
import structlog
from aiohttp import web

from bridge.accounts.health import checks
from bridge.model.one_line import one_line
from bridge.web.door import Door, Handler, most_connections
from bridge.web.listening import answers_to

log = structlog.get_logger("web")

_MOST_CONNECTIONS = 64
"""Connections at once: many more than monitoring needs, and far fewer than the process's file descriptors."""
_LONGEST_PATH = 200
_ANSWERS_WITHIN_S = 10.0
"""A journal that answers later than that hangs."""
Report = Callable[[], Awaitable[dict[str, Any]]]
Metrics = Callable[[str], Awaitable[tuple[bytes, str]]]


class AdminWeb:
    """`report` gives the health report (its `ok` is what `/ready` answers), `metrics` the exposition text and content type for an
    Accept header."""

    def __init__(self, *, report: Report, metrics: Metrics, hosts: Collection[str] = ()) -> None:
        self.more: Handler | None = None
        """What answers to all other paths: the dashboard, once it is there."""
        self._hosts = hosts
        self._listen_host = ""
        self._report = report
        self._metrics = metrics
        self._pages: dict[str, Handler] = {
            "/health": self._health,
            "/ready": self._ready,
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": self._expose,
        }
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
            return await self._answered(self.more or _nothing, request)
        if request.method not in ("GET", "HEAD"):
            return _refusal(405, "only GET\n")
        return await self._answered(page, request)

    async def _answered(self, page: Handler, request: web.Request) -> web.StreamResponse:
        try:
            return await page(request)
        except (web.HTTPException, ConnectionError):
            raise  # of the caller: too large, too slow, gone
        except Exception:
            log.exception("a page of the admin listener failed", page=request.path[:_LONGEST_PATH])
            return _refusal(500, "failed; the log says why\n")

    async def _health(self, _: web.Request) -> web.Response:
        report = await self._report()
        return _json(report | {"reasons": reasons(checks(report))}, 200)

    async def _ready(self, request: web.Request) -> web.Response:
        report = await self._report()
        answer = {"ok": report["ok"], "status": report["status"]}
        if "verbose" in request.query:
            answer |= {"checks": checks(report), "to_do": report["to_do"]}
        return _json(answer, 200 if report["ok"] else 503)

    async def _livez(self, request: web.Request) -> web.Response:
        """Whether the process works. A journal that answers with an error is no reason for a restart, which repairs no disk."""
        try:
            await asyncio.wait_for(self._report(), _ANSWERS_WITHIN_S)
        except TimeoutError:
            found = {"name": "journal", "status": "fail", "reason": f"does not answer within {_ANSWERS_WITHIN_S:.0f} s"}
            return _listed("livez", [found], verbose=True, ok=False)
        found = {"name": "journal", "status": "pass", "reason": ""}
        return _listed("livez", [found], verbose="verbose" in request.query, ok=True)

    async def _readyz(self, request: web.Request) -> web.Response:
        report = await self._report()
        verbose = "verbose" in request.query or not report["ok"]
        return _listed("readyz", checks(report), verbose=verbose, ok=report["ok"])

    async def _expose(self, request: web.Request) -> web.Response:
        body, content_type = await self._metrics(",".join(request.headers.getall("Accept", ())))
        return web.Response(body=body, headers={"Content-Type": content_type, "Vary": "Accept"})


def no_dashboard() -> web.Response:
    """What its paths answer where there is none."""
    return _refusal(404, "there is no dashboard here; see web.admin.dashboard in bridge.yaml\n")


async def _nothing(_: web.Request) -> web.Response:
    return _refusal(404, "not found\n")


def reasons(found: Iterable[dict[str, Any]]) -> list[str]:
    """What is not `pass`, one line each."""
    return [f"{one['status']}: {one['name']}: {one['reason']}" for one in found if one["status"] != "pass"]


def _listed(name: str, found: Iterable[dict[str, Any]], *, verbose: bool, ok: bool) -> web.Response:
    """As Kubernetes' own components answer. Source: kubernetes.io/docs/reference/using-api/health-checks."""
    if not verbose:
        return web.Response(text="ok\n")
    lines = [_line(one) for one in found]
    text = "\n".join((*lines, f"{name} check {'passed' if ok else 'failed'}", ""))
    return web.Response(text=text, status=200 if ok else 503)


def _line(check: dict[str, Any]) -> str:
    if check["status"] == "pass":
        return f"[+]{check['name']} ok"
    sign, said = ("-", "failed") if check["status"] == "fail" else ("+", "ok, but")
    action = f" - {check['action']}" if check.get("action") else ""
    return one_line(f"[{sign}]{check['name']} {said}: {check['reason']}{action}")


def _json(value: object, status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _refusal(status: int, text: str) -> web.Response:
    answer = web.Response(status=status, text=text, headers={"Allow": "GET, HEAD"} if status == 405 else None)
    answer.force_close()
    return answer
