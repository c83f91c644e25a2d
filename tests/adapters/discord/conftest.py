"""An emulated Discord, an adapter connected to it, and an intake that remembers what it was handed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from adapters.discord import MANIFEST
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator import DiscordEmulator
from bridge.model.adapter import AdapterContext, Cursor
from bridge.model.errors import ConnectionLost
from bridge.model.events import ChatEvent, MessageCreated
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of
from tests.support.patience import PATIENCE_S, eventually

DEADLINE_S = PATIENCE_S


class RecordingIntake:
    """Stands for the core: keeps everything, remembers cursors, drops redelivered events by key."""

    def __init__(self, routed: Sequence[str] = ()) -> None:
        self.events: list[ChatEvent] = []
        self.keys: set[str] = set()
        self.cursors: dict[str, str] = {}
        self.not_understood: list[tuple[bytes, str]] = []
        self.ignored_reasons: list[str] = []
        self.notices: list[tuple[str, str, str]] = []
        self.restorations: list[str] = []
        self.gaps: list[tuple[str, str]] = []
        self.connections = 0
        self.names: set[str] = set()
        self.routed = set(routed)
        self.known: dict[str, list[str]] = {}
        self.before_accept: Callable[[], Awaitable[None]] | None = None

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        if self.before_accept is not None:
            await self.before_accept()
        for event in events:
            if event.meta.event_key in self.keys:
                continue
            self.keys.add(event.meta.event_key)
            self.events.append(event)
            if isinstance(event, MessageCreated) and not event.meta.sent_by_us:  # own ones are known by their receipts
                self.known.setdefault(event.meta.origin.chat_id, []).insert(0, event.message_id)
        self.cursors.update({cursor.name: cursor.value for cursor in cursors})

    async def undecodable(self, raw: bytes, reason: str, *, cursors: Sequence[Cursor] = ()) -> None:
        self.not_understood.append((raw, reason))

    def ignored(self, reason: str) -> None:
        self.ignored_reasons.append(reason)

    async def cursor(self, name: str) -> str | None:
        return self.cursors.get(name)

    async def is_known(self, event_key: str) -> bool:
        return event_key in self.keys

    async def message_ids(self, chat_id: str, limit: int) -> Sequence[str]:
        return self.known.get(chat_id, [])[:limit]

    def routed_chats(self) -> frozenset[str]:
        return frozenset(self.routed)

    def is_end(self, chat_id: str, thread_id: str) -> bool:
        return False

    def may_send(self) -> None:
        pass

    async def set_own_names(self, names: Iterable[str]) -> None:
        self.names = set(names)

    def connected(self) -> None:
        self.connections += 1

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None:
        self.notices.append((reason, action, chat_id))

    async def gap(self, chat_id: str, *, since: datetime, until: datetime, reason: str) -> None:
        self.gaps.append((chat_id, reason))

    def chat_restored(self, chat_id: str) -> None:
        self.restorations.append(chat_id)

    async def chat_moved(self, old_chat_id: str, new_chat_id: str) -> None:
        raise AssertionError("Discord's channels keep their ids")

    # -- asking ---------------------------------------------------------------------------------------------------------------

    def foreign(self) -> list[ChatEvent]:
        return [event for event in self.events if not event.meta.sent_by_us]

    def texts(self) -> list[str]:
        return [text_of(e.content.text) for e in self.foreign() if isinstance(e, MessageCreated)]


class Bench:
    """One emulator with one chat, and adapters on it."""

    def __init__(self, emulator: DiscordEmulator) -> None:
        self.emulator = emulator
        self.chat = emulator.add_chat("general").chat_id
        self._adapters: list[DiscordAdapter] = []

    def adapter(self, **options: Any) -> DiscordAdapter:
        chosen = MANIFEST.options()(**{**self.emulator.account_options(), "request_timeout_s": 30.0, **options})
        built = MANIFEST.build(AdapterContext(account=AccountName("guild"), options=chosen, web=None))  # type: ignore[arg-type]
        assert isinstance(built, DiscordAdapter)
        self._adapters.append(built)
        return built

    async def close(self) -> None:
        for adapter in self._adapters:
            await adapter.close()
        await self.emulator.stop()

    def intake(self) -> RecordingIntake:
        return RecordingIntake([self.chat])

    @asynccontextmanager
    async def running(self, adapter: DiscordAdapter, intake: RecordingIntake) -> AsyncIterator[None]:
        """The adapter receives; a lost connection is taken up again at once, as the supervisor does after its back-off."""
        task = asyncio.create_task(_keep_running(adapter, intake))
        before = intake.connections
        try:
            await eventually(lambda: intake.connections > before or task.done(), "connected")
            if task.done():
                await task
            await eventually(lambda: "gateway" in intake.cursors or task.done(), "caught up")
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and task.exception() is not None:
                raise task.exception()  # type: ignore[misc]


async def _keep_running(adapter: DiscordAdapter, intake: RecordingIntake) -> None:
    while True:
        try:
            await adapter.run(intake)
        except ConnectionLost:
            await asyncio.sleep(0.05)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    emulator = DiscordEmulator()
    await emulator.start()
    bench = Bench(emulator)
    yield bench
    await bench.close()


@pytest.fixture
def adapter(bench: Bench) -> DiscordAdapter:
    return bench.adapter()
