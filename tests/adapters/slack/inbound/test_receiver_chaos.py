"""Everything goes wrong at once, repeatably: what people said arrives once, in order and up to date; what we send is there once."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault
from adapters.slack.emulator import SlackEmulator
from bridge.model.adapter import Outbound, Receipt, Sender
from bridge.model.errors import ConnectionLost, OutcomeUnknown, RetryLater
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.rich_text import plain, text_of
from tests.support.patience import eventually

_KINDS = [kind for kind in FaultKind if kind is not FaultKind.UNAUTHORIZED]
_OPERATIONS = ["auth.test", "apps.connections.open", "socket", "conversations.*", "users.*", "chat.postMessage"]
_MESSAGES = 80


async def supervise(adapter: Any, intake: Any) -> None:
    while True:
        try:
            await adapter.run(intake)
        except ConnectionLost:
            await asyncio.sleep(0.05)


async def disturb(emulator: SlackEmulator, chance: random.Random) -> None:
    draw = chance.random()
    if draw < 0.2:
        fault = Fault(
            kind=chance.choice(_KINDS),
            operation=chance.choice(_OPERATIONS),
            times=chance.randint(1, 2),
            delay_s=0.2,
            retry_after_s=chance.choice([None, 0.1]),
        )
        emulator.inject(fault)
    elif draw < 0.4:
        await emulator.disturb(chance.choice(list(StreamFault)))
    elif draw < 0.43:
        await emulator.refuse_connections(True)
        await asyncio.sleep(0.1)
        await emulator.refuse_connections(False)


async def deliver(adapter: Any, outbound: Outbound) -> Receipt:
    """What the core does with one message: try, and look before trying again."""
    unknown_since: datetime | None = None
    while True:
        began = datetime.now(UTC)
        try:
            found = await adapter.reconcile(outbound, unknown_since) if unknown_since else None
            if found is not None:
                receipt: Receipt = found
                return receipt
            unknown_since = None
            sent: Receipt = await adapter.send(outbound)
            return sent
        except RetryLater as error:
            await asyncio.sleep(error.after_s or 0.05)
        except OutcomeUnknown:
            unknown_since = began


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_lost_nothing_doubled(account: Any, emulator: SlackEmulator, seed: int) -> None:
    chance = random.Random(seed)
    emulator.deliveries.ack_deadline_s = 0.3
    emulator.deliveries.retry_delays_s = (0.0, 0.5, 1.0)
    emulator.deliveries.new_event_id_on_retry = bool(seed % 2)
    emulator.workspace.persona_as_bot_message = seed < 2
    emulator.sockets.refresh_lead_s = 0.1
    chat = account.chat()
    adapter = await account.start(request_timeout_s=2.0)
    await account.stop()
    running = asyncio.create_task(supervise(adapter, account.intake), name="supervised")
    said: dict[str, str] = {}
    copies: list[Receipt] = []
    for number in range(_MESSAGES):
        ts = await emulator.say(chat, chance.choice(["Anna", "Boris"]), f"said {number}")
        said[ts] = f"said {number}"
        if chance.random() < 0.15:
            edited = chance.choice(list(said)[-5:])
            said[edited] = said[edited].partition(",")[0] + f", edited {number}"
            await emulator.edit(chat, edited, said[edited])
        await disturb(emulator, chance)
        if number % 8 == 0:
            outbound = Outbound(
                token=f"tok-{number}", attempt=1, chat_id=chat, text=plain(f"copy {number}"), sender=Sender(name="Tom")
            )
            copies.append(await deliver(adapter, outbound))
        await asyncio.sleep(chance.random() * 0.02)
    emulator.clear_faults()

    def heard() -> dict[str, str]:
        latest: dict[str, str] = {}
        for event in account.intake.events:
            if isinstance(event, MessageCreated | MessageEdited) and not event.meta.sent_by_us:
                latest[event.message_id] = text_of(event.content.text)
        return latest

    await eventually(lambda: heard() == said)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    arrived = [event.message_id for event in account.intake.of(MessageCreated)]
    assert arrived == sorted(said)
    shown = [message for message in emulator.transcript(chat) if message.is_bot]
    assert [message.text for message in shown] == [f"copy {number}" for number in range(0, _MESSAGES, 8)]
    assert [receipt.message_ids for receipt in copies] == [(message.message_id,) for message in shown]
    poisoned = [raw for raw, _ in account.intake.undecoded]
    assert all(b'"not"' in raw for raw in poisoned)
