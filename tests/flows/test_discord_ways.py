"""Discord's own ways through a whole bridge: forums and their posts, and sending while its gateway is down."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from bridge.accounts.state import AccountState
from bridge.model.refs import AccountName
from tests.flows.world import World
from tests.support.patience import eventually


def texts(world: World, platform: str) -> list[str]:
    chat = world.chats[platform].chat_id
    return [message.text for message in world.emulators[platform].transcript(chat) if message.is_bot and not message.deleted]


async def test_messages_go_out_while_the_gateway_is_down(quiet_world: World) -> None:
    world, discord = quiet_world, quiet_world.emulators["discord"]
    discord.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="GATEWAY"))
    await world.start_bridge(wait_up=False)
    await world.all_up("slack", "telegram", "teamspirit")
    await world.say("slack", "to a platform that does not answer")
    await world.copy("discord", "to a platform that does not answer")
    await world.until_state("discord", AccountState.BACKOFF, AccountState.CONNECTING)
    discord.clear_faults()
    await world.all_up()
    await world.say("discord", "it answers again")
    await world.copy("slack", "it answers again")
    assert not [text for text in texts(world, "telegram") if text.count("to a platform") > 1]
    assert sum("to a platform" in text for text in texts(world, "telegram")) == 1, "the copy does not come back as news"


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.SERVER_ERROR_AFTER])
async def test_where_no_application_is_told_nothing_doubles_or_comes_back(quiet_world: World, kind: FaultKind) -> None:
    """A server that speaks Discord's API and leaves `application_id` out; answers are lost, and the bridge starts anew."""
    world, discord = quiet_world, quiet_world.emulators["discord"]
    discord.world.tells_applications = False  # type: ignore[attr-defined]
    await world.start_bridge()
    await world.say("slack", "first")
    await world.copy("discord", "first")
    discord.inject(Fault(kind=kind, operation="POST /webhooks/*", times=1))
    await world.say("slack", "once")
    await world.copy("discord", "once")
    await world.stop_bridge()
    discord.gateway.invalidate_sessions()  # type: ignore[attr-defined]
    await world.start_bridge()
    await world.say("discord", "behind it")
    await world.copy("telegram", "behind it")
    assert sum("once" in text for text in texts(world, "discord")) == 1
    for platform in ("slack", "telegram"):
        assert sum("once" in text or "first" in text for text in texts(world, platform)) == (2 if platform == "telegram" else 0)


@pytest.mark.parametrize("why", ["empty", "too large for the server", "too large for a proxy in front of it"])
@pytest.mark.parametrize("post_as", ["webhook", "bot"])
async def test_a_refused_file_costs_only_itself(quiet_world: World, post_as: str, why: str) -> None:
    world = quiet_world
    discord: Any = world.emulators["discord"]
    options = discord.account_options()
    discord.account_options = lambda: {**options, "post_as": post_as}
    await world.start_bridge()
    bad = Upload(name="bad.log", mime="text/plain", content=b"" if why == "empty" else b"x" * 5000)
    good = Upload(name="good.txt", mime="text/plain", content=b"good")
    if why == "too large for the server":
        discord.world.file_limit_bytes = 1000
    if why.startswith("too large for a proxy"):
        for operation in ("POST /webhooks/{webhook}/{token}", "POST /channels/{channel}/messages"):
            discord.inject(Fault(kind=FaultKind.SERVER_ERROR, operation=operation, status=413, times=1))
    await world.say("slack", "the words", files=[bad, good])
    await eventually(lambda: world.copies("discord", "the words"), what=f"{world.texts('discord')}")
    await eventually(lambda: any("bad.log" in text for text in texts(world, "discord")), what="a line for the refused file")
    shown = [file.name for message in world.seen("discord") if message.is_bot for file in message.files]
    assert shown == ["good.txt"]
    await world.say("slack", "life goes on")
    await world.copy("discord", "life goes on")


async def test_messages_go_out_while_only_receiving_is_parked(quiet_world: World) -> None:
    world = quiet_world
    discord: Any = world.emulators["discord"]
    discord.bot.message_content = False
    await world.start_bridge(wait_up=False)
    await world.until_state("discord", AccountState.PARKED)
    await world.say("slack", "to a bot without its switch")
    await world.copy("discord", "to a bot without its switch")
    discord.bot.message_content = True
    await world.all_up()


@pytest.mark.parametrize("deletes", [True, False])
async def test_a_forum_is_told_post_by_post(quiet_world: World, deletes: bool) -> None:
    world = quiet_world
    discord: Any = world.emulators["discord"]
    forum = discord.add_forum("help")
    ends = [f"slack/{world.chats['slack'].address}", f"telegram/{world.chats['telegram'].address}", f"discord/{forum.address}"]
    world.settings["routes"] = [{"name": "help", "between": ends, "deletes": deletes, "renames": False}]
    await world.start_bridge()
    first = await discord.start_post(forum.chat_id, "Anna", "It does not start", "since yesterday")
    second = await discord.start_post(forum.chat_id, "Boris", "It does start", "thanks")
    await discord.say(forum.chat_id, "Boris", "me too", thread_id=first)
    await discord.rename_thread(second, "Boris", "It really does")
    for platform in ("slack", "telegram"):
        await world.copy(platform, "me too")
        shown = texts(world, platform)
        assert any("It does not start" in text and "since yesterday" in text for text in shown), shown
        assert not any("renamed" in text or "It really does" in text for text in shown), shown
    telegram = {m.text: m for m in world.emulators["telegram"].transcript(world.chats["telegram"].chat_id)}
    answer = next(m for text, m in telegram.items() if "me too" in text)
    assert answer.reply_to == next(m.message_id for text, m in telegram.items() if "since yesterday" in text)

    await discord.delete_thread(first)
    if deletes:
        for platform in ("slack", "telegram"):
            await eventually(lambda: not any("me too" in t or "since" in t for t in texts(world, platform)), what="gone")  # noqa: B023
    await discord.say(forum.chat_id, "Boris", "the last word", thread_id=second)
    for platform in ("slack", "telegram"):
        await world.copy(platform, "the last word")
        assert any("since yesterday" in text for text in texts(world, platform)) is not deletes


async def test_a_forum_as_a_target_is_a_fault_that_names_what_to_do(quiet_world: World) -> None:
    world = quiet_world
    discord: Any = world.emulators["discord"]
    forum = discord.add_forum("help")
    ends = [f"slack/{world.chats['slack'].address}", f"discord/{forum.address}"]
    world.settings["routes"] = [{"name": "help", "between": ends}]
    app = await world.start_bridge()
    await world.say("slack", "hello forum")

    def told() -> bool:
        faults = app._supervisors[AccountName("discord")].chat_faults.values()
        return any("<channel>/<post>" in fault.action for fault in faults)

    await eventually(told, what="a fault of the end")
