"""What becomes of threads, topics and posts: their messages, titles, new names, closings and deletions; in a world of its own, in
which all chats have threads and the bridge mirrors all of them (`chat/*`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fidelity.actions import Found
from tests.flows.world import PLATFORMS, World
from tests.support.patience import eventually

MESSAGE, TITLE, NAME, CLOSED, DELETED = NAMES = (
    "message of a thread",
    "title of a thread",
    "new name of a thread",
    "closed and reopened thread",
    "deleted thread",
)
_NAMED = ("telegram", "discord")
"""Where threads have names of their own."""
_NO_TITLE = "a thread there has no title: it is its first message and the answers"
_NO_END = "threads there do not close"
_ONE_BY_ONE = "a thread there ends with its messages, one by one"


async def play_threads(origin: str, folder: Path) -> dict[str, Found]:
    world = World(folder)
    await world.start_platforms()
    try:
        telegram: Any = world.emulators["telegram"]
        world.chats["telegram"] = telegram.add_forum("forum")[0]
        ends = [f"{name}/{chat.address}/*" for name, chat in world.chats.items()]
        world.settings["routes"] = [{"name": "all", "between": ends}]
        await world.start_bridge()
        return await _play(world, origin, [name for name in PLATFORMS if name != origin])
    finally:
        await world.stop_bridge()
        await world.stop_platforms()


async def _play(world: World, origin: str, targets: list[str]) -> dict[str, Found]:
    here: Any = world.emulators[origin]
    chat_id = world.chats[origin].chat_id
    if origin not in _NAMED:
        thread = await world.say(origin, "the first words")
        for target in targets:
            await world.copy(target, "the first words")
    else:
        thread = await here.start_thread(chat_id, "Kim Lee", "Releases")
    await world.say(origin, "an answer", person="Kim Lee", thread_id=thread)
    there = {target: (await world.copy(target, "an answer")).thread_id for target in targets}
    assert all(there.values()), there
    found = {MESSAGE: dict.fromkeys(targets, "native")}
    if origin not in _NAMED:
        reasons = {TITLE: _NO_TITLE, NAME: _NO_TITLE, CLOSED: _NO_END, DELETED: _ONE_BY_ONE}
        return found | {name: dict.fromkeys(targets, f"not possible: {reason}") for name, reason in reasons.items()}
    found[TITLE] = {
        target: await _named(world, target, there[target], "Releases", "a message with it begins the thread") for target in targets
    }
    await (
        here.rename_topic(chat_id, thread, "Kim Lee", "Versions")
        if origin == "telegram"
        else here.rename_thread(thread, "Kim Lee", "Versions")
    )
    found[NAME] = {
        target: await _named(world, target, there[target], "Versions", "the message with the title is edited") for target in targets
    }
    for closed in (True, False):
        await (
            here.close_topic(chat_id, thread, "Kim Lee", closed=closed)
            if origin == "telegram"
            else here.lock_thread(thread, locked=closed)
        )
        found[CLOSED] = {target: await _closed(world, target, there[target], closed=closed) for target in targets}
    if origin == "telegram":
        return found | {DELETED: dict.fromkeys(targets, "not possible: the Bot API does not tell of deletions")}
    await here.delete_thread(thread)
    return found | {DELETED: {target: await _deleted(world, target, there[target]) for target in targets}}


async def _named(world: World, target: str, thread_id: str, title: str, how: str) -> str:
    if target in _NAMED:
        await eventually(lambda: getattr(_thread(world, target, thread_id), "name", "") == title, what=f"{title} on {target}")
        return "native"
    await eventually(lambda: _message(world, target, thread_id) == title, what=f"{title} on {target}: {world.texts(target)}")
    return f"converted: {how}"


async def _closed(world: World, target: str, thread_id: str, *, closed: bool) -> str:
    if target in _NAMED:
        await eventually(
            lambda: getattr(_thread(world, target, thread_id), "closed", None) is closed, what=f"closed {closed} on {target}"
        )
        return "native"
    sign = "🔒" if closed else "🔓"
    await eventually(lambda: _lines(world, target, thread_id, sign), what=f"{sign} on {target}: {world.texts(target)}")
    (line,) = _lines(world, target, thread_id, "🔒")
    return f"converted: a line (`{line}`)"


async def _deleted(world: World, target: str, thread_id: str) -> str:
    if target in _NAMED:
        await eventually(lambda: _thread(world, target, thread_id) is None, what=f"it is gone on {target}")
        return "native: of those that the bridge made; `deletes`"
    await eventually(lambda: _lines(world, target, thread_id, "🗑️"), what=f"the line on {target}: {world.texts(target)}")
    await eventually(lambda: not world.copies(target, "an answer"), what=f"the copies are gone on {target}")
    (line,) = _lines(world, target, thread_id, "🗑️")
    return f"converted: its messages are deleted, and a line says so (`{line}`)"


def _thread(world: World, target: str, thread_id: str) -> Any:
    emulator: Any = world.emulators[target]
    return next((one for one in emulator.threads(world.chats[target].chat_id) if one.thread_id == thread_id), None)


def _message(world: World, target: str, message_id: str) -> str:
    return next((one.text for one in world.seen(target) if one.message_id == message_id), "")


def _lines(world: World, target: str, thread_id: str, sign: str) -> list[str]:
    seen = [one for one in world.seen(target) if one.thread_id == thread_id and sign in one.text and not one.deleted]
    return [one.text.strip("\u2060") for one in seen]
