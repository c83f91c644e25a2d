"""Other programs with the bot's token, and what a human is told about them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.inbound.conflicts import CONFLICTS_MAX, CONFLICTS_WITHIN_S, Conflicts
from bridge.model.errors import AccountDown, ConnectionLost
from tests.support.patience import PATIENCE_S


async def test_a_second_poller_is_explained(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, make_intake: Any, receiving: Any
) -> None:
    async with receiving(make_adapter()) as first:
        async with receiving(make_adapter(), make_intake()):
            with pytest.raises(ConnectionLost):
                await asyncio.wait_for(first, PATIENCE_S)
    assert "another program polls" in intake.notices[0][0]


async def test_who_keeps_polling_with_our_token_parks_the_account(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, make_intake: Any, receiving: Any
) -> None:
    adapter, other = make_adapter(), make_adapter()
    for number in range(CONFLICTS_MAX):
        ours: Any = asyncio.create_task(adapter.run(intake))
        await intake.until(lambda number=number: intake.connections > number)
        async with receiving(other, make_intake()):
            with pytest.raises(AccountDown if number == CONFLICTS_MAX - 1 else ConnectionLost) as down:
                await asyncio.wait_for(ours, PATIENCE_S)
    last: Any = down.value
    assert "another program polls with this bot's token" in last.reason
    assert "stop the other program" in last.action
    assert last.sends, "what others say still arrives here"
    assert intake.may_sends == CONFLICTS_MAX


async def test_a_conflict_that_is_over_is_no_longer_told(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, make_intake: Any, receiving: Any
) -> None:
    adapter = make_adapter()
    async with receiving(adapter) as ours:
        async with receiving(make_adapter(), make_intake()):
            with pytest.raises(ConnectionLost):
                await asyncio.wait_for(ours, PATIENCE_S)
    assert intake.restorations == []
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "alone again")
        await intake.until(lambda: "alone again" in intake.texts())
    assert intake.restorations == [""]


def test_conflicts_far_apart_are_no_reason_to_stop() -> None:
    now = 0.0
    conflicts = Conflicts(lambda: now)
    for _ in range(3 * CONFLICTS_MAX):
        now += CONFLICTS_WITHIN_S / 3
        assert not conflicts.add()
    assert [conflicts.add() for _ in range(CONFLICTS_MAX)][-1]


async def test_a_webhook_in_the_way_is_explained_or_taken_over(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any
) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    queue.webhook_url = "https://elsewhere.example/hook"
    with pytest.raises(ConnectionLost):
        await make_adapter().run(intake)
    assert "take_over_webhook" in intake.notices[0][1]
    async with receiving(make_adapter(take_over_webhook=True)):
        await emulator.say(chat, "Anna", "here")
        await intake.until(lambda: intake.events)


async def test_what_was_said_meanwhile_arrives_also_when_a_webhook_is_taken_over(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any
) -> None:
    async with receiving(make_adapter()):
        await emulator.say(chat, "Anna", "before")
        await intake.until(lambda: intake.events)
    emulator.world.queues[emulator.bot().user_id].webhook_url = "https://elsewhere.example/hook"
    said = [f"meanwhile {number}" for number in range(150)]
    for words in said:
        await emulator.say(chat, "Anna", words)
    async with receiving(make_adapter(take_over_webhook=True)):
        await intake.until(lambda: len(intake.events) == 151)
    assert intake.texts() == ["before", *said]
