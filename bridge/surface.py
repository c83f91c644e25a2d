"""What an operator sees of a running bridge: what the control socket answers, and the dashboard. Called by `daemon`.

The dashboard is imported with the first look at it: an idle daemon does without."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import structlog

from bridge.app import App
from bridge.config.showing import Shown
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.platform import Platform
from bridge.observability.history import History
from bridge.observability.rates import Rates
from bridge.reloading import Reloader
from bridge.route_test import RouteTests
from bridge.web.control import ControlWeb, Page, listen
from bridge.web.control_place import places
from bridge.web.listening import is_loopback
from bridge.web.status import Status, StatusParts

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.dashboard.pages import Dashboard

log = structlog.get_logger("daemon")


class Surface:
    """`shown` reads bridge.yaml as it may be shown; it blocks, and raises ReadingFailed."""

    def __init__(
        self,
        app: App,
        reloader: Reloader,
        *,
        manifests: Callable[[str], Platform],
        shown: Callable[[], Shown],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._app = app
        self._started_with = app.config
        self._reloader = reloader
        self._manifests = manifests
        self._shown = shown
        self._clock = clock
        self._rates = Rates(app.metrics.totals, clock)
        self._history = History(app.metrics.totals, app.metrics.lags, clock)
        self._status = Status(
            StatusParts(
                report=app.report,
                per_minute=self._rates.per_minute,
                reloaded=reloader.latest,
                clock=clock,
                config=app.config.path,
                version=_version(),
            )
        )
        self._dashboard: Dashboard | None = None

    def start(self) -> list[asyncio.Task[None]]:
        """The tasks that answer, until they are cancelled; then `close`."""
        tasks = [asyncio.create_task(self._rates.run(), name="rates")]
        listening = listen(places(self._started_with.journal.path, os.environ))
        if listening is not None:
            tasks.append(asyncio.create_task(ControlWeb(listening, self._pages()).run(), name="control"))
        if self._app.admin is not None:
            tasks.append(asyncio.create_task(self._history.run(), name="history"))
            self._app.admin.more = self._show
        for task in tasks:
            task.add_done_callback(_tell_bug)
        return tasks

    async def close(self) -> None:
        if self._dashboard is not None:
            await self._dashboard.close()

    # -- the control socket -------------------------------------------------------------------------------------------------

    def _pages(self) -> dict[tuple[str, str], Page]:
        async def reload(query: Mapping[str, str]) -> dict[str, Any]:
            return (await self._reloader.reload(keep="keep" in query)).data()

        async def look(_: Mapping[str, str]) -> dict[str, Any]:
            return (await self._reloader.look()).data()

        async def show(_: Mapping[str, str]) -> dict[str, Any]:
            return await self._status.data()

        tests = RouteTests(self._app.accounts, self._app.journal)

        async def test(query: Mapping[str, str]) -> dict[str, Any]:
            names = {route.name: route for route in self._app.config.routes}
            route = names.get(query.get("route", ""))
            return await tests.run(route) if route is not None else {"ok": False, "error": "there is no such route in force"}

        return {("GET", "/status"): show, ("GET", "/difference"): look, ("POST", "/reload"): reload, ("POST", "/test"): test}

    # -- the dashboard ------------------------------------------------------------------------------------------------------

    async def _show(self, request: web.Request) -> web.StreamResponse:
        if self._dashboard is None and not self._app.config.web.dashboard.is_open(is_local=self._is_local):
            from bridge.web.admin import no_dashboard

            return no_dashboard()  # who calls must not make a daemon import what nobody asked for
        if self._dashboard is None:
            await asyncio.to_thread(_import_dashboard)
            self._dashboard = self._dashboard or self._new_dashboard()
        return await self._dashboard.answer(request)

    def _new_dashboard(self) -> Dashboard:
        from bridge.dashboard.pages import Dashboard
        from bridge.dashboard.parts import Parts

        parts = Parts(
            config=lambda: self._app.config,
            journal=self._app.journal,
            status=self._status.data,
            points=lambda: self._history.points,
            reloads=self._reloader,
            shown=self._shown,
            words=self._app.metrics.words.of,
            manifests=self._manifests,
            clock=self._clock,
        )
        return Dashboard(parts, hosts=self._started_with.web.admin_hosts, is_local=self._is_local)

    @property
    def _is_local(self) -> bool:
        admin = self._started_with.web.admin
        return admin is not None and is_loopback(admin.host)


def _import_dashboard() -> None:
    import bridge.dashboard.pages  # noqa: F401 - in a thread, since it takes long
    from bridge.dashboard.drawing import load_all

    load_all()


def _tell_bug(task: asyncio.Task[None]) -> None:
    """Messages are relayed all the same."""
    if not task.cancelled() and task.exception() is not None:
        log.error("commands are not answered any more", task=task.get_name(), exc_info=task.exception())


def _version() -> str:
    try:
        return version("messenger-bridge")
    except PackageNotFoundError:
        return ""
