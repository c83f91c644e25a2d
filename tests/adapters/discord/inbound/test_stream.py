"""Connections that follow each other: nothing is lost or doubled between them, and what ends them is told."""

from __future__ import annotations

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault
from adapters.discord.adapter import DiscordAdapter
from bridge.model.errors import AccountDown, ConnectionLost
from tests.adapters.discord.conftest import Bench
from tests.support.patience import eventually


@pytest.mark.parametrize("disturbance", [StreamFault.DISCONNECT, StreamFault.DISCONNECT_CLEAN, StreamFault.INVALIDATE_SESSION])
async def test_nothing_is_lost_or_doubled_when_the_connection_ends(
    bench: Bench, adapter: DiscordAdapter, disturbance: StreamFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.05)
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "before")
        await eventually(intake.texts)
        await bench.emulator.disturb(disturbance)
        for number in range(20):
            await bench.emulator.say(bench.chat, "Anna", f"meanwhile {number}")
        await eventually(lambda: len(intake.texts()) == 21)
        await bench.emulator.say(bench.chat, "Anna", "after")
        await eventually(lambda: len(intake.texts()) == 22)
    assert intake.texts() == ["before", *(f"meanwhile {n}" for n in range(20)), "after"]


async def test_refused_connections_and_server_errors_end_run_with_connection_lost(bench: Bench, adapter: DiscordAdapter) -> None:
    await bench.emulator.refuse_connections(True)
    with pytest.raises(ConnectionLost):
        await adapter.run(bench.intake())
    await bench.emulator.refuse_connections(False)
    bench.emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="GET /users/@me", times=1))
    with pytest.raises(ConnectionLost):
        await adapter.run(bench.intake())
    intake = bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "healed")
        await eventually(lambda: intake.texts() == ["healed"])


async def test_a_wrong_token_and_a_missing_intent_say_what_to_do(bench: Bench) -> None:
    wrong = bench.adapter(token="not.a.token")
    with pytest.raises(AccountDown) as refused:
        await wrong.run(bench.intake())
    assert "token" in refused.value.action
    await wrong.close()
    bench.emulator.bot.message_content = False
    blind = bench.adapter()
    with pytest.raises(AccountDown) as missing:
        await blind.run(bench.intake())
    assert "MESSAGE CONTENT INTENT" in missing.value.action
    await blind.close()


async def test_the_last_sessions_of_a_day_are_not_used_up(bench: Bench, adapter: DiscordAdapter) -> None:
    """Discord resets the token of a bot that identifies more than 1000 times a day."""
    bench.emulator.gateway.identify_limit, bench.emulator.gateway.identifies = 1000, 990
    with pytest.raises(AccountDown):
        await adapter.run(bench.intake())
    assert bench.emulator.gateway.identifies == 990
