"""Reactions that a messenger cannot show as such: a line below the message has them, on every platform."""

from __future__ import annotations

from typing import Any

from adapters.common.emulation.contract import SeenMessage
from tests.flows.world import World
from tests.support.patience import eventually


def line_below(world: World, platform: str, copy: SeenMessage) -> list[str]:
    """What other messages of the bridge say that belong to the copy."""
    seen = [one for one in world.seen(platform) if one.is_bot and not one.deleted and one.message_id != copy.message_id]
    return [one.text for one in seen if copy.message_id in (one.reply_to, one.thread_id) or copy.message_id in one.html]


def shown(world: World, platform: str, copy: SeenMessage) -> set[str]:
    return {one.emoji for found in world.seen(platform) if found.message_id == copy.message_id for one in found.reactions}


async def test_telegram_shows_one_by_likeness_and_has_a_line_for_all(world: World) -> None:
    slack, lobby = world.emulators["slack"], world.chats["slack"].chat_id
    said = await world.say("slack", "lunch?")
    copy = await world.copy("telegram", "lunch?")
    await slack.react(lobby, said, "Boris", "💙")
    await eventually(lambda: shown(world, "telegram", copy) == {"❤"}, "the likest reaction")
    assert line_below(world, "telegram", copy) == []
    await slack.react(lobby, said, "Anna", "🧀")
    await eventually(lambda: line_below(world, "telegram", copy) == ["🧀 · 💙"], "the line")
    assert shown(world, "telegram", copy) == {"❤"}
    await slack.react(lobby, said, "Anna", "🧀", remove=True)
    await eventually(lambda: line_below(world, "telegram", copy) == ["💙"], "the line without it")
    await slack.react(lobby, said, "Boris", "💙", remove=True)
    await eventually(lambda: not line_below(world, "telegram", copy) and not shown(world, "telegram", copy), "nothing left")


async def test_all_platforms_keep_a_line_if_they_are_told_to(quiet_world: World) -> None:
    world = quiet_world
    world.route_options["reactions"] = "tally"
    await world.start_bridge()
    telegram, group = world.emulators["telegram"], world.chats["telegram"].chat_id
    said = await world.say("telegram", "lunch?")
    copies = {platform: await world.copy(platform, "lunch?") for platform in ("slack", "discord")}
    await telegram.react(group, said, "Boris", "👍")
    for platform, copy in copies.items():
        await eventually(lambda platform=platform, copy=copy: line_below(world, platform, copy), f"the line on {platform}")
        (line,) = line_below(world, platform, copy)
        assert "👍" in line or "+1" in line
        assert shown(world, platform, copy) == set()


async def test_discord_has_a_line_for_custom_emoji_that_its_server_lacks(world: World) -> None:
    slack: Any = world.emulators["slack"]
    slack.workspace.custom_emoji["partyparrot"] = "https://emoji.example.com/parrot.gif"
    lobby = world.chats["slack"].chat_id
    said = await world.say("slack", "lunch?")
    copy = await world.copy("discord", "lunch?")
    await slack.react(lobby, said, "Boris", ":partyparrot:")
    await slack.react(lobby, said, "Boris", "👍")
    await eventually(lambda: any(":partyparrot:" in one and "👍" in one for one in line_below(world, "discord", copy)), "the line")
    await eventually(lambda: shown(world, "discord", copy) == {"👍"}, "the reaction that it has")
