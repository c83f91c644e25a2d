"""Commands in a chat that is in no route, such as a private one with the bot: they count there, the answer comes there, and nobody
else sees either."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.journal.contract import DecisionKind
from bridge.model.refs import AccountName
from tests.flows.world import PLATFORMS, World
from tests.support.patience import eventually, eventually_asked

COMMAND = "!bridge optout"


async def say_in_private(world: World, platform: str, chat_id: str, text: str = COMMAND) -> None:
    """As each platform tells bots of such a message: Slack by `channel_type: im`, Discord without a server."""
    emulator: Any = world.emulators[platform]
    if platform != "slack":
        await emulator.say(chat_id, "Clara", text)
        return
    ts = "1795669643.000100"
    told = {"type": "message", "channel": chat_id, "channel_type": "im", "user": emulator.add_person("Clara"), "text": text}
    emulator.deliveries.emit(told | {"ts": ts, "event_ts": ts})


def private_chat(world: World, platform: str) -> str:
    """TeamSpirit lists of what kind a chat is; the others tell it in the message."""
    emulator: Any = world.emulators[platform]
    made = emulator.add_private_chat("Clara") if platform != "slack" else emulator.add_chat("private")
    return str(made.chat_id)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_command_counts_in_private(quiet_world: World, platform: str) -> None:
    world = quiet_world
    world.settings["commands"] = {"listen": [platform]}
    emulator = world.emulators[platform]
    private = private_chat(world, platform)
    app = await world.start_bridge()
    if platform == "teamspirit":
        # what was said before the bridge first looked is not meant for it
        await eventually_asked(lambda: app.journal.cursor(AccountName("teamspirit"), "direct"))
    await say_in_private(world, platform, private)
    await eventually(
        lambda: [
            one for one in emulator.transcript(private) if one.is_bot and "Your messages are not relayed any more" in one.text
        ],
        what=f"the answer: {emulator.transcript(private)}",
    )
    (decision,) = await eventually_asked(app.journal.persons.decisions)
    assert (decision.kind, decision.user.account) == (DecisionKind.OPTED_OUT, platform)
    for name in PLATFORMS:
        assert not [one for one in world.seen(name) if COMMAND in one.text or "relayed" in one.text]


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_an_admin_is_told_of_the_whole_bridge_in_private_and_in_no_group(quiet_world: World, platform: str) -> None:
    world, emulator = quiet_world, quiet_world.emulators[platform]
    clara = emulator.add_person("Clara")
    world.settings["commands"] = {"listen": [platform]}
    world.settings["people"] = [{"name": "Clara", platform: clara, "roles": ["admin"]}]
    private, foreign = private_chat(world, platform), str(emulator.add_chat("foreign").chat_id)
    app = await world.start_bridge()
    if platform == "teamspirit":
        await eventually_asked(lambda: app.journal.cursor(AccountName("teamspirit"), "direct"))
    await emulator.say(foreign, "Clara", "!bridge status")
    await emulator.say(foreign, "Clara", "!bridge help")
    await world.say(platform, "!bridge status", person="Clara")
    await say_in_private(world, platform, private, "!bridge status")
    said = await eventually(lambda: [one.text for one in emulator.transcript(private) if one.is_bot], what="the answer")
    assert said[0].splitlines()[-1].startswith("all accounts: "), "on Slack below the sign of a reply"
    await eventually(lambda: world.copies(platform, "role moderator") or whispered_refusal(world, platform), what="the refusal")
    assert not [one for one in emulator.transcript(foreign) if one.is_bot]


def whispered_refusal(world: World, platform: str) -> bool:
    workspace: Any = world.emulators["slack"]
    return platform == "slack" and any("role moderator" in message.text for _, message in workspace.workspace.whispers)
