"""Long polls: through faults, throttled, hanging, and without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.telegram.emulator import TelegramEmulator
from bridge.model.errors import AccountDown, ConnectionLost
from tests.support.patience import PATIENCE_S


@pytest.mark.parametrize(
    "kind", [FaultKind.SERVER_ERROR, FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR_AFTER, FaultKind.UNAUTHORIZED]
)
async def test_polling_through_faults_loses_and_doubles_nothing(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any, kind: FaultKind
) -> None:
    expected = AccountDown if kind is FaultKind.UNAUTHORIZED else ConnectionLost
    async with receiving(adapter) as task:
        await emulator.say(chat, "Anna", "one")
        await intake.until(lambda: intake.events)
        emulator.inject(Fault(kind=kind, operation="getUpdates", times=1))
        await emulator.say(chat, "Anna", "two")
        await emulator.say(chat, "Anna", "three")
        with pytest.raises(expected):
            await asyncio.wait_for(task, PATIENCE_S)
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "four")
        await intake.until(lambda: len(intake.events) == 4)
    assert intake.texts() == ["one", "two", "three", "four"]


async def test_polling_waits_out_a_429_without_ending(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    emulator.inject(Fault(kind=FaultKind.RATE_LIMIT, operation="getUpdates", times=2, retry_after_s=1))
    async with receiving(adapter) as task:
        await emulator.say(chat, "Anna", "one")
        await intake.until(lambda: intake.events)
        assert not task.done()


async def test_a_hanging_poll_ends(emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, monkeypatch: Any) -> None:
    from adapters.telegram import transport

    monkeypatch.setattr(transport, "POLL_GRACE_S", 0.2)
    emulator.inject(Fault(kind=FaultKind.HANG, operation="getUpdates"))
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(make_adapter(poll_timeout_s=1).run(intake), PATIENCE_S)


async def test_a_server_that_is_away_ends_the_run(emulator: TelegramEmulator, adapter: Any, intake: Any) -> None:
    await emulator.refuse_connections(True)
    with pytest.raises(ConnectionLost):
        await adapter.run(intake)
