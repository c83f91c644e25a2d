"""What became of Discord's threads while the bridge was stopped is done to their partners after the start."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flows.test_threads_follow import is_closed, lines, one_of_each, title_of
from tests.flows.world import World
from tests.support.patience import eventually


@pytest.mark.parametrize("is_forgotten", [True, False], ids=["new session", "resumed"])
async def test_locks_names_and_deletions_follow_after_a_stop(
    quiet_world: World, is_forgotten: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`is_forgotten`: Discord replays nothing, because the bridge was away for too long."""
    monkeypatch.setattr("adapters.discord.inbound.stream.random.uniform", lambda low, high: 0.01)
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    discord: Any = world.emulators["discord"]
    found = await one_of_each(world)
    forum, posts, releases = world.chats["telegram"].chat_id, world.chats["discord"].chat_id, found.there["discord"]
    post = await discord.start_post(posts, "Boris", "Ideas", "a first idea")
    ideas = (await world.copy("telegram", "a first idea")).thread_id
    in_slack = (await world.copy("slack", "a first idea")).thread_id
    sleeping = await discord.start_post(posts, "Boris", "Old news", "long ago")
    old_news = (await world.copy("telegram", "long ago")).thread_id

    await world.stop_bridge()
    await discord.lock_thread(releases)
    await discord.rename_thread(releases, "Boris", "All versions")
    await discord.archive_thread(sleeping, locked=True)
    await discord.delete_thread(post)
    if is_forgotten:
        discord.gateway.invalidate_sessions()
    await world.start_bridge()

    await eventually(lambda: is_closed(world, "telegram", found.topic), what="the topic is closed")
    await eventually(lambda: title_of(world, "telegram", found.topic) == "All versions", what="the topic's new name")
    await eventually(lambda: is_closed(world, "telegram", old_news), what="the one that slept is closed")
    await eventually(lambda: not title_of(world, "telegram", ideas), what="the topic is gone")
    await eventually(lambda: any("deleted the thread" in line for line in lines(world, "slack", in_slack)), what="the line")

    await world.stop_bridge()
    discord.gateway.invalidate_sessions()
    await world.start_bridge()
    await world.say("slack", "all is said", person="Carol")
    await world.copy("telegram", "all is said")
    told = [line for line in lines(world, "slack", found.there["slack"]) if "thread" in line]
    assert len([line for line in told if "closed" in line]) == 1, told
    assert not [line for line in told if "renamed" in line], told  # there the bridge's own message has the name

    await telegram.close_topic(forum, found.topic, "Anna", closed=False)
    await eventually(lambda: not is_closed(world, "discord", releases), what="it goes on as ever")
