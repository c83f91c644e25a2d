"""An emulated Discord, an adapter connected to it, and an intake that remembers what it was handed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator import DiscordEmulator
from adapters.registry import load_platform
from bridge.model.errors import ConnectionLost
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from tests.support.intake import RecordingIntake
from tests.support.patience import PATIENCE_S, eventually

DEADLINE_S = PATIENCE_S


class Bench:
    """One emulator with one chat, and adapters on it."""

    def __init__(self, emulator: DiscordEmulator) -> None:
        self.emulator = emulator
        self.chat = emulator.add_chat("general").chat_id
        self._adapters: list[DiscordAdapter] = []

    def adapter(self, **options: Any) -> DiscordAdapter:
        chosen = load_platform("discord").options()(**{**self.emulator.account_options(), "request_timeout_s": 30.0, **options})
        built = load_platform("discord").build(AdapterContext(account=AccountName("guild"), options=chosen, web=None))  # type: ignore[arg-type]
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
            if not task.cancelled():
                task.result()


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
