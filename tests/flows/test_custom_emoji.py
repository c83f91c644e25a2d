"""Messages that are nothing but custom emoji: their names, or their pictures where a route wants those."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.common.emulation.contract import SeenMessage
from adapters.slack.emulator.records import Message
from adapters.telegram.emulator import TelegramEmulator
from tests.flows.world import World
from tests.support.patience import eventually


async def pictures(world: World, platform: str, count: int) -> list[SeenMessage]:
    """The bridge's messages that have so many files in all."""

    def found() -> list[SeenMessage]:
        seen = [one for one in world.seen(platform) if one.is_bot and not one.deleted and one.files]
        return seen if sum(len(one.files) for one in seen) == count else []

    return await eventually(found, f"{count} pictures on {platform}: {world.texts(platform)}")


@pytest.fixture
async def with_pictures(quiet_world: World) -> World:
    world = quiet_world
    world.route_options["custom_emoji"] = "picture"
    slack: Any = world.emulators["slack"]
    slack.workspace.custom_emoji |= {"partyparrot": f"{slack.base_url}/emoji/parrot.png", "partybird": "alias:partyparrot"}
    await world.start_bridge()
    return world


async def test_discords_are_pictures_and_follow_their_message(with_pictures: World) -> None:
    world = with_pictures
    discord: Any = world.emulators["discord"]
    channel = world.chats["discord"].chat_id
    said = await discord.say(channel, "Anna", "<:parrot:123456789012345678> <:wave:123456789012345679>")
    for platform in ("telegram", "slack", "teamspirit"):
        shown = await pictures(world, platform, 2)
        assert not any(":parrot:" in one.text for one in shown)
    await discord.say(channel, "Anna", "look <:parrot:123456789012345678>")
    await world.copy("slack", "look :parrot:")
    await discord.delete(channel, said)
    for platform in ("telegram", "slack", "teamspirit"):
        await eventually(
            lambda p=platform: not any(one.files and not one.deleted for one in world.seen(p)), f"they are gone from {platform}"
        )


async def test_slacks_are_pictures_also_by_another_name(with_pictures: World) -> None:
    world = with_pictures
    slack: Any = world.emulators["slack"]
    block = {"type": "rich_text_section", "elements": [{"type": "emoji", "name": name} for name in ("partyparrot", "partybird")]}
    channel = slack.workspace.channels[world.chats["slack"].chat_id]
    anna = slack.people.person("Anna")
    channel.members.add(anna)
    blocks = [{"type": "rich_text", "elements": [block]}]
    slack.workspace.post(Message(channel.channel_id, slack.workspace.clock.next(), anna, ":partyparrot::partybird:", blocks=blocks))
    for platform in ("telegram", "discord", "teamspirit"):
        await pictures(world, platform, 2)


async def test_telegrams_are_pictures(with_pictures: World) -> None:
    world = with_pictures
    telegram = world.emulators["telegram"]
    assert isinstance(telegram, TelegramEmulator)
    telegram.world.add_custom_emoji("5300000000000000001", "🦜", b"webp")
    entity = {"type": "custom_emoji", "offset": 0, "length": 2, "custom_emoji_id": "5300000000000000001"}
    content = {"text": "🦜", "entities": [entity]}
    await telegram.post(world.chats["telegram"].chat_id, "Anna", content)
    for platform in ("slack", "discord", "teamspirit"):
        await pictures(world, platform, 1)
    unknown = {"text": "🦜", "entities": [{**entity, "custom_emoji_id": "5300000000000000002"}]}
    await telegram.post(world.chats["telegram"].chat_id, "Anna", unknown)
    await world.copy("slack", "🦜")


async def test_a_picture_becomes_words_and_words_stay_words(with_pictures: World) -> None:
    world = with_pictures
    discord: Any = world.emulators["discord"]
    channel = world.chats["discord"].chat_id
    said = await discord.say(channel, "Anna", "<:parrot:123456789012345678>")
    for platform in ("telegram", "slack", "teamspirit"):
        await pictures(world, platform, 1)
    await discord.edit(channel, said, "only words")
    words = await discord.say(channel, "Anna", "first words")
    for platform in ("telegram", "slack", "teamspirit"):
        await eventually(lambda p=platform: any("only words" in one.text for one in world.seen(p)), f"the words on {platform}")
        await world.copy(platform, "first words")
    await discord.edit(channel, words, "<:parrot:123456789012345678>")
    for platform in ("telegram", "slack", "teamspirit"):
        await eventually(lambda p=platform: world.copies(p, ":parrot:"), f"its name on {platform}")


async def test_by_default_they_are_their_names(world: World) -> None:
    discord: Any = world.emulators["discord"]
    await discord.say(world.chats["discord"].chat_id, "Anna", "<:parrot:123456789012345678>")
    for platform in ("telegram", "slack", "teamspirit"):
        copy = await world.copy(platform, ":parrot:")
        assert not copy.files
