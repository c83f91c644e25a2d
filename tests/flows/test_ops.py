"""What needs a human is told in the ops chat: what, and what to do; once, also through restarts; and never about that chat in
it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.common.emulation.contract import EmulatedChat, Fault, FaultKind
from bridge import app as app_module
from bridge.accounts.chat_probes import Lookout
from bridge.accounts.disk import Room
from bridge.accounts.state import AccountState
from bridge.journal import check
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.ops import teller, troubles
from tests.flows.world import World
from tests.support.patience import eventually, stays


@pytest.fixture
def ops(quiet_world: World, monkeypatch: pytest.MonkeyPatch) -> EmulatedChat:
    """A chat on Discord, in no route. What changes again is told again at once."""
    monkeypatch.setattr(teller, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(troubles, "SETTLED_S", 0.5)
    monkeypatch.setattr(app_module, "Lookout", lambda *arguments: Lookout(*arguments, first_s=0.01, soon_s=0.05))
    chat = quiet_world.emulators["discord"].add_chat("ops")
    quiet_world.settings["ops"] = {"chat": f"discord/{chat.address}", "quiet_min": 0}
    return chat


def told(world: World, chat: EmulatedChat, *needles: str) -> list[str]:
    """The lines in the ops chat that contain all of these."""
    lines = [line for one in world.emulators["discord"].transcript(chat.chat_id) for line in one.text.splitlines()]
    return [line for line in lines if all(needle in line for needle in needles)]


async def test_a_parked_account_is_told_with_the_action_once_and_its_recovery(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    app = await world.start_bridge()
    slack = world.emulators["slack"]
    slack.inject(Fault(kind=FaultKind.UNAUTHORIZED))
    await world.say("telegram", "tried")
    await world.until_state("slack", AccountState.PARKED)
    action = app.account_states()["slack"].action
    (line,) = await eventually(lambda: told(world, ops, "⚠️ account slack: "))
    assert action in line
    await world.stop_bridge()
    await world.start_bridge(wait_up=False)
    await world.until_state("slack", AccountState.PARKED)
    slack.clear_faults()
    await eventually(lambda: told(world, ops, "✅ account slack is well again"))
    assert len(told(world, ops, "⚠️ account slack: ")) == 1, "not again after a restart"
    for name in ("telegram", "slack", "teamspirit"):
        assert not [text for text in world.texts(name) if "account slack" in text], "it is relayed to nobody"
    assert check(world.folder / "bridge.journal").problems == ()


async def test_a_lost_chat_and_a_dead_letter_are_told(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    slack: Any = world.emulators["slack"]
    app = await world.start_bridge()
    slack.api.refusals = {"chat.postMessage": "invalid_blocks"}
    await world.say("telegram", "is refused")
    (line,) = await eventually(lambda: told(world, ops, "given up into slack/", "messenger-bridge dead list"))
    (letter,) = await app.journal.dead_letters()
    assert f"dead letter {letter.delivery_id}" in line
    assert "is refused" not in line, "nobody's words"
    slack.api.refusals = {}
    telegram: Any = world.emulators["telegram"]
    telegram.remove_bot(world.chats["telegram"].chat_id)
    await eventually(lambda: told(world, ops, "⚠️ chat telegram/"))
    telegram.bring_bot_back(world.chats["telegram"].chat_id)
    await eventually(lambda: told(world, ops, "✅ chat telegram/"))


async def test_a_gap_and_a_full_disk_are_told(quiet_world: World, ops: EmulatedChat, monkeypatch: pytest.MonkeyPatch) -> None:
    world = quiet_world
    app = await world.start_bridge()
    chat = ChatRef(AccountName("slack"), world.chats["slack"].chat_id)
    until = datetime(2026, 1, 2, tzinfo=UTC)
    supervisor = app._supervisors[AccountName("slack")]
    await supervisor._intake.gap(chat.chat_id, since=until - timedelta(days=1), until=until, reason="too long ago")
    (line,) = await eventually(lambda: told(world, ops, "gap in slack/"))
    assert "2026-01-01 00:00 and 2026-01-02 00:00 UTC" in line

    async def nearly_full() -> dict[str, Room]:
        return {"journal": Room(free_bytes=20_000_000, total_bytes=10**9)}

    monkeypatch.setattr(app.reports, "room", nearly_full)
    await eventually(lambda: told(world, ops, "the disk of the journal", "20 MB left", "free space there"))


async def test_what_is_wrong_with_the_ops_chat_itself_is_not_told_there(quiet_world: World, ops: EmulatedChat) -> None:
    """Its own refusals would make more of them without end."""
    world = quiet_world
    discord: Any = world.emulators["discord"]
    app = await world.start_bridge()
    discord.remove_bot(ops.chat_id)
    slack = world.emulators["slack"]
    slack.inject(Fault(kind=FaultKind.UNAUTHORIZED))
    await world.say("telegram", "tried")
    await world.until_state("slack", AccountState.PARKED)

    async def waiting() -> int:
        return sum(lane.waiting for lane in (await app.journal.figures()).lanes if lane.target.address == ops.address)

    lost = ChatAddress(AccountName("discord"), ops.address)
    await eventually(lambda: app.reports.health().trouble_of(lost) is not None, "the lost chat is known")
    assert await waiting() <= 1
    discord.bring_bot_back(ops.chat_id)
    await eventually(lambda: told(world, ops, "⚠️ account slack: "))
    await stays(lambda: not told(world, ops, f"chat discord/{ops.address}"), "nothing about itself")


async def test_without_ops_nothing_is_said(quiet_world: World) -> None:
    world = quiet_world
    await world.start_bridge()
    world.emulators["slack"].inject(Fault(kind=FaultKind.UNAUTHORIZED))
    await world.say("telegram", "tried")
    await world.until_state("slack", AccountState.PARKED)
    await stays(lambda: all("account slack" not in text for name in ("telegram", "discord") for text in world.texts(name)))
