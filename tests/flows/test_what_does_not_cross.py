"""Ways in which a message does not cross. For each, `trace`, `status`, the dashboard and the ops chat name the cause and what to
do; nobody needs the log."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from adapters.common.emulation.contract import EmulatedChat, Fault, FaultKind, Upload
from bridge import app as app_module
from bridge.accounts import chat_probes
from bridge.accounts.chat_probes import Lookout
from bridge.accounts.disk import Room
from bridge.accounts.state import AccountState
from bridge.ops import teller, troubles
from bridge.web import status
from tests.flows.explained import explained
from tests.flows.test_outcomes_in_chats import AheadClock
from tests.flows.world import World
from tests.support.patience import eventually, eventually_asked


@pytest.fixture
def ops(quiet_world: World, monkeypatch: pytest.MonkeyPatch) -> EmulatedChat:
    """A chat on Discord, in no route. What is due every few seconds is done at once."""
    monkeypatch.setattr(teller, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(troubles, "SETTLED_S", 0.5)
    monkeypatch.setattr(status, "_FRESH_S", 0.0)
    monkeypatch.setattr(app_module, "Lookout", lambda *arguments: Lookout(*arguments, first_s=0.01, soon_s=0.05))
    chat = quiet_world.emulators["discord"].add_chat("ops")
    quiet_world.settings["ops"] = {"chat": f"discord/{chat.address}", "quiet_min": 0, "skipped": True}
    return chat


def message(world: World, platform: str, message_id: str) -> str:
    """As the log writes it, and `trace` takes it."""
    return f"{platform}/{world.chats[platform].chat_id}#{message_id}"


def test_it_is_told_within_half_a_minute_of_the_daemons_time() -> None:
    """The longest way: a chat that is looked at for the first time after the start. All others are known as they happen."""
    before_it_is_known_s = chat_probes._FIRST_S + chat_probes._BETWEEN_S
    assert before_it_is_known_s + teller.LOOK_EVERY_S <= 30
    assert before_it_is_known_s + status._FRESH_S <= 30


async def test_a_filter_drops_it(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    world.route_options["filter"] = [{"drop": {"text": "^DEBUG"}}]
    async with explained(world, ops) as admin:
        said = await world.say("telegram", "DEBUG noise of Anna")
        await admin.told(
            message(world, "telegram", said), cause="filter 1: drop text ^DEBUG (line ", action="change that line in bridge.yaml"
        )
        assert not any("noise" in line for line in [*await admin.ops(), *await admin.status()]), "nobody's words"


async def test_its_author_is_muted(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    mallory = world.emulators["telegram"].add_person("Mallory")
    world.settings["people"] = [{"name": "Mallory", "telegram": mallory, "relay": False}]
    anna = world.emulators["slack"].add_person("Anna")
    world.settings["people"].append({"name": "Anna Petrova", "slack": anna, "roles": ["moderator"]})
    world.settings["commands"] = {"listen": ["slack"]}
    async with explained(world, ops) as admin:
        said = await world.say("telegram", "never relayed", person="Mallory")
        await admin.told(
            message(world, "telegram", said), cause="relay is off for its author", action="take relay: false from that person"
        )
        boris = world.emulators["telegram"].add_person("Boris")
        await world.say("slack", f"!bridge mute telegram/{boris}")
        await eventually(lambda: [one for one in world.seen("slack") if one.is_bot])
        said = await world.say("telegram", "not any more", person="Boris")
        await admin.told(message(world, "telegram", said), cause="its author is muted", action="messenger-bridge unmute PERSON")


async def test_its_author_opted_out(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    world.settings["commands"] = {"listen": ["telegram"]}
    async with explained(world, ops) as admin:
        await world.say("telegram", "!bridge optout", person="Clara")
        await eventually(lambda: [one for one in world.seen("telegram") if one.is_bot])
        said = await world.say("telegram", "kept to ourselves", person="Clara")
        await admin.told(message(world, "telegram", said), cause="its author opted out", action="!bridge optin")


async def test_its_file_is_too_large(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    world.account_options["slack"] = {"max_file_mb": 0.1}
    async with explained(world, ops) as admin:
        film = Upload(name="film.bin", mime="application/octet-stream", content=b"\x00\xff" * 100_000)
        said = await world.say("telegram", "a film", files=[film])
        await world.copy("slack", "a film")
        await admin.told(
            message(world, "telegram", said), cause="document shown as a line: ", action="max_file_mb", trace_action="as "
        )


async def test_the_bot_was_removed_from_the_chat(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    async with explained(world, ops) as admin:
        telegram.remove_bot(world.chats["telegram"].chat_id)
        said = await world.say("slack", "into a chat without the bot")
        await admin.told(message(world, "slack", said), cause="bot", action="add the bot")


async def test_the_token_was_revoked(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    async with explained(world, ops) as admin:
        world.emulators["slack"].inject(Fault(kind=FaultKind.UNAUTHORIZED))
        said = await world.say("telegram", "with a token of yesterday")
        await world.until_state("slack", AccountState.PARKED)
        assert world.app is not None
        health = world.app.account_states()["slack"]
        assert health.action
        await admin.told(message(world, "telegram", said), cause=health.reason, action=health.action)


async def test_the_channel_was_archived(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    slack: Any = world.emulators["slack"]
    async with explained(world, ops) as admin:
        slack.archive_chat(world.chats["slack"].chat_id)
        said = await world.say("telegram", "into an archive")
        await admin.told(message(world, "telegram", said), cause="archived", action="unarchive the channel")


async def test_the_target_refuses_it_for_good(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    slack: Any = world.emulators["slack"]
    async with explained(world, ops) as admin:
        slack.api.refusals = {"chat.postMessage": "invalid_arguments"}
        said = await world.say("telegram", "is refused")
        assert world.app is not None
        (letter,) = await eventually_asked(world.app.journal.dead_letters)
        await admin.told(
            message(world, "telegram", said),
            cause="",
            action="messenger-bridge dead list",
            trace_action=f"`dead retry {letter.delivery_id}` tries again",
        )
        assert any(letter.reason in line for line in await admin.ops())
        assert any(letter.reason in line for line in await admin.trace(message(world, "telegram", said)))


async def test_it_is_too_old(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    world.app_parts["clock"] = AheadClock(timedelta(hours=3))
    world.route_options |= {"max_age_min": 60, "on_late": "drop"}
    async with explained(world, ops) as admin:
        said = await world.say("telegram", "from this morning")
        await admin.told(
            message(world, "telegram", said),
            cause="",
            action="messenger-bridge dead list",
            trace_action="too old: it was written 3 h",
        )
        assert any("too old: it was written 3 h" in line for line in await admin.ops())


async def test_privacy_mode_keeps_it_from_the_bot(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    telegram.bot().sees_everything = False
    async with explained(world, ops) as admin:
        telegram.promote(world.chats["telegram"].chat_id, admin=False)
        said = await world.say("telegram", "is heard by nobody")
        await admin.told(message(world, "telegram", said), cause="privacy mode is on", action="/setprivacy")


async def test_another_program_reads_the_bots_messages(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    telegram = world.emulators["telegram"]
    token = telegram.account_options()["token"]
    async with explained(world, ops) as admin, aiohttp.ClientSession() as session:

        async def other_program() -> None:
            while True:
                async with session.get(f"{telegram.base_url}/bot{token}/getUpdates", params={"timeout": 1}) as answer:
                    await answer.read()

        polling = asyncio.create_task(other_program(), name="another program")
        missed = message(world, "telegram", "4711")
        try:
            await admin.told(missed, cause="another program polls with this bot's token", action="stop the other program")
        finally:
            polling.cancel()
            await asyncio.wait({polling})


async def test_the_platform_asks_to_wait_for_hours(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    async with explained(world, ops) as admin:
        world.emulators["slack"].inject(Fault(kind=FaultKind.RATE_LIMIT, operation="chat.postMessage", retry_after_s=7200.0))
        said = await world.say("telegram", "too many words")
        where = message(world, "telegram", said)
        await admin.told(where, cause="", action=f"retry-now slack/{world.chats['slack'].address}")
        assert any("Slack's rate limit" in line for line in [*await admin.trace(where), *await admin.status()])


async def test_the_disk_is_full(quiet_world: World, ops: EmulatedChat, monkeypatch: pytest.MonkeyPatch) -> None:
    world = quiet_world
    async with explained(world, ops) as admin:
        assert world.app is not None

        async def nearly_full() -> dict[str, Room]:
            return {"journal": Room(free_bytes=20_000_000, total_bytes=10**9)}

        monkeypatch.setattr(world.app.reports, "room", nearly_full)
        await admin.told(message(world, "telegram", "4711"), cause="20 MB left", action="free space there")


async def test_the_ops_chat_is_not_told_of_the_hold_window(quiet_world: World, ops: EmulatedChat) -> None:
    """It is what the admin asked for, and passes."""
    world = quiet_world
    world.account_options["slack"] = {"hold_s": 600}
    async with explained(world, ops) as admin:
        said = await world.say("telegram", "in a while")
        where = message(world, "telegram", said)
        await admin.told(where, cause="held for 600 s there", action="hold_s in bridge.yaml", ops=False)


async def test_only_trace_tells_of_a_chat_that_only_receives(quiet_world: World, ops: EmulatedChat) -> None:
    world = quiet_world
    ends = {name: f"{name}/{chat.address}" for name, chat in world.chats.items()}
    world.settings["routes"] = [{"name": "alerts", "from": ends.pop("slack"), "to": list(ends.values())}]
    async with explained(world, ops) as admin:
        said = await world.say("telegram", "an answer to an alert")
        await world.say("slack", "the next alert")
        await world.copy("telegram", "the next alert")
        (why,) = await admin.trace(message(world, "telegram", said))
        assert "only receives (route alerts)" in why
