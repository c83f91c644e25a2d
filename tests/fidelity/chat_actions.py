"""What people do in a chat beside writing: pins, typing, statuses, votes, files that are taken out or replaced; and mentions of
people whom the configuration knows."""

from __future__ import annotations

from typing import Any

from adapters.common.emulation.abilities import AsksPolls, PinsMessages, ShowsTyping, TellsWhoTypes
from adapters.common.emulation.contract import SeenMessage, Upload
from bridge.model.capabilities import Feature, Support
from tests.fidelity.actions import Action, Found, copies, now, sees
from tests.fidelity.features import NO, UNKNOWN
from tests.fidelity.table import TITLES
from tests.flows.world import World
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import all_done

NAMES = "Greta"
GUARDS = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))
"""Invisible characters that nobody sees."""


async def pins(world: World, origin: str, targets: list[str]) -> Found:
    return await _pinned(world, origin, targets, end=False)


async def ends_of_pins(world: World, origin: str, targets: list[str]) -> Found:
    assert world.app is not None
    capabilities = world.app.capabilities_of(origin)
    if capabilities.level(Feature.SEES_PINS) is Support.PARTIAL:
        return dict.fromkeys(targets, f"not possible: {TITLES[origin]} tells bots of {capabilities.note(Feature.SEES_PINS)}")
    return await _pinned(world, origin, targets, end=True)


async def _pinned(world: World, origin: str, targets: list[str], *, end: bool) -> Found:
    emulator, chat = world.emulators[origin], world.chats[origin].chat_id
    if not isinstance(emulator, PinsMessages):
        return dict.fromkeys(targets, f"not possible: {UNKNOWN}")
    words = "to be pinned and unpinned" if end else "to be pinned for good"
    said = await world.say(origin, words)
    shown = await copies(world, targets, words)
    await emulator.pin(chat, said, "Boris")
    found = {target: await _pin_of(world, target, copy) for target, copy in shown.items()}
    if not end:
        return found
    await emulator.pin(chat, said, "Boris", remove=True)
    for target, copy in shown.items():
        if found[target] == "native":
            await eventually(
                lambda target=target, copy=copy: not now(world, target, copy.message_id).pinned, what=f"no pin on {target}"
            )
        else:
            found[target] = f"converted: a line (`{await _line(world, target, copy, 'unpinned')}`)"
    return found


async def _pin_of(world: World, target: str, copy: SeenMessage) -> str:
    assert world.app is not None
    if world.app.capabilities_of(target).native(Feature.PIN):
        await eventually(lambda: now(world, target, copy.message_id).pinned, what=f"the pin on {target}")
        return "native"
    return f"converted: a line (`{await _line(world, target, copy, 'pinned')}`)"


async def _line(world: World, target: str, copy: SeenMessage, word: str) -> str:
    """The line of the bridge behind the copy that has this word, without the bridge's name above it."""

    def lines() -> list[str]:
        seen = world.seen(target)
        behind = seen[[message.message_id for message in seen].index(copy.message_id) + 1 :]
        return [line for message in behind if message.is_bot for line in message.text.split("\n") if word in line]

    return (await eventually(lines, what=f"a line with {word!r} on {target}: {world.texts(target)}"))[0].translate(GUARDS)


async def typing(world: World, origin: str, targets: list[str]) -> Found:
    emulator, chat = world.emulators[origin], world.chats[origin].chat_id
    if not isinstance(emulator, ShowsTyping):
        return dict.fromkeys(targets, f"not possible: {TITLES[origin]} does not tell bots")
    found: Found = {}
    for target in targets:
        shows = world.emulators[target]
        if not isinstance(shows, TellsWhoTypes):
            found[target] = f"not possible: {TITLES[target]} lets no bot type"
            continue

        async def typed(target: str = target, shows: TellsWhoTypes = shows) -> bool:
            await emulator.type(chat, "Boris")
            return bool(shows.typing(world.chats[target].chat_id))

        await eventually_asked(typed, f"typing on {target}", holds=bool)
        found[target] = "native: the bot types, with `typing: true`"
    return found


async def statuses(world: World, origin: str, targets: list[str]) -> Found:
    if origin == "discord":
        return dict.fromkeys(targets, "not possible: Discord tells only bots with the privileged presence intent")
    if origin == "telegram":
        return dict.fromkeys(targets, "not possible: Telegram does not tell bots")
    emulator: Any = world.emulators[origin]
    if origin == "slack":
        emulator.join(world.chats[origin].chat_id, "Anna")
        emulator.set_status("Anna", "in a meeting", ":calendar:")
    else:
        emulator.set_status("Anna", "busy", "in a meeting")
    lines = {target: (await world.copy(target, "in a meeting")).text.split("\n")[-1].translate(GUARDS) for target in targets}
    return {target: f"converted: a line, with `statuses: true` (`{line}`)" for target, line in lines.items()}


async def votes(world: World, origin: str, targets: list[str]) -> Found:
    if not isinstance(world.emulators[origin], AsksPolls):
        return dict.fromkeys(targets, f"not possible: {_no_polls(origin)}")
    if not sees(world, origin, Feature.SEES_VOTES) or origin == "telegram":
        return dict.fromkeys(targets, "not possible: Telegram tells a bot of votes in the bot's own polls alone")
    said, shown = await _asked(world, origin, targets, "Votes in this?")
    await _polls(world, origin).vote_for(world.chats[origin].chat_id, said, "Carla", [1])
    found: Found = {}
    for target, copy in shown.items():
        below = copy.poll is not None or 'class="poll"' in copy.html

        def counted(target: str = target, copy: SeenMessage = copy, below: bool = below) -> bool:
            if below:
                return bool(world.copies(target, "Elsewhere: Soup 0 · Rice 1"))
            return "Rice - 1" in now(world, target, copy.message_id).text

        await eventually(counted, what=f"the vote on {target}: {world.texts(target)}")
        how = "a line below the poll (`Elsewhere: Soup 0 · Rice 1`)" if below else "counted in the lines of the poll"
        found[target] = f"converted: {how}"
    return found


