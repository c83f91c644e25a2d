"""What becomes of a thread on one platform is done to its partners on the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.discord.emulator.records import Permission
from tests.flows.world import World
from tests.support.patience import eventually, eventually_asked


@dataclass
class Conversation:
    """A topic, and its partners by platform."""

    topic: str
    there: dict[str, str]


async def one_of_each(world: World) -> Conversation:
    """A forum on Telegram and one on Discord, with a conversation that began in the topic `Releases`."""
    telegram: Any = world.emulators["telegram"]
    discord: Any = world.emulators["discord"]
    forum, (topic,) = telegram.add_forum("forum", ["Releases"])
    world.chats |= {"telegram": forum, "discord": discord.add_forum("posts")}
    ends = [f"{name}/{chat.address}/*" for name, chat in world.chats.items()]
    world.settings["routes"] = [{"name": "all", "between": ends}]
    await world.start_bridge()
    await telegram.say(forum.chat_id, "Anna", "version two", thread_id=topic)
    return Conversation(
        topic, {name: (await world.copy(name, "version two")).thread_id for name in world.chats if name != "telegram"}
    )


def title_of(world: World, platform: str, thread_id: str) -> str:
    """As people see it: of the thread, or of the message that it follows."""
    emulator: Any = world.emulators[platform]
    if platform in ("telegram", "discord"):
        threads = {one.thread_id: one for one in emulator.threads(world.chats[platform].chat_id)}
        return str(threads[thread_id].name) if thread_id in threads else ""
    return next((one.text for one in world.seen(platform) if one.message_id == thread_id and not one.deleted), "")


def is_closed(world: World, platform: str, thread_id: str) -> bool:
    emulator: Any = world.emulators[platform]
    return any(one.closed for one in emulator.threads(world.chats[platform].chat_id) if one.thread_id == thread_id)


def lines(world: World, platform: str, thread_id: str) -> list[str]:
    return [one.text for one in world.seen(platform) if one.thread_id == thread_id and one.is_bot and not one.deleted]


async def test_names_and_closings_follow_in_both_directions(quiet_world: World) -> None:
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    discord: Any = world.emulators["discord"]
    found = await one_of_each(world)
    chat_id, post = world.chats["telegram"].chat_id, found.there["discord"]

    await telegram.rename_topic(chat_id, found.topic, "Anna", "Versions")
    for platform, thread_id in found.there.items():
        await eventually(
            lambda platform=platform, thread_id=thread_id: title_of(world, platform, thread_id) == "Versions",
            what=f"the new name on {platform}",
        )
    await telegram.close_topic(chat_id, found.topic, "Anna")
    await eventually(lambda: is_closed(world, "discord", post), what="the lock")
    for platform in ("slack", "teamspirit"):
        await eventually(
            lambda platform=platform: (
                "🔒 Anna closed the thread “Versions”" in "".join(lines(world, platform, found.there[platform]))
            ),
            what=f"the line on {platform}: {lines(world, platform, found.there[platform])}",
        )
    await discord.lock_thread(post, locked=False)
    await eventually(lambda: not is_closed(world, "telegram", found.topic), what="the topic is open again")
    await discord.rename_thread(post, "Boris", "All versions")
    await eventually(lambda: title_of(world, "telegram", found.topic) == "All versions", what="the topic's new name")
    await eventually(lambda: title_of(world, "slack", found.there["slack"]) == "All versions", what="on Slack")

    await world.say("slack", "still one conversation", person="Carol", thread_id=found.there["slack"])
    assert (await world.copy("discord", "still one conversation")).thread_id == post
    assert (await world.copy("telegram", "still one conversation")).thread_id == found.topic
    for platform, thread_id in found.there.items():
        told = [line for line in lines(world, platform, thread_id) if "thread" in line]
        assert len(told) == (0 if platform == "discord" else 2), (platform, told)


async def test_a_deleted_thread_takes_the_topic_that_the_bridge_made_along(quiet_world: World) -> None:
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    discord: Any = world.emulators["discord"]
    await one_of_each(world)
    forum, posts = world.chats["telegram"].chat_id, world.chats["discord"].chat_id
    post = await discord.start_post(posts, "Boris", "Ideas", "a first idea")
    topic = (await world.copy("telegram", "a first idea")).thread_id
    in_slack = (await world.copy("slack", "a first idea")).thread_id
    assert title_of(world, "telegram", topic) == "Ideas"
    await telegram.say(forum, "Anna", "words of a person", thread_id=topic)
    assert (await world.copy("discord", "words of a person")).thread_id == post

    await discord.delete_thread(post)
    await eventually(lambda: not title_of(world, "telegram", topic), what="the topic is gone")
    await eventually(lambda: not world.copies("slack", "a first idea"), what="the copies are gone")
    await eventually(lambda: any("deleted the thread" in line for line in lines(world, "slack", in_slack)), what="the line")
    assert title_of(world, "telegram", next(one.thread_id for one in telegram.threads(forum))) == "Releases"


async def test_what_people_made_is_not_deleted_with_its_copy(quiet_world: World) -> None:
    world = quiet_world
    discord: Any = world.emulators["discord"]
    found = await one_of_each(world)
    await discord.delete_thread(found.there["discord"])
    await world.say("telegram", "behind it", thread_id=found.topic)
    await world.copy("slack", "behind it")
    assert title_of(world, "telegram", found.topic) == "Releases"
    assert not [line for line in lines(world, "slack", found.there["slack"]) if "deleted" in line]


async def test_without_the_rights_lines_say_it_once_and_messages_go_on(quiet_world: World) -> None:
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    discord: Any = world.emulators["discord"]
    found = await one_of_each(world)
    discord.deny(world.chats["discord"].chat_id, Permission.MANAGE_THREADS)
    chat_id, post = world.chats["telegram"].chat_id, found.there["discord"]
    await telegram.close_topic(chat_id, found.topic, "Anna")
    await eventually(lambda: any("closed the thread" in line for line in lines(world, "discord", post)), what="the line")
    await telegram.say(chat_id, "Anna", "by an administrator", thread_id=found.topic)
    assert (await world.copy("discord", "by an administrator")).thread_id == post
    assert len([line for line in lines(world, "discord", post) if "closed the thread" in line]) == 1
    assert not is_closed(world, "discord", post)


async def test_a_title_is_said_once_where_a_thread_has_no_name(quiet_world: World) -> None:
    """Slack's threads have none, and a group that is no forum has no threads."""
    world = quiet_world
    discord: Any = world.emulators["discord"]
    await world.start_bridge()
    said = await world.say("discord", "who comes?", person="Anna")
    thread = await discord.start_thread(world.chats["discord"].chat_id, "Boris", "Tonight", message_id=said)
    for words in ("I do", "so do I"):
        await world.say("discord", words, person="Boris", thread_id=thread)
        for platform in ("slack", "telegram", "teamspirit"):
            await world.copy(platform, words)
    for platform in ("slack", "telegram", "teamspirit"):
        told = [one for one in world.seen(platform) if "🧵 Tonight" in one.text]
        assert ["I do" in one.text for one in told] == [True], (platform, world.texts(platform))
    parent = await world.copy("slack", "who comes?")
    assert {(await world.copy("slack", words)).thread_id for words in ("I do", "so do I")} == {parent.message_id}


