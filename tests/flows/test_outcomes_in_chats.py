"""What people see of failures, of late messages, of deletions that are marked, and of the hold window, between all platforms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bridge.journal.contract import DeliveryStatus
from bridge.model.clock import SystemClock
from tests.flows.world import World
from tests.support.patience import eventually, eventually_asked


class AheadClock(SystemClock):
    """A clock on which messages are old as soon as they come."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> Any:
        return super().now() + self._ahead


async def test_a_failure_shows_at_its_source_is_told_and_is_retried_from_there(quiet_world: World) -> None:
    world = quiet_world
    telegram: Any = world.emulators["telegram"]
    slack: Any = world.emulators["slack"]
    discord: Any = world.emulators["discord"]
    alerts = discord.add_chat("alerts")
    anna = telegram.add_person("Anna")
    world.settings["people"] = [{"name": "Anna Petrova", "telegram": anna, "roles": ["moderator"]}]
    world.settings["commands"] = {"listen": ["telegram"], "retry_on": ["🔥"]}
    world.route_options["on_dead"] = {"mark": "reaction", "notify": f"discord/{alerts.address}"}
    await world.start_bridge()
    slack.api.refusals = {"chat.postMessage": "invalid_blocks"}
    said = await world.say("telegram", "does not arrive", person="Boris")
    await world.copy("discord", "does not arrive")
    chat = world.chats["telegram"].chat_id

    def marks() -> set[str]:
        return {one.emoji for message in telegram.transcript(chat) if message.message_id == said for one in message.reactions}

    await eventually(marks, what="a mark on the message")
    slack.api.refusals = {}
    told = await eventually(lambda: [one for one in discord.transcript(alerts.chat_id) if "did not arrive" in one.text])
    assert "does not arrive" not in told[0].text, "what was said is told to nobody else"
    assert f"telegram/{chat}#{said}" in told[0].text

    await telegram.react(chat, said, "Boris", "🔥")
    await telegram.react(chat, said, "Anna", "🔥")
    await world.copy("slack", "does not arrive")
    await eventually(lambda: not marks() & {"⚠️", "❗", "👎"}, what=f"no mark any more: {marks()}")


async def test_where_a_bot_cannot_react_a_reply_says_it(quiet_world: World) -> None:
    world = quiet_world
    slack: Any = world.emulators["slack"]
    world.route_options["on_dead"] = {"mark": "reply"}
    app = await world.start_bridge()
    slack.api.refusals = {"chat.postMessage": "invalid_blocks"}
    await world.say("discord", "does not arrive")
    told = await eventually(lambda: world.copies("discord", "This did not arrive in slack/"))
    await world.copy("telegram", "does not arrive")
    assert not world.copies("telegram", "did not arrive")
    slack.api.refusals = {}
    await world.stop_bridge()
    app = await world.start_bridge()
    (letter,) = await app.journal.dead_letters()
    await app.journal.retry_dead([letter.delivery_id])
    await world.copy("slack", "does not arrive")
    await eventually(lambda: world.copies("discord", "It has arrived by now"))
    assert len(world.copies("discord", "This did not arrive")) == len(told) == 1, "once, also after a restart"


async def test_late_messages_say_when_they_were_written_or_are_dropped(quiet_world: World) -> None:
    world = quiet_world
    world.app_parts["clock"] = AheadClock(timedelta(hours=3))
    ends: list[Any] = [f"{name}/{world.chats[name].address}" for name in ("slack", "discord", "teamspirit")]
    ends.append({"chat": f"telegram/{world.chats['telegram'].address}", "on_late": "drop"})
    world.settings["routes"] = [{"name": "lobby", "between": ends, "max_age_min": 60}]
    app = await world.start_bridge()
    await world.say("slack", "written long ago")
    for name in ("discord", "teamspirit"):
        assert "sent " in (await world.copy(name, "written long ago")).text
    (letter,) = await eventually_asked(lambda: app.journal.dead_letters(), holds=bool)
    assert letter.reason.startswith("too old: it was written 3 h")
    assert letter.target.account == "telegram"
    assert not world.copies("telegram", "written long ago")


async def test_a_deletion_in_the_hold_window_comes_first(quiet_world: World) -> None:
    world = quiet_world
    ends: list[Any] = [f"{name}/{world.chats[name].address}" for name in ("slack", "discord")]
    ends.append({"chat": f"telegram/{world.chats['telegram'].address}", "hold_s": 4})
    world.settings["routes"] = [{"name": "lobby", "between": ends}]
    app = await world.start_bridge()
    spam = await world.say("discord", "buy now", person="Mallory")
    await world.copy("slack", "buy now")
    assert not world.copies("telegram", "buy now")
    await world.emulators["discord"].delete(world.chats["discord"].chat_id, spam)
    await world.say("discord", "good morning")
    await world.copy("telegram", "good morning")
    assert not [one for one in world.seen("telegram") if "buy now" in one.text], "it never was there"
    assert await app.journal.dead_letters() == []


async def test_deletions_that_are_marked_leave_the_copy(quiet_world: World) -> None:
    world = quiet_world
    ends: list[Any] = [{"chat": f"{name}/{world.chats[name].address}", "deletes": how} for name, how in HOW.items()]
    world.settings["routes"] = [{"name": "lobby", "between": ends}]
    app = await world.start_bridge()
    said = await world.say("discord", "half a secret")
    for name in ("slack", "telegram", "teamspirit"):
        await world.copy(name, "half a secret")
    await world.emulators["discord"].delete(world.chats["discord"].chat_id, said)
    await eventually(lambda: not world.copies("slack", "half a secret"))
    mark = await eventually(lambda: world.copies("telegram", "was deleted where it was written"))
    assert mark[0].reply_to == world.copies("telegram", "half a secret")[0].message_id
    assert world.copies("teamspirit", "half a secret")
    assert not world.copies("teamspirit", "was deleted")
    assert {one.state for one in await app.journal.dead_letters()} <= {DeliveryStatus.DEAD}


HOW = {"discord": True, "slack": "mirror", "telegram": "mark", "teamspirit": "ignore"}
