"""Messages of threads that are no ends by themselves: in the target's thread of the same conversation, or as the route wants it."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.common.emulation.contract import SeenMessage
from adapters.discord.emulator.records import Permission
from tests.flows.world import World
from tests.support.patience import eventually


async def with_forum(world: World) -> str:
    """The four lobbies, with a forum in Telegram's place; returns the forum."""
    telegram: Any = world.emulators["telegram"]
    world.chats["telegram"], _ = telegram.add_forum("forum")
    await world.start_bridge()
    return world.chats["telegram"].chat_id


async def thread_in(world: World, platform: str, root: str, words: str) -> str:
    """Somebody says something in the thread that begins with that message; returns the thread."""
    chat, emulator = world.chats[platform].chat_id, world.emulators[platform]
    if platform == "discord":
        discord: Any = emulator
        thread: str = await discord.start_thread(chat, "Anna", "a question", message_id=root)
        await emulator.say(chat, "Boris", words, thread_id=thread)
        return thread
    how: dict[str, Any] = {"thread_id": root} if platform == "teamspirit" else {"reply_to": root}
    await emulator.say(chat, "Boris", words, **how)
    return root


@pytest.mark.parametrize("origin", ["slack", "discord", "teamspirit"])
async def test_a_thread_has_a_partner_on_every_platform(quiet_world: World, origin: str) -> None:
    world = quiet_world
    await with_forum(world)
    root = await world.say(origin, "who knows the way?")
    others = [platform for platform in ("telegram", "slack", "discord", "teamspirit") if platform != origin]
    first = {platform: await world.copy(platform, "who knows the way?") for platform in others}
    await thread_in(world, origin, root, "answer one")
    there = {platform: await world.copy(platform, "answer one") for platform in others}
    for platform, seen in there.items():
        case = f"{origin} -> {platform}: {seen}"
        if platform == "telegram":  # a topic of its own, named after what began it
            assert seen.thread_id not in ("", first[platform].thread_id), case
            topic: Any = world.emulators["telegram"]
            titles = topic.world.chats[int(world.chats["telegram"].chat_id)].topics
            assert titles[int(seen.thread_id)] in ("a question", "who knows the way?", "answer one"), case
        elif platform == "discord":  # a thread that begins at the copy; Discord shows what it begins with
            assert seen.thread_id == first[platform].message_id, case
            assert "who knows" not in seen.text, case
        else:
            assert seen.thread_id == first[platform].message_id, case
    # everybody goes on in the same thread, wherever it is
    for platform in others:
        words = f"said in {platform}"
        chat, emulator = world.chats[platform].chat_id, world.emulators[platform]
        is_slack, thread = platform == "slack", there[platform].thread_id
        how: dict[str, Any] = {"reply_to": first[platform].message_id} if is_slack else {"thread_id": thread}
        await emulator.say(chat, "Clara", words, **how)
        for target in (other for other in others if other != platform):
            seen = await world.copy(target, words)
            assert seen.thread_id == there[target].thread_id, (words, target, seen)
        back = await eventually(lambda: world.copies(origin, words), what=f"{words} on {origin}")  # noqa: B023
        assert back[0].thread_id == root, back


async def test_a_group_that_is_no_forum_and_a_bot_without_the_right_get_answers(quiet_world: World) -> None:
    world = quiet_world
    discord: Any = world.emulators["discord"]
    discord.deny(world.chats["discord"].chat_id, Permission.CREATE_PUBLIC_THREADS)
    await world.start_bridge()
    root = await world.say("slack", "who knows the way?")
    telegram, guild = await world.copy("telegram", "who knows"), await world.copy("discord", "who knows")
    for words in ("answer one", "answer two"):
        await world.say("slack", words, reply_to=root)
        assert (await world.copy("telegram", words)).reply_to == telegram.message_id
        seen = await world.copy("discord", words)
        assert seen.thread_id == ""
        assert guild.message_id in seen.html, "a link to what is answered"
    assert world.app is not None
    assert any("Create Public Threads" in str(one) for one in (await world.app.report()).values())


