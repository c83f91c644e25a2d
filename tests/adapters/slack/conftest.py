"""What the tests of the Slack adapter share: an emulator, an account on it, and an intake that remembers what it was given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.registry import load_platform
from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import SlackOptions
from adapters.slack.emulator import SlackEmulator
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually
from tests.support.web import NoWeb


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
        adapter = load_platform("slack").build(context)
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
        wanted = {f"ts:{chat_id}" for chat_id in self.intake.chats}
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
        self.intake.chats.add(chat_id)
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