async def ends_of_polls(world: World, origin: str, targets: list[str]) -> Found:
    if not isinstance(world.emulators[origin], AsksPolls):
        return dict.fromkeys(targets, f"not possible: {_no_polls(origin)}")
    said, shown = await _asked(world, origin, targets, "Closed at once?")
    await _polls(world, origin).close_poll(world.chats[origin].chat_id, said)
    found: Found = {}
    for target, copy in shown.items():
        await eventually(
            lambda target=target, copy=copy: "closed" in now(world, target, copy.message_id).text,
            what=f"the end of the poll on {target}: {world.texts(target)}",
        )
        found[target] = "native" if 'class="poll"' in copy.html else "converted: told in the lines of the poll"
    return found


def _no_polls(origin: str) -> str:
    return UNKNOWN if origin == "teamspirit" else NO.format(TITLES[origin])


def _polls(world: World, origin: str) -> AsksPolls:
    emulator = world.emulators[origin]
    assert isinstance(emulator, AsksPolls)
    return emulator


async def _asked(world: World, origin: str, targets: list[str], question: str) -> tuple[str, dict[str, SeenMessage]]:
    said = await _polls(world, origin).ask_poll(world.chats[origin].chat_id, "Boris", question, ["Soup", "Rice"])
    shown: dict[str, SeenMessage] = {}
    for target in targets:
        shown[target] = (await eventually(lambda target=target: world.copies(target, question), what=f"{question} on {target}"))[0]
    return said, shown


async def mentions(world: World, origin: str, targets: list[str]) -> Found:
    """Of somebody whom the configuration knows on all platforms."""
    assert world.app is not None
    handles = {name: emulator.handle(NAMES) for name, emulator in world.emulators.items()}
    before = dict(world.settings)
    world.settings["people"] = [{"name": NAMES, **handles}]
    await world.app.reload(world.config())
    member = next(one for one in _members(world, origin) if one.name == NAMES)
    await world.say(origin, f"ask {member.mention} about it", person="Boris")
    found: Found = {}
    for target, copy in (await copies(world, targets, "about it")).items():
        assert 'class="mention' in copy.html, copy
        found[target] = "native: the same person is told"
    world.settings = before
    await world.app.reload(world.config())
    return found


def _members(world: World, origin: str) -> Any:
    emulator: Any = world.emulators[origin]
    return emulator.members(world.chats[origin].chat_id)


PAPER = Upload(name="paper.txt", mime="text/plain", content=b"on paper")
OTHER = Upload(name="other.txt", mime="text/plain", content=b"on another paper")


async def removed_files(world: World, origin: str, targets: list[str]) -> Found:
    emulator: Any = world.emulators[origin]
    take_out = getattr(emulator, "remove_file", None) or getattr(emulator, "delete_file", None)
    if take_out is None:
        return dict.fromkeys(targets, f"not possible: {TITLES[origin]} lets nobody take a file out of a message")
    said = await world.say(origin, "words beside a paper", files=(PAPER,))
    shown = await copies(world, targets, "words beside a paper")
    await take_out(world.chats[origin].chat_id, said, 0)
    return {target: await _file_of(world, target, copy, "removed by an edit") for target, copy in shown.items()}


async def replaced_files(world: World, origin: str, targets: list[str]) -> Found:
    if origin != "telegram":
        return dict.fromkeys(targets, f"not possible: {TITLES[origin]} lets nobody replace a file in a message")
    emulator: Any = world.emulators[origin]
    said = await world.say(origin, "words beside a plan", files=(PAPER,))
    shown = await copies(world, targets, "words beside a plan")
    await emulator.replace_file(world.chats[origin].chat_id, said, OTHER)
    for target in targets:
        await eventually(
            lambda target=target: any(file.name == OTHER.name for one in world.seen(target) for file in one.files),
            what=f"the other file on {target}",
        )
    assert world.app is not None
    await all_done(world.app)  # the file before it goes once the other one is there
    return {target: await _file_of(world, target, copy, "replaced by an edit") for target, copy in shown.items()}


async def _file_of(world: World, target: str, copy: SeenMessage, word: str) -> str:
    """What became of the file of the copy."""
    assert world.app is not None
    if not world.app.capabilities_of(target).native(Feature.REMOVE_FILE):
        await eventually(lambda: world.copies(target, word), what=f"{word} on {target}: {world.texts(target)}")
        return "converted: a line that tells it"
    await eventually(lambda: not now(world, target, copy.message_id).files, what=f"no file in the copy on {target}")
    return "native: the other file is in a message of its own" if word.startswith("replaced") else "native"


CHAT: dict[str, Action] = {
    "mention of a person in `people:`": mentions,
    "pin": pins,
    "end of a pin": ends_of_pins,
    "typing": typing,
    "status of a person": statuses,
    "votes in a poll": votes,
    "end of a poll": ends_of_polls,
    "file taken out of a message": removed_files,
    "file replaced by another": replaced_files,
}
