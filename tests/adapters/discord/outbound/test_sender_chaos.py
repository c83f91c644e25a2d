"""Everything at once, by a seeded plan: whatever the server does, each message is sent once and in order."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.discord.adapter import DiscordAdapter
from bridge.model.adapter import Outbound, Receipt, Sender
from bridge.model.errors import OutcomeUnknown, RetryLater
from bridge.model.rich_text import plain
from tests.adapters.discord.conftest import Bench

REQUEST_FAULTS = tuple(k for k in FaultKind if k not in (FaultKind.UNAUTHORIZED, FaultKind.LATENCY))


@pytest.mark.parametrize("seed", [1, 4])
@pytest.mark.parametrize("post_as", ["webhook", "bot"])
async def test_sent_once_and_in_order(bench: Bench, seed: int, post_as: str) -> None:
    """The core's part in a few lines: wait and repeat, and reconcile what is unknown."""
    chance = random.Random(seed)
    adapter = bench.adapter(request_timeout_s=0.6, post_as=post_as)
    intake = bench.intake()
    sender = Sender(name="Anna") if post_as == "webhook" else None
    async with bench.running(adapter, intake):
        for number in range(32):
            # the same words again and again: only what is known of each message tells them apart
            message = Outbound(token=f"m-{number}", attempt=1, chat_id=bench.chat, text=plain(f"ok {number // 4}"), sender=sender)
            bench.emulator.clear_faults()
            if chance.random() < 0.5:
                kind = chance.choice(REQUEST_FAULTS)
                bench.emulator.inject(Fault(kind=kind, operation="POST *", times=1, delay_s=0.9, retry_after_s=0.01))
            receipt = await _deliver(adapter, message)
            intake.known_ids.setdefault(bench.chat, []).insert(0, receipt.message_ids[0])
    assert [m.text for m in bench.emulator.transcript(bench.chat)] == [f"ok {n // 4}" for n in range(32)]


async def _deliver(adapter: DiscordAdapter, message: Outbound) -> Receipt:
    while True:
        started = datetime.now(UTC)
        try:
            return await adapter.send(message)
        except RetryLater as error:
            await asyncio.sleep(error.after_s or 0.01)
        except OutcomeUnknown:
            while True:
                try:
                    found = await adapter.reconcile(message, started)
                    break
                except RetryLater as error:
                    await asyncio.sleep(error.after_s or 0.01)
            if found is not None:
                return found
