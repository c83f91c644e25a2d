"""What an admin reads without the log of a message that did not cross: `trace`, `status`, the dashboard, the ops chat."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape
from typing import NoReturn

import aiohttp

from adapters.common.emulation.contract import EmulatedChat
from adapters.registry import load_platform
from bridge.cli.daemon import Daemon
from bridge.cli.status_view import lines
from bridge.config.reader_process import ReadingFailed
from bridge.reloading import Reloader
from bridge.surface import Surface
from tests.flows.test_trace import trace
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually_asked

View = Callable[[], Awaitable[list[str]]]


class Explained:
    """A running bridge that commands and a browser may ask, with an ops chat on Discord."""

    def __init__(self, world: World, ops: EmulatedChat, session: aiohttp.ClientSession) -> None:
        self.world = world
        self._ops = ops
        self._session = session
        self._daemon = Daemon(world.folder / "bridge.yaml", world.folder / "bridge.journal")

    async def trace(self, message: str) -> list[str]:
        _, found = await trace(self.world, message)
        why = [one["why"] for traced in found["messages"] for one in traced["deliveries"]]
        return [*why, found.get("unknown", "")]

    async def status(self) -> list[str]:
        """As the command shows it on a wide screen."""
        data = await asyncio.to_thread(self._daemon.ask, "GET", "/status", within_s=60.0)
        return [line.text for line in lines(data, width=600, now=datetime.now(UTC))]

    async def ops(self) -> list[str]:
        return [line for one in self.world.emulators["discord"].transcript(self._ops.chat_id) for line in one.text.splitlines()]

    async def page(self, place: str, **query: str) -> list[str]:
        """A page of the dashboard: what stands in one row of a table, one item of a list or one paragraph is a line."""
        assert self.world.app is not None
        url = f"http://127.0.0.1:{self.world.app.admin_port}/dashboard/{place}"
        async with self._session.get(url, params=query) as answer:
            html = re.sub(r"<(script|style|title)\b.*?</\1>", " ", await answer.text(), flags=re.DOTALL)
        found = (unescape(re.sub(r"<[^>]*>", " ", part)) for part in re.split(r"</(?:tr|li|p)>", html))
        return [" ".join(one.split()) for one in found]

    async def told(self, message: str, *, cause: str, action: str, trace_action: str = "", ops: bool = True) -> None:
        """Each place names the cause, and what to do, in one line. `message`: as `trace` takes it. `trace_action`: where trace is
        about that one message, and so says another thing."""
        views: Mapping[str, tuple[View, str]] = {
            **({"the ops chat": (self.ops, action)} if ops else {}),
            "status": (self.status, action),
            "the overview": (lambda: self.page(""), action),
            "trace": (lambda: self.trace(message), trace_action or action),
            "the message's page": (lambda: self.page("message", what=message), trace_action or action),
        }
        for name, (view, wanted) in views.items():

            def names(shown: list[str], wanted: str = wanted) -> bool:
                return any(cause in line and wanted in line for line in shown)

            found = await eventually_asked(view, what=f"{name} says {cause!r} and {wanted!r}", holds=names)
            assert names(found), found


def _not_read() -> NoReturn:
    raise ReadingFailed("nobody reloads here")


@asynccontextmanager
async def explained(world: World, ops: EmulatedChat) -> AsyncIterator[Explained]:
    """Starts the bridge, with the control socket and the dashboard that the daemon has."""
    world.settings["web"] = {"admin": {"listen": f"127.0.0.1:{free_port()}", "dashboard": {}}}
    app = await world.start_bridge()
    reloader = Reloader(app, read=_not_read, preload=lambda _: None, notify=lambda _: None)
    surface = Surface(app, reloader, manifests=load_platform, shown=_not_read)
    answering = surface.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Explained(world, ops, session)
    finally:
        for task in answering:
            task.cancel()
        await asyncio.wait(answering)
        await surface.close()
        await reloader.close()
