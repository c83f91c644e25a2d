"""Statuses both ways: a person's is told in the other chats where the route says so, the bot's own says how the bridge is."""

from __future__ import annotations

from adapters.common.emulation.contract import StreamFault
from adapters.discord.emulator import DiscordEmulator
from adapters.slack.emulator import SlackEmulator
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.accounts.presence import PresencePace
from bridge.accounts.state import AccountState
from bridge.policy.notice_storms import MOST
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually

QUICK = PresencePace(look_every_s=0.05, settled_s=0.0, between_s=0.1)
OTHERS = ("telegram", "slack", "discord")


def spirit(world: World) -> TeamSpiritEmulator:
    emulator = world.emulators["teamspirit"]
    assert isinstance(emulator, TeamSpiritEmulator)
    return emulator


def called_by_webhook(world: World) -> None:
    """Only calls tell of statuses."""
    port = free_port()
    world.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}


async def test_a_persons_status_is_told_where_the_route_says_so(quiet_world: World) -> None:
    called_by_webhook(quiet_world)
    quiet_world.route_options["statuses"] = True
    await quiet_world.start_bridge()
    spirit(quiet_world).set_status("Anna", "busy", "in a meeting")
    for platform in OTHERS:
        told = await quiet_world.copy(platform, "in a meeting")
        assert "Anna" in told.text
        assert "busy" in told.text


async def test_a_status_that_names_no_chat_is_told_as_well(quiet_world: World) -> None:
    """A status is a person's: a server may tell it once, and of no chat."""
    called_by_webhook(quiet_world)
    quiet_world.route_options["statuses"] = True
    app = await quiet_world.start_bridge()
    spirit(quiet_world).world.rules.statuses_without_chat = True
    spirit(quiet_world).set_status("Anna", "vacation", "back on Monday")
    for platform in OTHERS:
        told = await quiet_world.copy(platform, "back on Monday")
        assert "Anna" in told.text
        assert "vacation" in told.text, "a word that the bridge has no other word for"
    assert not (await app.report())["journal"]["undecodable"]


async def test_who_changes_the_status_without_end_floods_nobody(quiet_world: World) -> None:
    called_by_webhook(quiet_world)
    quiet_world.route_options |= {"statuses": True, "membership": True}
    await quiet_world.start_bridge()
    chat = quiet_world.chats["teamspirit"].chat_id
    for number in range(40):
        spirit(quiet_world).set_status("Eve", "busy", f"storm {number}")
        spirit(quiet_world).join(chat, "Eve", leave=bool(number % 2))
    spirit(quiet_world).set_status("Anna", "busy", "in a meeting")
    await quiet_world.say("teamspirit", "afterwards")
    for platform in OTHERS:
        await quiet_world.copy(platform, "afterwards")
        await quiet_world.copy(platform, "in a meeting")
        lines = [line for text in quiet_world.texts(platform) for line in text.splitlines() if "Eve" in line]
        assert len([line for line in lines if "joined" in line or "left" in line]) in range(1, MOST + 1), lines
        assert len(quiet_world.copies(platform, "storm ")) <= MOST
        assert quiet_world.copies(platform, "storm ")
    assert quiet_world.app is not None
    assert not await quiet_world.app.journal.dead_letters()


async def test_and_nowhere_else(quiet_world: World) -> None:
    called_by_webhook(quiet_world)
    await quiet_world.start_bridge()
    spirit(quiet_world).set_status("Anna", "busy", "in a meeting")
    await quiet_world.say("teamspirit", "afterwards")
    for platform in OTHERS:
        await quiet_world.copy(platform, "afterwards")
        assert not quiet_world.copies(platform, "in a meeting")


async def test_the_bots_own_status_says_how_the_bridge_is(quiet_world: World) -> None:
    called_by_webhook(quiet_world)
    quiet_world.account_options["teamspirit"] = {"show_health": True}
    quiet_world.route_options["statuses"] = True
    quiet_world.app_parts["presence_pace"] = QUICK
    await quiet_world.start_bridge()
    bot = spirit(quiet_world).world.state.bot
    await eventually(lambda: (bot.status, bot.status_text) == ("online", "relaying"))

    await quiet_world.emulators["discord"].refuse_connections(True)
    await quiet_world.emulators["discord"].disturb(StreamFault.DISCONNECT)
    await eventually(lambda: (bot.status, bot.status_text) == ("away", "connecting: discord"), what=f"{bot}")
    await quiet_world.emulators["discord"].refuse_connections(False)
    await quiet_world.until_state("discord", AccountState.UP)
    await eventually(lambda: bot.status == "online")

    await quiet_world.stop_bridge()
    assert (bot.status, bot.status_text) == ("offline", "")
    for platform in OTHERS:
        assert not [text for text in quiet_world.texts(platform) if "discord" in text or "relaying" in text], "its own is no news"


async def test_discords_bot_shows_how_the_bridge_is_also_over_a_new_connection(quiet_world: World) -> None:
    world = quiet_world
    discord = world.emulators["discord"]
    assert isinstance(discord, DiscordEmulator)
    world.account_options["discord"] = {"show_health": True}
    world.app_parts["presence_pace"] = QUICK
    await world.start_bridge()
    await eventually(lambda: discord.bot.presence == ("online", ["relaying"]), f"{discord.bot.presence}")
    await world.emulators["slack"].refuse_connections(True)
    await world.emulators["slack"].disturb(StreamFault.DISCONNECT)
    await eventually(lambda: discord.bot.presence == ("idle", ["connecting: slack"]), f"{discord.bot.presence}")
    discord.bot.presence = ("online", [])  # as a new session is
    await discord.disturb(StreamFault.INVALIDATE_SESSION)
    await eventually(lambda: discord.bot.presence == ("idle", ["connecting: slack"]), "shown again")
    await world.emulators["slack"].refuse_connections(False)
    await world.until_state("slack", AccountState.UP)
    await eventually(lambda: discord.bot.presence == ("online", ["relaying"]))


async def test_a_status_of_slack_is_told_where_the_person_is(quiet_world: World) -> None:
    quiet_world.route_options["statuses"] = True
    await quiet_world.start_bridge()
    slack = quiet_world.emulators["slack"]
    assert isinstance(slack, SlackEmulator)
    slack.join(quiet_world.chats["slack"].chat_id, "Anna")
    slack.add_person("Stranger")
    slack.set_status("Stranger", "of another channel")
    slack.set_status("Anna", "at lunch &amp; away", ":palm_tree:")
    for platform in ("teamspirit", "telegram", "discord"):
        told = await quiet_world.copy(platform, "at lunch & away")
        assert "Anna has another status: 🌴 at lunch & away" in told.text.translate(dict.fromkeys(map(ord, "\u200b\u2060")))
    slack.set_status("Anna", "")
    await quiet_world.copy("telegram", "no longer has a status")
    assert not quiet_world.copies("telegram", "of another channel")
    for number in range(30):
        slack.set_status("Anna", f"mood {number}")
    await quiet_world.say("slack", "enough", person="Anna")
    await quiet_world.copy("telegram", "enough")
    assert 0 < len(quiet_world.copies("telegram", "mood")) < MOST
    assert slack.calls().count("users.conversations") == 2, "asked once for each person"
