"""What options make of reactions, custom emoji and names of chats; and of tables that are longer than a message."""

from __future__ import annotations

from typing import Any

from adapters.common.emulation.contract import SeenMessage
from adapters.discord.emulator.records import Permission
from adapters.slack.emulator.records import Message
from tests.fidelity.actions import Action, Found, copies
from tests.fidelity.features import UNKNOWN
from tests.fidelity.route_actions import options
from tests.flows.world import World
from tests.support.patience import eventually

_EMOJI = "5300000000000000077"


async def named_reactions(world: World, origin: str, targets: list[str]) -> Found:
    async with options(world, reactions="tally", reactions_names=True):
        said = await world.say(origin, "to be counted by name")
        shown = await copies(world, targets, "to be counted by name")
        for person in ("Boris", "Carla"):
            await world.emulators[origin].react(world.chats[origin].chat_id, said, person, "👍")
        lines = {target: await _line(world, target, copy) for target, copy in shown.items()}
    return {target: f"converted: one line below, with `reactions_names: true` (`{line}`)" for target, line in lines.items()}


async def _line(world: World, target: str, copy: SeenMessage) -> str:
    def lines() -> list[str]:
        seen = world.seen(target)
        behind = seen[[message.message_id for message in seen].index(copy.message_id) :]
        lines = [line for message in behind if message.is_bot for line in message.text.split("\n")]
        return [line for line in lines if "👍" in line and "Boris" in line and "Carla" in line]

    return (await eventually(lines, what=f"the names on {target}: {world.texts(target)}"))[0].replace(
        "Boris, Carla", "Carla, Boris"
    )


async def emoji_pictures(world: World, origin: str, targets: list[str]) -> Found:
    if origin == "teamspirit":
        return dict.fromkeys(targets, f"not possible: {UNKNOWN}")
    async with options(world, custom_emoji="picture"):
        before = {target: {one.message_id for one in world.seen(target)} for target in targets}
        await _say_emoji(world, origin)
        for target in targets:
            await eventually(
                lambda target=target: [one for one in world.seen(target) if one.files and one.message_id not in before[target]],
                what=f"the picture on {target}: {world.texts(target)}",
            )
    return dict.fromkeys(targets, "converted: its picture, with `custom_emoji: picture`")


async def _say_emoji(world: World, origin: str) -> None:
    emulator: Any = world.emulators[origin]
    chat = world.chats[origin].chat_id
    if origin == "discord":
        await emulator.say(chat, "Anna", "<:parrot:123456789012345678>")
    elif origin == "telegram":
        emulator.world.add_custom_emoji(_EMOJI, "🦜", b"webp")
        entity = {"type": "custom_emoji", "offset": 0, "length": 2, "custom_emoji_id": _EMOJI}
        await emulator.post(chat, "Anna", {"text": "🦜", "entities": [entity]})
    else:
        address = f"{emulator.base_url}/emoji/parrot.png"
        emulator.workspace.custom_emoji["partyparrot"] = address
        emulator.workspace.emit({"type": "emoji_changed", "subtype": "add", "name": "partyparrot", "value": address})
        anna = emulator.people.person("Anna")
        emulator.workspace.channels[chat].members.add(anna)
        elements = [{"type": "rich_text_section", "elements": [{"type": "emoji", "name": "partyparrot"}]}]
        blocks = [{"type": "rich_text", "elements": elements}]
        emulator.workspace.post(Message(chat, emulator.workspace.clock.next(), anna, ":partyparrot:", blocks=blocks))


async def new_names(world: World, origin: str, targets: list[str]) -> Found:
    """The names of the emulators' chats before and after: a person renames the origin's."""
    if origin == "teamspirit":
        return dict.fromkeys(
            targets, "not possible: only its webhook tells of it, and names are no part of its published interface"
        )
    slack, discord = world.emulators.get("slack"), world.emulators.get("discord")
    with_rights(slack, discord)
    found: Found = {}
    async with options(world, renames="chat"):
        _rename(world, origin, "Salon")
        for target in targets:
            if target == "teamspirit":
                await world.copy(target, "renamed the chat to")
                found[target] = "converted: a line; Mattermost, Rocket.Chat and Pachca get the name with `renames: chat`"
                continue
            await eventually(lambda target=target: _name(world, target).lower() == "salon", what=f"the name on {target}")
            found[target] = "native: the chat gets the name, with `renames: chat`, where the bot may"
    return found


def with_rights(slack: Any, discord: Any) -> None:
    slack.workspace.scopes.add("channels:manage")
    discord.bot.permissions |= Permission.MANAGE_CHANNELS


def _rename(world: World, origin: str, name: str) -> None:
    emulator: Any = world.emulators[origin]
    chat = world.chats[origin].chat_id
    if origin == "telegram":
        emulator.world.rename(emulator.world.chats[int(chat)], emulator.world.new_person("Boss"), name)
    elif origin == "slack":
        emulator.rename_chat(chat, name.lower())
    else:
        emulator.operations.rename(emulator.world.channels[int(chat)], name.lower())


def _name(world: World, target: str) -> str:
    emulator: Any = world.emulators[target]
    chat = world.chats[target].chat_id
    if target == "telegram":
        return str(emulator.world.chats[int(chat)].title)
    channels: Any = emulator.workspace.channels if target == "slack" else emulator.world.channels
    return str(channels[chat if target == "slack" else int(chat)].name)


async def long_tables(world: World, origin: str, targets: list[str]) -> Found:
    """In the form that everybody can write: TeamSpirit's Markdown. The others' people have no tables so long, or none at all."""
    if origin != "teamspirit":
        return dict.fromkeys(targets, "not possible: nobody can write one so long there")
    rows = [f"| row {number:03} | {'word ' * 12}{number:03} |" for number in range(45)]
    await world.say(origin, "\n".join(["| heading | of the table |", "|---|---|", *rows]))
    found: Found = {}
    for target in targets:
        await world.copy(target, "row 044")
        pieces = [one for one in world.seen(target) if "row 0" in one.text]
        assert all("heading" in one.text for one in pieces), [one.text[:80] for one in pieces]
        assert sum(one.text.count("row 0") for one in pieces) == len(rows), target
        how = "each message has the head row" if len(pieces) > 1 else "in one message"
        found[target] = f"{'native' if '<table' in pieces[0].html else 'converted'}: {how}"
    return found


OPTIONS: dict[str, Action] = {
    "reactions with the names of people": named_reactions,
    "custom emoji alone, as a picture": emoji_pictures,
    "new name of the chat, given to the other chats": new_names,
    "table that is longer than a message": long_tables,
}
