"""Commands in a chat that is in no route, such as a private one with the bot: they count there, the answer comes there, and nobody
else sees either."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.emulator.gateway import DIRECT_MESSAGES
from bridge.journal.contract import DecisionKind
from bridge.model.refs import AccountName
from tests.flows.world import PLATFORMS, World
from tests.support.patience import eventually, eventually_asked

NUMBER = 210000000000000001
COMMAND = "!bridge optout"


async def say_in_private(world: World, platform: str, chat_id: str) -> None:
    """As each platform tells bots of such a message: Slack by `channel_type: im`, Discord without a server."""
    emulator: Any = world.emulators[platform]
    clara = emulator.add_person("Clara")
    match platform:
        case "discord":
            author = {"id": clara, "username": "clara", "global_name": "Clara", "avatar": None}
            told = {"id": str(NUMBER), "channel_id": chat_id, "type": 0, "content": COMMAND, "author": author, "attachments": []}
            told |= {"timestamp": "2026-11-26T05:07:23.000000+00:00", "edited_timestamp": None, "mentions": [], "embeds": []}
            emulator.gateway.dispatch("MESSAGE_CREATE", told, intent=DIRECT_MESSAGES)
        case "slack":
            ts = "1795669643.000100"
            told = {"type": "message", "channel": chat_id, "channel_type": "im", "user": clara, "text": COMMAND}
            emulator.deliveries.emit(told | {"ts": ts, "event_ts": ts})
        case _:
            await emulator.say(chat_id, "Clara", COMMAND)


def private_chat(world: World, platform: str) -> str:
    """TeamSpirit lists of what kind a chat is; the others tell it in the message."""
    emulator: Any = world.emulators[platform]
    made = emulator.add_private_chat("Clara") if platform == "teamspirit" else emulator.add_chat("private")
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
