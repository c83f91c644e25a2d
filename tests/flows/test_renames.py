"""The new name of a chat: given to the other chats where a route wants it and the bot may, and told by a line elsewhere."""

from __future__ import annotations

from typing import Any

from adapters.discord.emulator.records import Permission
from tests.flows.world import World
from tests.support.patience import eventually


async def test_chats_get_the_name_and_nothing_goes_round(quiet_world: World) -> None:
    world = quiet_world
    world.route_options["renames"] = "chat"
    telegram, slack, discord = (any_of(world, name) for name in ("telegram", "slack", "discord"))
    slack.workspace.scopes.add("channels:manage")
    discord.bot.permissions |= Permission.MANAGE_CHANNELS
    await world.start_bridge()
    group = telegram.world.chats[int(world.chats["telegram"].chat_id)]
    room = slack.workspace.channels[world.chats["slack"].chat_id]
    channel = discord.world.channels[int(world.chats["discord"].chat_id)]
    telegram.world.rename(group, telegram.world.new_person("Boss"), "War Room")
    await eventually(lambda: (room.name, channel.name) == ("war-room", "war-room"))
    await world.copy("teamspirit", "renamed the chat to “War Room”")
    slack.rename_chat(room.channel_id, "salon")
    await eventually(lambda: (group.title, channel.name) == ("salon", "salon"))
    await world.copy("teamspirit", "renamed the chat to “salon”")
    assert room.name == "salon"
    for platform in ("telegram", "slack", "discord"):
        assert world.copies(platform, "renamed the chat") == []


async def test_where_the_bot_may_not_a_line_tells_it(quiet_world: World) -> None:
    world = quiet_world
    world.route_options["renames"] = "chat"
    await world.start_bridge()
    telegram = any_of(world, "telegram")
    group = telegram.world.chats[int(world.chats["telegram"].chat_id)]
    telegram.world.rename(group, telegram.world.new_person("Boss"), "War Room")
    for platform in ("slack", "discord", "teamspirit"):
        await world.copy(platform, "Boss renamed the chat to “War Room”")
    assert any_of(world, "slack").workspace.channels[world.chats["slack"].chat_id].name == "lobby"


def any_of(world: World, platform: str) -> Any:
    """The emulator with what only this platform has."""
    return world.emulators[platform]
