"""Everything at once, by a seeded plan: whatever the stream does, each message arrives once and in order."""

from __future__ import annotations

import asyncio
import random

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault
from tests.adapters.discord.conftest import Bench
from tests.support.patience import eventually

STREAM_FAULTS = (*StreamFault,)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_received_once_and_in_order(bench: Bench, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.01)
    monkeypatch.setattr("adapters.discord.inbound.stream.QUICK_RECONNECTS", 1000)
    monkeypatch.setattr("adapters.discord.inbound.catch_up.RETRY_S", 0.01)
    chance = random.Random(seed)
    intake, adapter = bench.intake(), bench.adapter(request_timeout_s=2.0)
    sent: list[str] = []
    async with bench.running(adapter, intake):
        for number in range(120):
            text = f"message {number}"
            await bench.emulator.say(bench.chat, chance.choice(["Anna", "Boris"]), text)
            sent.append(text)
            if chance.random() < 0.15:
                # reordering is left out: Discord promises no order then
                await bench.emulator.disturb(chance.choice([f for f in STREAM_FAULTS if f is not StreamFault.REORDER]))
            if chance.random() < 0.05:
                await bench.emulator.refuse_connections(True)
                await asyncio.sleep(0.02)
                await bench.emulator.refuse_connections(False)
            if chance.random() < 0.1:
                kind = chance.choice([FaultKind.SERVER_ERROR, FaultKind.DROP, FaultKind.RATE_LIMIT])
                bench.emulator.inject(Fault(kind=kind, operation="*", times=1, retry_after_s=0.01))
            await asyncio.sleep(chance.random() * 0.01)
        bench.emulator.clear_faults()
        await eventually(lambda: len(intake.texts()) >= len(sent), "all arrived")
    assert intake.texts() == sent
    assert not intake.gaps
