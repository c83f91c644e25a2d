"""The adapter's other side for tests: an intake that keeps what it is handed, and an account running against an emulator."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from adapters.teamspirit import MANIFEST
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import Adapter, AdapterContext, Cursor
from bridge.model.events import ChatEvent, MessageCreated, MessageDeleted, MessageEdited, ReactionsChanged
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of
from bridge.web.public import PublicWeb
from tests.support.patience import PATIENCE_S

ACCOUNT = AccountName("spirit")
Kind = TypeVar("Kind")


@dataclass
class RecordingIntake:
    """Keeps everything; recognises redelivered events by their key, as the journal does. `hold` delays accepting."""

    chats: set[str] = field(default_factory=set)
    events: list[ChatEvent] = field(default_factory=list)
    own: list[ChatEvent] = field(default_factory=list)
    unknown: list[tuple[bytes, str]] = field(default_factory=list)
    ignored_reasons: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    hold: asyncio.Event | None = None
    failures: list[Exception] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        if self.hold is not None:
            await self.hold.wait()
        if self.failures:
            raise self.failures.pop(0)
        for event in events:
            if event.meta.sent_by_us:
                self.own.append(event)
            elif event.meta.event_key not in self.keys:
                self.keys.add(event.meta.event_key)
                self.events.append(event)
        self.cursors.update({cursor.name: cursor.value for cursor in cursors})
        self._changed.set()

    async def undecodable(self, raw: bytes, reason: str, *, cursors: Sequence[Cursor] = ()) -> None:
        self.unknown.append((raw, reason))
        self._changed.set()

    def ignored(self, reason: str) -> None:
        self.ignored_reasons.append(reason)

    async def cursor(self, name: str) -> str | None:
        return self.cursors.get(name)

    async def is_known(self, event_key: str) -> bool:
        return event_key in self.keys

    async def message_ids(self, chat_id: str, limit: int) -> Sequence[str]:
        return []

    def routed_chats(self) -> frozenset[str]:
        return frozenset(self.chats)

    def is_end(self, chat_id: str, thread_id: str) -> bool:
        return False

    def may_send(self) -> None:
        pass

    async def set_own_names(self, names: Iterable[str]) -> None:
        self.names = set(names)

    def connected(self) -> None:
        self.up.set()

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None:
        self.notices.append(reason)

    def chat_restored(self, chat_id: str) -> None:
        self.mended.append(chat_id)

    async def gap(self, chat_id: str, *, since: datetime, until: datetime, reason: str) -> None:
        self.gaps.append(reason)

    async def chat_moved(self, old_chat_id: str, new_chat_id: str) -> None:
        raise AssertionError("chats do not move here")

    # -- for tests ----------------------------------------------------------------------------------------------------------

    async def until(self, holds: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"never came: have {self.summary()}, unknown {self.unknown}") from None

    async def wait(self, count: int, timeout_s: float = PATIENCE_S) -> list[ChatEvent]:
        await self.until(lambda: len(self.events) >= count, timeout_s)
        return self.events

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]

    def summary(self) -> list[str]:
        return list(map(brief, self.events))


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


def make_adapter(options: dict[str, Any], web: PublicWeb | None = None) -> Adapter:
    made = MANIFEST.options().model_validate(options)
    assert not MANIFEST.check_options(made)
    return MANIFEST.build(AdapterContext(account=ACCOUNT, options=made, web=(web or PublicWeb()).of(ACCOUNT)))


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
