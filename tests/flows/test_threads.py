"""Two topics of one Telegram group and two threads of one Discord channel as ends of one route: each has a copy of its own."""

from __future__ import annotations

from typing import Any

from adapters.common.emulation.contract import SeenMessage
from tests.flows.world import World
from tests.support.patience import eventually


async def open_threads(world: World) -> dict[str, tuple[str, list[str]]]:
    """Chat and threads of each platform; all of them are ends of one route with Slack's lobby."""
    telegram: Any = world.emulators["telegram"]
    discord: Any = world.emulators["discord"]
    forum, topics = telegram.add_forum("forum", ["left", "right"])
    channel = world.chats["discord"]
    threads = [await discord.start_thread(channel.chat_id, "Anna", name) for name in ("left", "right")]
    ends = [f"slack/{world.chats['slack'].address}"]
    ends += [f"telegram/{forum.address}/{topic}" for topic in topics]
    ends += [f"discord/{channel.address}/{thread}" for thread in threads]
    world.settings["routes"] = [{"name": "threads", "between": ends}]
    await world.start_bridge()
    return {"telegram": (forum.chat_id, topics), "discord": (channel.chat_id, threads)}


async def copies(world: World, platform: str, place: tuple[str, list[str]], needle: str) -> list[SeenMessage]:
    """The copy in each thread, in their order, once both are there."""
    chat, threads = place

    def found() -> list[SeenMessage]:
        seen = world.emulators[platform].transcript(chat)
        told = [message for message in seen if message.is_bot and needle in message.text and not message.deleted]
        return sorted(told, key=lambda message: threads.index(message.thread_id)) if len(told) == len(threads) else []

    there = await eventually(found, what=f"{needle!r} in both threads of {platform}")
    assert [message.thread_id for message in there] == threads
    return there


async def test_both_threads_follow_what_becomes_of_a_message(quiet_world: World) -> None:
    world = quiet_world
    places = await open_threads(world)
    slack, lobby = world.emulators["slack"], world.chats["slack"].chat_id
    said = await world.say("slack", "first words")
    first = {platform: await copies(world, platform, place, "first words") for platform, place in places.items()}

    await slack.edit(lobby, said, "second thoughts")
    await slack.react(lobby, said, "Boris", "👍")
    for platform, place in places.items():
        edited = await copies(world, platform, place, "second thoughts")
        assert [one.message_id for one in edited] == [one.message_id for one in first[platform]]
    await world.say("slack", "an answer", reply_to=said)
    for platform, place in places.items():
        answers = await copies(world, platform, place, "an answer")
        if platform == "telegram":
            assert [one.reply_to for one in answers] == [one.message_id for one in first[platform]]
        else:  # a webhook cannot reply: it links to the message
            assert all(one.message_id in answer.html for one, answer in zip(first[platform], answers, strict=True))

    await slack.delete(lobby, said)
    for platform, (chat, _) in places.items():
        ids = {one.message_id for one in first[platform]}
        await eventually(lambda: _gone(world, platform, chat, ids), what=f"deletion on {platform}")  # noqa: B023


async def test_reactions_reach_both_threads_and_cross_between_them(quiet_world: World) -> None:
    world = quiet_world
    places = await open_threads(world)
    slack, lobby = world.emulators["slack"], world.chats["slack"].chat_id
    said = await world.say("slack", "hello")
    there = {platform: await copies(world, platform, place, "hello") for platform, place in places.items()}
    await slack.react(lobby, said, "Boris", "👍")
    for platform, (chat, _) in places.items():
        for copy in there[platform]:
            await eventually(lambda: "👍" in _reactions(world, platform, chat, copy))  # noqa: B023
    forum, _ = places["telegram"]
    left, right = there["telegram"]
    await world.emulators["telegram"].react(forum, left.message_id, "Clara", "🔥")
    await eventually(lambda: "🔥" in _reactions(world, "telegram", forum, right))
    await eventually(lambda: "🔥" in _reactions(world, "slack", lobby, said))


async def test_two_topics_of_one_group_relayed_to_each_other(quiet_world: World) -> None:
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    forum, topics = telegram.add_forum("forum", ["left", "right"])
    world.settings["routes"] = [{"name": "topics", "between": [f"telegram/{forum.address}/{topic}" for topic in topics]}]
    await world.start_bridge()
    said = await telegram.say(forum.chat_id, "Anna", "over here", thread_id=topics[0])

    def copy() -> SeenMessage | None:
        seen = telegram.transcript(forum.chat_id)
        return next((message for message in seen if message.is_bot and message.thread_id == topics[1]), None)

    there = await eventually(copy)
    await telegram.edit(forum.chat_id, said, "over there")
    await eventually(lambda: (found := copy()) is not None and "over there" in found.text)
    await telegram.react(forum.chat_id, said, "Anna", "👍")
    await eventually(lambda: "👍" in _reactions(world, "telegram", forum.chat_id, there))


def _reactions(world: World, platform: str, chat: str, message: SeenMessage | str) -> list[str]:
    wanted = message if isinstance(message, str) else message.message_id
    seen = world.emulators[platform].transcript(chat)
    return [reaction.emoji for one in seen if one.message_id == wanted for reaction in one.reactions]


def _gone(world: World, platform: str, chat: str, ids: set[str]) -> bool:
    return all(one.deleted for one in world.emulators[platform].transcript(chat) if one.message_id in ids)
