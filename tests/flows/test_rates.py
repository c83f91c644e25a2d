"""The platforms' limits, kept: real client libraries against emulators whose budgets are switched on.

Time runs six times as fast: a minute of the platform is ten seconds here, for its budgets and the bridge's alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from adapters.common.emulation.contract import SeenMessage
from adapters.slack import capabilities as slack_capabilities
from adapters.slack.emulator.rules import RateBudgets
from adapters.telegram import capabilities as telegram_capabilities
from adapters.telegram.emulator.errors import ApiError
from adapters.telegram.emulator.rates import Rates as EmulatedRates
from bridge.model.capabilities import Rates, Window
from tests.flows.world import World
from tests.support.patience import eventually

SPEED = 6.0


class Counted(EmulatedRates):
    """Telegram's budgets for groups; notes what was sent and what was refused."""

    def __init__(self, speed: float) -> None:
        super().__init__(group_per_minute=20, chat_per_s=1.0, chat_burst=3, bot_per_s=30, now=lambda: time.monotonic() * speed)
        self.sends = 0
        self.refusals = 0

    def take(self, chat_id: int, messages: int) -> None:
        try:
            super().take(chat_id, messages)
        except ApiError:
            self.refusals += 1
            raise
        self.sends += messages


def faster(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    return tuple(msgspec.structs.replace(window, span_s=window.span_s / SPEED) for window in windows)


@pytest.fixture
async def hurried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A Telegram group and a TeamSpirit chat; the bridge is careful."""
    rates = telegram_capabilities.RATES
    scaled = Rates(per_chat=faster(rates.per_chat), per_account=faster(rates.per_account), counts_files=rates.counts_files)
    monkeypatch.setattr(telegram_capabilities, "RATES", scaled)
    monkeypatch.setattr("bridge.delivery.throttle._LONG_WAIT_S", 1.0 / SPEED)
    world = World(tmp_path, platforms=("telegram", "teamspirit"))
    world.settings["defaults"] = {"pace": "careful"}
    await world.start_platforms()
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


def lines_seen(world: World) -> list[str]:
    """What people read in the Telegram group, without the lines that say whose it is."""
    texts = [message.text for message in world.seen("telegram") if message.is_bot and not message.deleted]
    return [line for text in texts for line in text.split("\n")[1:]]


async def test_two_hundred_messages_a_minute_into_a_group_that_takes_twenty(hurried: World) -> None:
    """Nothing lost, nothing out of order, no refusal, and none is later than fifteen seconds."""
    world = hurried
    counted = Counted(SPEED)
    world.emulators["telegram"].rates = counted  # type: ignore[attr-defined]
    await world.start_bridge()
    said: dict[str, float] = {}
    read: dict[str, float] = {}

    async def watch() -> None:
        async for change in world.emulators["telegram"].changes():
            for line in change.message.text.split("\n")[1:]:
                read.setdefault(line, time.monotonic())

    watching = asyncio.create_task(watch(), name="watch")
    began_s = time.monotonic()
    ids = {}
    for number in range(200):
        await asyncio.sleep(max(0.0, began_s + number * 60 / 200 / SPEED - time.monotonic()))
        text = f"message {number}"
        said[text] = time.monotonic()
        ids[text] = await world.say("teamspirit", text)
    await eventually(lambda: len(read) == 200, what=f"{len(read)} of 200")
    watching.cancel()
    assert lines_seen(world) == list(said)
    assert counted.refusals == 0
    assert counted.sends < 30
    lags_s = sorted((read[text] - said[text]) * SPEED for text in said)
    assert lags_s[-1] < 15, lags_s[-10:]

    await world.emulators["teamspirit"].edit(world.chats["teamspirit"].chat_id, ids["message 150"], "message one hundred and fifty")
    await world.emulators["teamspirit"].delete(world.chats["teamspirit"].chat_id, ids["message 151"])
    await eventually(lambda: "message 151" not in lines_seen(world))
    wanted = ["message one hundred and fifty" if text == "message 150" else text for text in said if text != "message 151"]
    assert lines_seen(world) == wanted


async def test_a_restart_amid_the_limit_causes_no_refusals(hurried: World) -> None:
    world = hurried
    counted = Counted(SPEED)
    world.emulators["telegram"].rates = counted  # type: ignore[attr-defined]
    await world.start_bridge()
    for number in range(12):
        await world.say("teamspirit", f"message {number}", person="Anna" if number % 2 else "Ben")
    await eventually(lambda: len(lines_seen(world)) >= 6)
    await world.stop_bridge()
    await world.start_bridge()
    await eventually(lambda: len(lines_seen(world)) == 12, what=str(lines_seen(world)))
    assert lines_seen(world) == [f"message {number}" for number in range(12)]
    assert counted.refusals == 0


async def test_in_a_hurry_refusals_are_waited_out(hurried: World) -> None:
    """`pace: fast`: the first refusal is the platform's, what waits for it goes out together; nothing is lost."""
    world = hurried
    world.settings["defaults"] = {"pace": "fast"}
    counted = Counted(SPEED)
    world.emulators["telegram"].rates = counted  # type: ignore[attr-defined]
    await world.start_bridge()
    said = [f"message {number}" for number in range(40)]
    for text in said:
        await world.say("teamspirit", text)
    await eventually(lambda: len(lines_seen(world)) == 40, what=str(lines_seen(world)))
    assert lines_seen(world) == said
    assert 0 < counted.refusals < 5
    sent_at = [message.sent_at for message in world.seen("telegram") if message.is_bot]
    assert all(earlier <= later for earlier, later in pairwise(at for at in sent_at if at))


TIER_SPEED = 40.0


class Tiers(RateBudgets):
    """Slack's tiers; notes which methods were refused."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: time.monotonic() * TIER_SPEED)
        self.enabled = True
        self.refused: list[str] = []

    def retry_after_s(self, method: str, channel: str) -> int:
        after_s = super().retry_after_s(method, channel)
        self.refused += [method] * bool(after_s)
        return after_s


def hurried_tiers(rates: Rates) -> Rates:
    def faster(windows: tuple[Window, ...]) -> tuple[Window, ...]:
        return tuple(msgspec.structs.replace(window, span_s=window.span_s / TIER_SPEED) for window in windows)

    return Rates(
        per_chat=faster(rates.per_chat),
        per_account=faster(rates.per_account),
        changes={operation: hurried_tiers(own) for operation, own in rates.changes.items()},
    )


async def test_slack_is_never_asked_for_more_changes_than_its_tiers_allow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred edits, sixty reactions, forty fewer, and sixty deletes at once: no refusal, and nothing is forgotten."""
    monkeypatch.setattr(slack_capabilities, "RATES", hurried_tiers(slack_capabilities.RATES))
    world = World(tmp_path, platforms=("slack", "discord"))
    world.settings["defaults"] = {"pace": "careful", "merge": False}
    await world.start_platforms()
    tiers = world.emulators["slack"].api.budgets = Tiers()  # type: ignore[attr-defined]
    try:
        await world.start_bridge()
        origin, chat = world.emulators["discord"], world.chats["discord"].chat_id
        ids = [await world.say("discord", f"message {number}") for number in range(60)]
        await eventually(lambda: len(copies(world)) == 60)
        for number in range(100):
            await origin.edit(chat, ids[number % 10], f"message {number % 10} v{number // 10}")
        for message_id in ids:
            await origin.react(chat, message_id, "Anna", "👍")
        await eventually(lambda: all(message.reactions for message in copies(world)))
        for message_id in ids[:40]:
            await origin.react(chat, message_id, "Anna", "👍", remove=True)
        await eventually(lambda: sum(bool(message.reactions) for message in copies(world)) == 20)
        for message_id in ids:
            await origin.delete(chat, message_id)
        await eventually(lambda: not copies(world))
        assert tiers.refused == []
    finally:
        await world.stop_bridge()
        await world.stop_platforms()


def copies(world: World) -> list[SeenMessage]:
    return [message for message in world.seen("slack") if message.is_bot and not message.deleted]