async def test_an_answer_from_a_chat_without_threads_goes_into_the_thread(quiet_world: World) -> None:
    world = quiet_world
    await world.start_bridge()
    chat = world.chats["discord"].chat_id
    root = await world.say("discord", "who knows the way?")
    thread = await thread_in(world, "discord", root, "answer one")
    there = await world.copy("telegram", "answer one")
    await world.say("telegram", "thank you", reply_to=there.message_id)
    seen = await world.copy("discord", "thank you")
    assert seen.thread_id == thread
    assert chat in world.chats["discord"].chat_id


async def policy(world: World, threads: str) -> tuple[dict[str, SeenMessage], str]:
    world.route_options["threads"] = threads
    await with_forum(world)
    root = await world.say("slack", "who knows the way?")
    others = ("telegram", "discord", "teamspirit")
    return {platform: await world.copy(platform, "who knows") for platform in others}, root


async def test_as_replies(quiet_world: World) -> None:
    first, root = await policy(quiet_world, "reply")
    await quiet_world.say("slack", "answer one", reply_to=root)
    assert (await quiet_world.copy("telegram", "answer one")).reply_to == first["telegram"].message_id
    seen = await quiet_world.copy("discord", "answer one")
    assert (seen.thread_id, first["discord"].message_id in seen.html) == ("", True)


async def test_as_quotes(quiet_world: World) -> None:
    _, root = await policy(quiet_world, "quote")
    said = await quiet_world.say("slack", "answer one", reply_to=root)
    for platform in ("telegram", "discord", "teamspirit"):
        seen = await quiet_world.copy(platform, "answer one")
        assert (seen.thread_id, seen.reply_to) == ("", ""), (platform, seen)
        assert "who knows the way?" in seen.text, (platform, seen)
    await quiet_world.emulators["slack"].edit(quiet_world.chats["slack"].chat_id, said, "answer two")
    for platform in ("telegram", "discord", "teamspirit"):
        assert "who knows the way?" in (await quiet_world.copy(platform, "answer two")).text, platform


async def test_not_at_all(quiet_world: World) -> None:
    _, root = await policy(quiet_world, "drop")
    await quiet_world.say("slack", "answer one", reply_to=root)
    await quiet_world.say("slack", "something else")
    for platform in ("telegram", "discord", "teamspirit"):
        await quiet_world.copy(platform, "something else")
        assert quiet_world.copies(platform, "answer one") == []


async def test_a_thread_that_was_deleted_goes_on_in_the_chat(quiet_world: World) -> None:
    world = quiet_world
    await with_forum(world)
    root = await world.say("slack", "who knows the way?")
    await world.say("slack", "answer one", reply_to=root)
    guild, topic = await world.copy("discord", "answer one"), await world.copy("telegram", "answer one")
    discord: Any = world.emulators["discord"]
    await discord.delete_thread(guild.thread_id)
    telegram: Any = world.emulators["telegram"]
    del telegram.world.chats[int(world.chats["telegram"].chat_id)].topics[int(topic.thread_id)]
    for words in ("answer two", "answer three"):
        await world.say("slack", words, reply_to=root)
        for platform in ("telegram", "discord"):
            assert (await world.copy(platform, words)).thread_id == "", platform


@pytest.mark.parametrize("origin", ["slack", "discord", "teamspirit"])
async def test_where_a_chat_has_no_threads_what_is_said_in_one_answers_its_beginning(world: World, origin: str) -> None:
    """Telegram's group without topics. Not every platform says of a message in a thread that it answers something."""
    root = await world.say(origin, "who knows the way?")
    beginning = await world.copy("telegram", "who knows the way?")
    await thread_in(world, origin, root, "answer one")
    assert (await world.copy("telegram", "answer one")).reply_to == beginning.message_id
