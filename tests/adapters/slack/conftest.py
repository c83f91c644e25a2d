"""What the tests of the Slack adapter share: an emulator, an account on it, and an intake that remembers what it was given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

import pytest

from adapters.slack import MANIFEST
from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import SlackOptions
from adapters.slack.emulator import SlackEmulator
from bridge.model.adapter import AdapterContext, Cursor
from bridge.model.events import ChatEvent, MessageCreated
from bridge.model.refs import AccountName
from tests.support.patience import eventually


class RecordingIntake:
    """An `Intake` in memory that recognises duplicates as the core does."""

    def __init__(self) -> None:
        self.events: list[ChatEvent] = []
        self.duplicates: list[ChatEvent] = []
        self.unread: list[tuple[bytes, str]] = []
        self.ignored_reasons: list[str] = []
        self.cursors: dict[str, str] = {}
        self.keys: set[str] = set()
        self.routed: set[str] = set()
        self.known_ids: dict[str, list[str]] = {}
        self.notices: list[tuple[str, str, str]] = []
        self.restorations: list[str] = []
        self.gaps: list[tuple[str, datetime, datetime, str]] = []
        self.moves: list[tuple[str, str]] = []
        self.connections = 0
        self.may_sends = 0
        self.names: set[str] = set()
        self.block: asyncio.Event | None = None
        self.batches: list[int] = []

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        if self.block is not None:
            await self.block.wait()
        if events:
            self.batches.append(len(events))
        for event in events:
            (self.duplicates if event.meta.event_key in self.keys else self.events).append(event)
            self.keys.add(event.meta.event_key)
        self.cursors |= {cursor.name: cursor.value for cursor in cursors}

    async def undecodable(self, raw: bytes, reason: str, *, cursors: Sequence[Cursor] = ()) -> None:
        self.unread.append((raw, reason))

    def ignored(self, reason: str) -> None:
        self.ignored_reasons.append(reason)

    async def cursor(self, name: str) -> str | None:
        return self.cursors.get(name)

    async def is_known(self, event_key: str) -> bool:
        return event_key in self.keys

    async def message_ids(self, chat_id: str, limit: int) -> Sequence[str]:
        return self.known_ids.get(chat_id, [])[:limit]

    def routed_chats(self) -> frozenset[str]:
        return frozenset(self.routed)

    def is_end(self, chat_id: str, thread_id: str) -> bool:
        return False

    def may_send(self) -> None:
        self.may_sends += 1

    async def set_own_names(self, names: Iterable[str]) -> None:
        self.names = set(names)

    def connected(self) -> None:
        self.connections += 1

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None:
        self.notices.append((reason, action, chat_id))

    async def gap(self, chat_id: str, *, since: datetime, until: datetime, reason: str) -> None:
        self.gaps.append((chat_id, since, until, reason))

    def chat_restored(self, chat_id: str) -> None:
        self.restorations.append(chat_id)

    async def chat_moved(self, old_chat_id: str, new_chat_id: str) -> None:
        self.moves.append((old_chat_id, new_chat_id))

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind) and not event.meta.sent_by_us]

    def texts(self) -> list[str]:
        from bridge.model.rich_text import text_of

        return [text_of(event.content.text) for event in self.of(MessageCreated)]


class NoWeb:
    """A public listener for accounts that use none."""

    public_url = ""

    def mount(self, name: str, handler: Any) -> str:
        raise AssertionError("nothing is mounted")

    def unmount(self, name: str) -> None:
        raise AssertionError("nothing is mounted")


class Account:
    """An adapter on the emulator and the task that runs it."""

    def __init__(self, emulator: SlackEmulator) -> None:
        self.emulator = emulator
        self.intake = RecordingIntake()
        self.web: Any = NoWeb()
        self.adapters: list[SlackAdapter] = []
        self.task: asyncio.Task[None] | None = None

    def build(self, **options: Any) -> SlackAdapter:
        given = {**self.emulator.account_options(), "request_timeout_s": 30.0, **options}
        context = AdapterContext(account=AccountName("team"), options=SlackOptions.model_validate(given), web=self.web)
        adapter = MANIFEST.build(context)
        assert isinstance(adapter, SlackAdapter)
        self.adapters.append(adapter)
        return adapter

    async def start(self, adapter: SlackAdapter | None = None, **options: Any) -> SlackAdapter:
        """Run an adapter until it is connected and all its chats are caught up."""
        adapter = adapter or self.build(**options)
        connections = self.intake.connections
        self.task = asyncio.create_task(adapter.run(self.intake), name="adapter under test")
        await eventually(lambda: self.intake.connections > connections or (self.task is not None and self.task.done()))
        if self.task.done():
            await self.task
        wanted = {f"ts:{chat_id}" for chat_id in self.intake.routed}
        await eventually(lambda: wanted <= set(self.intake.cursors))
        return adapter

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None

    async def close(self) -> None:
        await self.stop()
        for adapter in self.adapters:
            await adapter.close()

    def chat(self, name: str = "general") -> str:
        """A routed channel."""
        chat_id = self.emulator.add_chat(name).chat_id
        self.intake.routed.add(chat_id)
        return chat_id


@pytest.fixture
async def emulator() -> AsyncIterator[SlackEmulator]:
    emulator = SlackEmulator()
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest.fixture
async def account(emulator: SlackEmulator) -> AsyncIterator[Account]:
    account = Account(emulator)
    yield account
    await account.close()
