"""The adapter's other side for tests: an intake that keeps what it is handed, and an account running against an emulator."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from adapters.registry import load_platform
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import Adapter
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.events import ChatEvent, MessageCreated, MessageDeleted, MessageEdited, ReactionsChanged
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of
from bridge.web.public import PublicWeb
from tests.support.intake import RecordingIntake
from tests.support.patience import PATIENCE_S

ACCOUNT = AccountName("spirit")
Kind = TypeVar("Kind")


def summary(intake: RecordingIntake) -> list[str]:
    """What others did, one short text an event."""
    return [brief(event) for event in intake.foreign()]


def brief(event: ChatEvent) -> str:
    match event:
        case MessageCreated():
            return f"+{text_of(event.content.text)}"
        case MessageEdited():
            return f"~{text_of(event.content.text)}"
        case MessageDeleted():
            return "-"
        case ReactionsChanged():
            return f"{''.join(event.added)}|{''.join(event.removed)}"
        case _:
            return type(event).__name__


def make_adapter(options: dict[str, Any], web: PublicWeb | None = None, clock: Clock = SYSTEM_CLOCK) -> Adapter:
    made = load_platform("teamspirit").options().model_validate(options)
    assert not load_platform("teamspirit").check_options(made)
    context = AdapterContext(account=ACCOUNT, options=made, web=(web or PublicWeb()).of(ACCOUNT), clock=clock)
    return load_platform("teamspirit").build(context)


def options_of(emulator: TeamSpiritEmulator, **more: Any) -> dict[str, Any]:
    fast = {"poll_interval_s": 0.05, "poll_idle_interval_s": 0.05, "request_timeout_s": 10.0}
    return {**emulator.account_options(), **fast, **more}


class Run:
    """A running account."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.task = task
        self.expected_to_end = False

    async def error(self, timeout_s: float = PATIENCE_S) -> BaseException | None:
        """Why it ended."""
        self.expected_to_end = True
        await asyncio.wait({self.task}, timeout=timeout_s)
        assert self.task.done(), "it goes on"
        return self.task.exception()


@asynccontextmanager
async def running(adapter: Adapter, intake: RecordingIntake) -> AsyncIterator[Run]:
    """The account receives within the block. An error of it comes out at the end, unless the block asked for it."""
    intake.up.clear()
    run = Run(asyncio.create_task(adapter.run(intake), name="run"))
    connected = asyncio.create_task(intake.up.wait())
    await asyncio.wait({run.task, connected}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_S)
    connected.cancel()
    yield run
    if not run.expected_to_end:
        if not run.task.done():
            run.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await run.task


@asynccontextmanager
async def public_web() -> AsyncIterator[PublicWeb]:
    web = PublicWeb()
    port = await web.start("127.0.0.1", 0)
    web.public_url = f"http://127.0.0.1:{port}"
    yield web
    await web.stop()
