"""What an admin reads without the log, of a message that did not cross: `trace`, `status`, and the ops chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from adapters.common.emulation.contract import EmulatedChat
from bridge.cli.status_view import lines
from bridge.model.clock import SYSTEM_CLOCK
from bridge.web.control import ControlWeb
from bridge.web.control_place import Listening
from bridge.web.status import Status, StatusParts
from tests.flows.test_trace import trace
from tests.flows.world import World
from tests.support.patience import eventually_asked

View = Callable[[], Awaitable[list[str]]]


class Explained:
    """A running bridge that commands may ask, with an ops chat on Discord."""

    def __init__(self, world: World, ops: EmulatedChat, status: Status) -> None:
        self.world = world
        self._ops = ops
        self._status = status

    async def trace(self, message: str) -> list[str]:
        _, found = await trace(self.world, message)
        why = [one["why"] for traced in found["messages"] for one in traced["deliveries"]]
        return [*why, found.get("unknown", "")]

    async def status(self) -> list[str]:
        """As the command shows it on a wide screen."""
        return [line.text for line in lines(await self._status.data(), width=600, now=datetime.now(UTC))]

    async def ops(self) -> list[str]:
        return [line for one in self.world.emulators["discord"].transcript(self._ops.chat_id) for line in one.text.splitlines()]

    async def told(self, message: str, *, cause: str, action: str, trace_action: str = "", ops: bool = True) -> None:
        """Each place names the cause, and what to do, in one line. `message`: as `trace` takes it. `trace_action`: where trace is
        about that one message, and so says another thing."""

        async def traced() -> list[str]:
            return await self.trace(message)

        views: Mapping[str, tuple[View, str]] = {
            **({"ops": (self.ops, action)} if ops else {}),
            "status": (self.status, action),
            "trace": (traced, trace_action or action),
        }
        for name, (view, wanted) in views.items():

            def names(shown: list[str], wanted: str = wanted) -> bool:
                return any(cause in line and wanted in line for line in shown)

            found = await eventually_asked(view, what=f"{name} says {cause!r} and {wanted!r}", holds=names)
            assert names(found), found


@asynccontextmanager
async def explained(world: World, ops: EmulatedChat) -> AsyncIterator[Explained]:
    """Starts the bridge, with the control socket that the daemon has."""
    app = await world.start_bridge()

    async def report() -> dict[str, Any]:
        return await app.report()

    parts = StatusParts(report=report, per_minute=dict, reloaded=dict, clock=SYSTEM_CLOCK, config=world.folder / "bridge.yaml")
    status = Status(parts)

    async def show(_: Mapping[str, str]) -> dict[str, Any]:
        return await status.data()

    control = ControlWeb(Listening(world.folder / "bridge.sock"), {("GET", "/status"): show})
    answering = asyncio.create_task(control.run(), name="control")
    try:
        yield Explained(world, ops, status)
    finally:
        answering.cancel()
        await asyncio.wait({answering})