async def test_once_the_bot_gets_the_right_new_messages_have_their_thread(quiet_world: World) -> None:
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    discord: Any = world.emulators["discord"]
    forum, (topic,) = telegram.add_forum("forum", ["Releases"])
    channel = world.chats["discord"]
    world.chats["telegram"] = forum
    world.settings["routes"] = [{"name": "all", "between": [f"telegram/{forum.address}/*", f"discord/{channel.address}/*"]}]
    discord.deny(channel.chat_id, Permission.CREATE_PUBLIC_THREADS)
    await world.start_bridge()
    for words in ("one", "two"):
        await telegram.say(forum.chat_id, "Anna", words, thread_id=topic)
        assert (await world.copy("discord", words)).thread_id == ""
    assert [("🧵 Releases" in one.text) for one in world.seen("discord") if one.is_bot] == [True, False]
    discord.deny(channel.chat_id, Permission(0))
    assert world.app is not None
    app = world.app
    await eventually_asked(app.report, holds=lambda report: "Create Public Threads" not in str(report))
    await telegram.say(forum.chat_id, "Anna", "three", thread_id=topic)
    thread = (await world.copy("discord", "three")).thread_id
    assert title_of(world, "discord", thread) == "Releases"


async def test_the_general_topic_follows_the_post_that_stands_for_it(quiet_world: World) -> None:
    """What is said outside of topics has a post of its own in a forum of posts."""
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    discord: Any = world.emulators["discord"]
    await one_of_each(world)
    forum = telegram.world.chats[int(world.chats["telegram"].chat_id)]
    await world.say("telegram", "outside of topics", person="Anna")
    post = (await world.copy("discord", "outside of topics")).thread_id
    await discord.rename_thread(post, "Boris", "Everything else")
    await eventually(lambda: forum.general_name == "Everything else", what="General's new name")
    await discord.lock_thread(post)
    await eventually(lambda: 1 in forum.closed_topics, what="General is closed")
    telegram.world.close_general(forum, telegram.world.new_person("Boss"), closed=False)
    await eventually(lambda: not is_closed(world, "discord", post), what="the post is open again")
    telegram.world.rename_general(forum, telegram.world.new_person("Boss"), "Lobby")
    await eventually(lambda: title_of(world, "discord", post) == "Lobby", what="the post's new name")
    await world.say("discord", "goes on", person="Boris", thread_id=post)
    assert not (await world.copy("telegram", "goes on")).thread_id
    assert (forum.general_name, 1 in forum.closed_topics) == ("Lobby", False)
    assert not [one.text for one in world.seen("telegram") if one.is_bot and "the thread" in one.text]
