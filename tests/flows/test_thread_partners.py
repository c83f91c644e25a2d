"""`account/chat/*`: topics and posts have partners on the other platforms by their names."""

from __future__ import annotations

from typing import Any

from adapters.common.emulation.contract import SeenMessage
from tests.flows.world import World
from tests.support.patience import eventually


async def test_topics_of_a_telegram_forum_have_partners_everywhere(quiet_world: World) -> None:
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    discord: Any = world.emulators["discord"]
    forum, (releases,) = telegram.add_forum("forum", ["Releases"])
    posts = discord.add_forum("posts")
    discord.world.channels[int(posts.chat_id)].requires_tag = True
    world.chats |= {"telegram": forum, "discord": posts}
    ends = [f"{name}/{chat.address}/*" for name, chat in world.chats.items()]
    world.settings["routes"] = [{"name": "all", "between": ends}]
    await world.start_bridge()

    await telegram.say(forum.chat_id, "Anna", "version two", thread_id=releases)
    await telegram.say(forum.chat_id, "Anna", "is out", thread_id=releases)
    there: dict[str, SeenMessage] = {}
    for platform in ("slack", "discord", "teamspirit"):
        there[platform] = await world.copy(platform, "version two")
        assert there[platform].thread_id, (platform, there[platform])
        assert (await world.copy(platform, "is out")).thread_id == there[platform].thread_id, platform
        titles = [m for m in world.seen(platform) if m.message_id == there[platform].thread_id]
        if platform != "discord":  # a message with the name, once
            assert [m.text for m in titles] == ["Releases"], platform
    post = discord.world.channels[int(there["discord"].thread_id)]
    assert (post.name, str(post.parent_id)) == ("Releases", posts.chat_id)

    await discord.say(posts.chat_id, "Boris", "thank you", thread_id=there["discord"].thread_id)
    seen = await eventually(lambda: world.copies("telegram", "thank you"))
    assert seen[0].thread_id == releases
    assert (await world.copy("slack", "thank you")).thread_id == there["slack"].thread_id

    await telegram.say(forum.chat_id, "Anna", "outside of topics")
    general = await world.copy("discord", "outside of topics")
    assert general.thread_id not in ("", there["discord"].thread_id)
    await discord.say(posts.chat_id, "Boris", "in General again", thread_id=general.thread_id)
    seen = await eventually(lambda: world.copies("telegram", "in General again"))
    assert seen[0].thread_id == ""

    await discord.delete_thread(there["discord"].thread_id)
    for words in ("version three", "version four"):
        await telegram.say(forum.chat_id, "Anna", words, thread_id=releases)
    again = await world.copy("discord", "version three")
    assert discord.world.channels[int(again.thread_id)].name == "Releases"
    assert again.thread_id != there["discord"].thread_id
    assert (await world.copy("discord", "version four")).thread_id == again.thread_id
