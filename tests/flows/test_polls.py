"""Polls between the messengers: native where both have them, with the votes of the other chats, and closed with their original."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.common.emulation.contract import SeenMessage
from tests.flows.world import World
from tests.support.patience import eventually

WITHIN_S = 60.0


def with_words(world: World, platform: str, *words: str) -> list[SeenMessage]:
    seen = [one for one in world.seen(platform) if one.is_bot and not one.deleted and not one.system]
    return [one for one in seen if all(word in one.text for word in words)]


async def one_with(world: World, platform: str, *words: str) -> SeenMessage:
    await eventually(lambda: with_words(world, platform, *words), f"{words} on {platform}")
    return with_words(world, platform, *words)[0]


def telegram_poll(*options: str, **more: Any) -> dict[str, Any]:
    poll = {
        "id": "5300000000000000001",
        "question": "Lunch?",
        "options": [{"text": text, "voter_count": 0, "persistent_id": text} for text in options],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
    }
    return {"poll": poll | more}


def discord_poll(*answers: str) -> dict[str, Any]:
    return {
        "question": {"text": "Dinner?"},
        "answers": [{"answer_id": number, "poll_media": {"text": text}} for number, text in enumerate(answers, 1)],
        "expiry": (datetime.now(UTC) + timedelta(hours=3)).isoformat(),
        "allow_multiselect": True,
        "layout_type": 1,
        "results": {"is_finalized": False, "answer_counts": []},
    }


async def test_a_telegram_poll_is_one_on_discord_and_text_elsewhere(quiet_world: World) -> None:
    world = quiet_world
    world.route_options["tally_every_s"] = 1
    await world.start_bridge()
    telegram, discord = (cast_any(world.emulators[name]) for name in ("telegram", "discord"))
    group, channel = world.chats["telegram"].chat_id, world.chats["discord"].chat_id
    said = await telegram.post(group, "Anna", telegram_poll("Soup", "Rice"))
    copy = await one_with(world, "discord", "Poll: Lunch?", "- Soup", "- Rice")
    assert 'class="poll"' in copy.html
    assert "Anna" in copy.text
    texts = {platform: await one_with(world, platform, "Lunch?", "Soup", "Rice") for platform in ("slack", "teamspirit")}

    await discord.vote(channel, copy.message_id, "Carla", 2)
    await discord.vote(channel, copy.message_id, "Dora", 2)
    for platform, text in texts.items():
        await eventually(lambda p=platform, t=text: "Rice - 2" in shown(world, p, t), f"the votes on {platform}")
    line = await one_with(world, "telegram", "Elsewhere: Soup 0 · Rice 2")
    assert line.reply_to == said

    await discord.vote(channel, copy.message_id, "Dora")
    await one_with(world, "telegram", "Elsewhere: Soup 0 · Rice 1")
    await telegram.close_poll(group, said)
    await eventually(lambda: "(closed)" in shown(world, "discord", copy), "closed on Discord")
    for platform, text in texts.items():
        await eventually(lambda p=platform, t=text: "closed" in shown(world, p, t), f"closed on {platform}")


async def test_a_discord_poll_is_one_on_telegram(quiet_world: World) -> None:
    world = quiet_world
    world.route_options["tally_every_s"] = 1
    await world.start_bridge()
    telegram, discord = (cast_any(world.emulators[name]) for name in ("telegram", "discord"))
    group, channel = world.chats["telegram"].chat_id, world.chats["discord"].chat_id
    said = await discord.post_raw(channel, "Boris", poll=discord_poll("Soup", "Rice", "Bread"))
    copy = await one_with(world, "telegram", "Poll: Dinner?", "- Bread")
    assert copy.text.startswith("Boris\n")
    native = telegram.world.chats[int(group)].messages[int(copy.message_id)].content["poll"]
    assert native["allows_multiple_answers"] is True
    assert native["is_anonymous"] is False
    assert abs(native["close_date"] - (datetime.now(UTC) + timedelta(hours=3)).timestamp()) < 120

    await telegram.vote(group, copy.message_id, "Carla", 0, 2)
    await one_with(world, "discord", "Elsewhere: Soup 1 · Rice 0 · Bread 1")
    await discord.vote(channel, said, "Dora", 1)
    await one_with(world, "telegram", "Elsewhere: Soup 1 · Rice 0 · Bread 0")
    slack = await one_with(world, "slack", "Dinner?")
    await eventually(lambda: "Soup - 2" in shown(world, "slack", slack), "the sum")
    await discord.end_poll(channel, said)
    await eventually(lambda: "(closed)" in shown(world, "telegram", copy), "closed on Telegram")
    await eventually(lambda: "closed" in shown(world, "slack", slack), "closed on Slack")


async def test_votes_reach_others_after_a_restart_and_polls_that_do_not_fit_are_text(quiet_world: World) -> None:
    world = quiet_world
    world.route_options["tally_every_s"] = 1
    await world.start_bridge()
    telegram, discord = (cast_any(world.emulators[name]) for name in ("telegram", "discord"))
    group, channel = world.chats["telegram"].chat_id, world.chats["discord"].chat_id
    await discord.post_raw(channel, "Boris", poll=discord_poll("Soup", "Rice"))
    copy = await one_with(world, "telegram", "Poll: Dinner?")
    await world.stop_bridge()
    await telegram.vote(group, copy.message_id, "Carla", 1)
    await world.start_bridge()
    await one_with(world, "discord", "Elsewhere: Soup 0 · Rice 1")

    await telegram.post(group, "Anna", telegram_poll(*(f"option {n}" for n in range(12)), question="Twelve?", id="77"))
    text = await one_with(world, "discord", "Twelve?", "option 11")
    assert 'class="poll"' not in text.html
    discord.deny(channel, discord_permission("SEND_POLLS"))
    await telegram.post(group, "Anna", telegram_poll("a", "b", question="Forbidden?", id="78"))
    text = await one_with(world, "discord", "Forbidden?")
    assert 'class="poll"' not in text.html
    telegram.forbid(group, "poll")
    await discord.post_raw(channel, "Boris", poll=discord_poll("x", "y") | {"question": {"text": "Not here?"}})
    text = await one_with(world, "telegram", "Not here?")
    assert 'class="poll"' not in text.html


def shown(world: World, platform: str, copy: SeenMessage) -> str:
    return next(one.text for one in world.seen(platform) if one.message_id == copy.message_id)


def cast_any(emulator: object) -> Any:
    """The emulator with what only this platform has."""
    return emulator


def discord_permission(name: str) -> Any:
    from adapters.discord.emulator.records import Permission

    return Permission[name]
