"""Chats that change under the bridge: new ids, new names, archived, thrown out of, webhooks revoked. It follows where it can, says
elsewhere what to do, and what waited arrives once that is done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.emulator.records import Permission
from adapters.telegram.emulator import TelegramEmulator
from tests.flows.world import World
from tests.support.patience import eventually_asked


@pytest.fixture
async def two(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The platform that the test names and TeamSpirit."""
    world = World(tmp_path, platforms=(request.param, "teamspirit"))
    await world.start_platforms()
    emulator = world.emulators[request.param]
    if isinstance(emulator, TelegramEmulator):
        world.chats["telegram"] = emulator.add_group("team")
    await world.start_bridge()
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


def on(platform: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("two", [platform], indirect=True)


async def advice(world: World, platform: str) -> str:
    """What health says is to be done about the platform's chats."""
    assert world.app is not None
    account = (await world.app.report())["accounts"][platform]
    return " ".join(entry["reason"] + ": " + entry["action"] for entry in (*account["ends"].values(), *account["notices"].values()))


async def until_advised(world: World, platform: str, *words: str) -> None:
    """Until health's advice has all these words; without words, until it has none to give."""

    def is_so(found: str) -> bool:
        return all(word in found for word in words) if words else not found

    await eventually_asked(lambda: advice(world, platform), f"{words}", holds=is_so)


# -- Telegram ---------------------------------------------------------------------------------------------------------------


@on("telegram")
@pytest.mark.parametrize("told_first", [True, False])
async def test_a_group_becomes_a_supergroup(two: World, told_first: bool) -> None:
    """Followed at once, by the service message or by the refusal that the next send meets, and after a restart."""
    emulator: Any = two.emulators["telegram"]
    original = await two.say("teamspirit", "before")
    await two.copy("telegram", "before")
    if not told_first:
        await two.stop_bridge()
    old = two.chats["telegram"]
    new = emulator.migrate(old.chat_id)
    if not told_first:
        for queue in emulator.world.queues.values():
            queue._pending.clear()  # as if the server had kept it for longer than a day
        await two.start_bridge(wait_up=False)
    await two.say("teamspirit", "after")
    two.chats["telegram"] = new
    await two.copy("telegram", "after")
    await two.say("telegram", "from the supergroup")
    await two.copy("teamspirit", "from the supergroup")

    # the old message stayed in the old group: changes of it are left, an answer points at nothing else, and the lane goes on
    await two.emulators["teamspirit"].edit(two.chats["teamspirit"].chat_id, original, "before, edited")
    await two.emulators["teamspirit"].say(two.chats["teamspirit"].chat_id, "Ben", "an answer", reply_to=original)
    answer = await two.copy("telegram", "an answer")
    assert answer.reply_to == ""
    await two.stop_bridge()
    two.chats["telegram"] = old  # as bridge.yaml still says
    await two.start_bridge()
    two.chats["telegram"] = new
    await two.say("teamspirit", "after the restart")
    await two.copy("telegram", "after the restart")


@on("telegram")
async def test_thrown_out_of_a_group_and_invited_again(two: World) -> None:
    emulator: Any = two.emulators["telegram"]
    chat_id = two.chats["telegram"].chat_id
    emulator.kick(chat_id)
    for number in range(3):
        await two.say("teamspirit", f"waiting {number}")
    await until_advised(two, "telegram", "kicked", "add the bot to the chat again")
    emulator.promote(chat_id)
    for number in range(3):
        await two.copy("telegram", f"waiting {number}")
    await until_advised(two, "telegram")


# -- Slack ------------------------------------------------------------------------------------------------------------------


@on("slack")
async def test_a_renamed_channel_is_followed(two: World) -> None:
    emulator: Any = two.emulators["slack"]
    emulator.rename_chat(two.chats["slack"].chat_id, "salon")
    await two.say("teamspirit", "after the renaming")
    await two.copy("slack", "after the renaming")
    await two.stop_bridge()
    await two.start_bridge()
    await two.say("teamspirit", "after the restart")
    await two.copy("slack", "after the restart")
    await two.say("slack", "and back")
    await two.copy("teamspirit", "and back")


@on("slack")
async def test_an_archived_channel(two: World) -> None:
    emulator: Any = two.emulators["slack"]
    emulator.archive_chat(two.chats["slack"].chat_id)
    await two.say("teamspirit", "into the archive")
    await until_advised(two, "slack", "archive", "unarchive")
    emulator.archive_chat(two.chats["slack"].chat_id, archived=False)
    await two.copy("slack", "into the archive")
    await until_advised(two, "slack")


@on("slack")
async def test_removed_from_a_channel_and_invited_again(two: World) -> None:
    emulator: Any = two.emulators["slack"]
    chat_id = two.chats["slack"].chat_id
    emulator.remove_bot(chat_id)
    await two.say("teamspirit", "while outside")
    await until_advised(two, "slack", "invite")
    emulator.workspace.join(emulator.workspace.channels[chat_id], emulator.workspace.bot_user_id)
    await two.copy("slack", "while outside")
    await until_advised(two, "slack")


# -- Discord ----------------------------------------------------------------------------------------------------------------


@on("discord")
async def test_a_deleted_webhook_is_made_anew(two: World) -> None:
    emulator: Any = two.emulators["discord"]
    await two.say("teamspirit", "through the first")
    await two.copy("discord", "through the first")
    before = set(emulator.api.world.webhooks)
    assert before
    emulator.api.world.webhooks.clear()
    await two.say("teamspirit", "through the second", person="Ben")
    copy = await two.copy("discord", "through the second")
    assert copy.author_name == "Ben"
    assert set(emulator.api.world.webhooks) - before


@on("discord")
async def test_a_webhook_that_may_not_be_made_anew(two: World) -> None:
    """The bot posts by itself, with the name in the text, and health says which right is missing."""
    emulator: Any = two.emulators["discord"]
    chat_id = two.chats["discord"].chat_id
    await two.say("teamspirit", "through the webhook")
    await two.copy("discord", "through the webhook")
    emulator.deny(chat_id, Permission.MANAGE_WEBHOOKS)
    emulator.api.world.webhooks.clear()
    await two.say("teamspirit", "by the bot", person="Ben")
    copy = await two.copy("discord", "by the bot")
    assert "Ben" in copy.text
    await until_advised(two, "discord", "Manage Webhooks")


@on("discord")
async def test_a_channel_in_which_the_bot_may_not_write(two: World) -> None:
    emulator: Any = two.emulators["discord"]
    chat_id = two.chats["discord"].chat_id
    emulator.deny(chat_id, Permission.VIEW_CHANNEL)
    emulator.api.world.webhooks.clear()
    await two.say("teamspirit", "unseen")
    await until_advised(two, "discord", "give the bot")
    emulator.deny(chat_id, Permission(0))
    await two.copy("discord", "unseen")
    await until_advised(two, "discord")
