"""Pins that people set and take away."""

from __future__ import annotations

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.discord.adapter import DiscordAdapter
from bridge.model.adapter import Copy
from bridge.model.errors import DeliveryError
from bridge.model.events import MessageEdited, PinsChanged
from tests.adapters.discord.conftest import Bench
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually


def told(intake: RecordingIntake) -> list[tuple[str, bool]]:
    return [(event.message_id, event.pinned) for event in intake.of(PinsChanged) if not event.meta.sent_by_us]


async def heard(bench: Bench, intake: RecordingIntake, words: str) -> None:
    await bench.emulator.say(bench.chat, "Anna", words)
    await eventually(lambda: words in intake.texts(), words)


async def test_a_pin_that_is_taken_away_is_told_also_after_a_restart(bench: Bench) -> None:
    emulator, intake = bench.emulator, bench.intake()
    async with bench.running(bench.adapter(), intake):
        said = await emulator.say(bench.chat, "Anna", "the plan")
        await emulator.pin(bench.chat, said, "Boris")
        await heard(bench, intake, "one")
        await emulator.pin(bench.chat, said, "Boris", remove=True)
        await emulator.pin(bench.chat, said, "Boris")
        await heard(bench, intake, "two")
    assert told(intake) == [(said, True), (said, False), (said, True)]
    async with bench.running(bench.adapter(), intake):
        await emulator.edit(bench.chat, said, "the plan of today")
        await emulator.pin(bench.chat, said, "Boris", remove=True)
        await emulator.edit(bench.chat, said, "the plan of tomorrow")
        await heard(bench, intake, "three")
    assert told(intake)[3:] == [(said, False)]
    assert len(intake.of(MessageEdited)) == 2


async def test_what_was_never_pinned_is_not_unpinned_by_an_edit(bench: Bench, adapter: DiscordAdapter) -> None:
    emulator, intake = bench.emulator, bench.intake()
    async with bench.running(adapter, intake):
        said = await emulator.say(bench.chat, "Anna", "the plan")
        await emulator.edit(bench.chat, said, "the plan of today")
        await heard(bench, intake, "one")
    assert not told(intake)


async def test_the_bots_own_unpinning_is_not_told_and_that_of_its_pin_is(bench: Bench, adapter: DiscordAdapter) -> None:
    emulator, intake = bench.emulator, bench.intake()
    async with bench.running(adapter, intake):
        said = await emulator.say(bench.chat, "Anna", "the plan")
        copy = Copy(chat_id=bench.chat, message_ids=(said,))
        await adapter.pin(copy, True)
        await heard(bench, intake, "one")
        await adapter.pin(copy, False)
        await adapter.pin(copy, True)
        await heard(bench, intake, "two")
        assert not told(intake)
        emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="DELETE *"))
        with pytest.raises(DeliveryError):
            await adapter.pin(copy, False)
        emulator.clear_faults()
        await emulator.pin(bench.chat, said, "Boris", remove=True)
        await heard(bench, intake, "three")
    assert told(intake) == [(said, False)]


async def test_a_pin_read_back_does_not_undo_what_was_seen_since(bench: Bench) -> None:
    """After a stop the last two minutes are read again: a pin in them may have been taken away before the stop."""
    emulator, intake = bench.emulator, bench.intake()
    async with bench.running(bench.adapter(), intake):
        said = await emulator.say(bench.chat, "Anna", "the plan")
        await emulator.pin(bench.chat, said, "Boris")
        await emulator.pin(bench.chat, said, "Boris", remove=True)
        await heard(bench, intake, "one")
    emulator.gateway.invalidate_sessions()
    async with bench.running(bench.adapter(), intake):
        await heard(bench, intake, "two")
        await emulator.edit(bench.chat, said, "the plan of today")
        await heard(bench, intake, "three")
    assert told(intake) == [(said, True), (said, False)]


async def test_a_pin_of_a_stop_is_known_when_it_is_taken_away(bench: Bench) -> None:
    emulator, intake = bench.emulator, bench.intake()
    async with bench.running(bench.adapter(), intake):
        said = await emulator.say(bench.chat, "Anna", "the plan")
        await heard(bench, intake, "one")
    await emulator.pin(bench.chat, said, "Boris")
    emulator.gateway.invalidate_sessions()
    async with bench.running(bench.adapter(), intake):
        await heard(bench, intake, "two")
        await emulator.pin(bench.chat, said, "Boris", remove=True)
        await heard(bench, intake, "three")
    assert told(intake) == [(said, True), (said, False)]
