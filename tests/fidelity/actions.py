"""What people do to messages and chats, done at an origin as its own clients do it, and what each target shows of it then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from adapters.common.emulation.contract import SeenMessage, Upload
from adapters.registry import load_platform
from adapters.telegram.emulator import TelegramEmulator, places
from bridge.model.capabilities import Feature
from tests.fidelity.features import NO, UNKNOWN
from tests.flows.world import World
from tests.support.patience import eventually

Found = dict[str, str]
Action = Callable[[Any, str, list[str]], Awaitable[Found]]


async def copies(world: World, targets: list[str], needle: str) -> dict[str, SeenMessage]:
    return {target: await world.copy(target, needle) for target in targets}


def now(world: World, target: str, message_id: str) -> SeenMessage:
    return next(message for message in world.seen(target) if message.message_id == message_id)


async def names(world: World, origin: str, targets: list[str]) -> Found:
    await world.say(origin, "who says this", person="Anna Petrova")
    shown = await copies(world, targets, "who says this")
    return {
        name: "native" if "Anna Petrova" in copy.author_name else "converted: a line above the words"
        for name, copy in shown.items()
    }


async def edits(world: World, origin: str, targets: list[str]) -> Found:
    said = await world.say(origin, "before the edit")
    shown = await copies(world, targets, "before the edit")
    await world.emulators[origin].edit(world.chats[origin].chat_id, said, "behind the edit")
    for target, copy in shown.items():
        await eventually(
            lambda target=target, copy=copy: "behind the edit" in now(world, target, copy.message_id).text,
            what=f"the edit on {target}",
        )
    return dict.fromkeys(targets, "native")


async def long_edits(world: World, origin: str, targets: list[str]) -> Found:
    """From a text that may be several messages to one that is not."""
    said = await world.say(origin, "before " * 270 + "end")
    await copies_of_all(world, targets, "before")
    await world.emulators[origin].edit(world.chats[origin].chat_id, said, "short since the edit")
    for target in targets:
        await world.copy(target, "short since the edit")
        await eventually(lambda target=target: not world.copies(target, "before before"), what=f"the rest is gone from {target}")
    return dict.fromkeys(targets, "native")


async def copies_of_all(world: World, targets: list[str], needle: str) -> None:
    for target in targets:
        await eventually(lambda target=target: world.copies(target, needle), what=f"{needle} on {target}")


async def caption_edits(world: World, origin: str, targets: list[str]) -> Found:
    note = Upload(name="note.txt", mime="text/plain", content=b"a note")
    said = await world.say(origin, "words with a file", files=(note,))
    shown = await copies(world, targets, "words with a file")
    await world.emulators[origin].edit(world.chats[origin].chat_id, said, "other words with it")
    for target, copy in shown.items():
        await eventually(
            lambda target=target, copy=copy: "other words with it" in now(world, target, copy.message_id).text,
            what=f"the words beside the file on {target}",
        )
        files = [file for message in world.seen(target) if not message.deleted for file in message.files if file.name == note.name]
        assert len(files) == 1, f"the file was sent once: {files}"
    return dict.fromkeys(targets, "native: the file is not sent again")


async def deletes(world: World, origin: str, targets: list[str]) -> Found:
    if not sees(world, origin, Feature.SEES_DELETES):
        return dict.fromkeys(targets, f"not possible: {note(world, origin, Feature.SEES_DELETES)}")
    said = await world.say(origin, "to be deleted")
    shown = await copies(world, targets, "to be deleted")
    await world.emulators[origin].delete(world.chats[origin].chat_id, said)
    for target, copy in shown.items():
        await eventually(
            lambda target=target, copy=copy: now(world, target, copy.message_id).deleted, what=f"the deletion on {target}"
        )
    return dict.fromkeys(targets, "native")


async def reactions(world: World, origin: str, targets: list[str]) -> Found:
    said = await world.say(origin, "to be liked")
    shown = await copies(world, targets, "to be liked")
    await world.emulators[origin].react(world.chats[origin].chat_id, said, "Boris", "👍")
    for target, copy in shown.items():
        await eventually(
            lambda target=target, copy=copy: now(world, target, copy.message_id).reactions, what=f"the reaction on {target}"
        )
    await world.emulators[origin].react(world.chats[origin].chat_id, said, "Boris", "👍", remove=True)
    for target, copy in shown.items():
        await eventually(
            lambda target=target, copy=copy: not now(world, target, copy.message_id).reactions, what=f"its end on {target}"
        )
    return dict.fromkeys(targets, "native")


async def replies(world: World, origin: str, targets: list[str]) -> Found:
    said = await world.say(origin, "the question")
    asked = await copies(world, targets, "the question")
    await world.say(origin, "the answer", person="Boris", reply_to=said)
    found: Found = {}
    for target, answer in (await copies(world, targets, "the answer")).items():
        if answer.reply_to == asked[target].message_id:
            found[target] = "native"
        elif answer.thread_id == asked[target].message_id:
            found[target] = "native: in the thread of the message"
        else:
            assert "the question" in f"{answer.text}{answer.reply_quote}{answer.html}"
            found[target] = "converted: a line with the quoted words"
    return found


async def live_locations(world: World, origin: str, targets: list[str]) -> Found:
    """The place moves, and its end is told."""
    if origin != "telegram":
        why = UNKNOWN if origin == "teamspirit" else NO.format(load_platform(origin).title)
        return dict.fromkeys(targets, f"not possible: {why}")
    telegram, group = world.emulators["telegram"], world.chats["telegram"].chat_id
    assert isinstance(telegram, TelegramEmulator)
    here = {"latitude": 11.5, "longitude": 77.25, "live_period": 3600}
    message = telegram.world.chats[int(group)].messages[int(await telegram.post(group, "Boris", {"location": here}))]
    await eventually(lambda: all(_places(world, target) for target in targets), "the place")
    found = {target: _is_native_place(world, target) for target in targets}
    places.move(telegram.world, message, 12.5, 77.25)
    for target in targets:
        await eventually(lambda target=target: any("12.5" in one for one in _places(world, target)), f"it moved on {target}")
    places.end(telegram.world, message)
    for target in targets:
        if not found[target]:
            await world.copy(target, "Live location (ended)")
    return {
        target: "native" if is_native else "converted: a line with a link to a map, which follows and says when it ended"
        for target, is_native in found.items()
    }


def _places(world: World, target: str) -> list[str]:
    return [
        f"{one.text} {one.html}"
        for one in world.seen(target)
        if one.is_bot and not one.deleted and "77.25" in f"{one.text}{one.html}"
    ]


def _is_native_place(world: World, target: str) -> bool:
    return not world.copies(target, "Live location")


def sees(world: World, name: str, feature: Feature) -> bool:
    assert world.app is not None
    return world.app.capabilities_of(name).native(feature)


def note(world: World, name: str, feature: Feature) -> str:
    assert world.app is not None
    return world.app.capabilities_of(name).note(feature) or "the platform does not tell bots"


ACTIONS: dict[str, Action] = {
    "name of the sender": names,
    "reply": replies,
    "edit": edits,
    "edit of a long text": long_edits,
    "edit of words beside a file": caption_edits,
    "reaction, and its end": reactions,
    "deletion": deletes,
    "live location": live_locations,
}
