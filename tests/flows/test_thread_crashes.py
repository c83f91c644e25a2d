"""The process is killed between the making of a thread and the note of it: the thread is found again, and no second one is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import EmulatedChat, Fault, FaultKind
from tests.flows.process import Daemon
from tests.flows.world import World
from tests.support.patience import eventually

TITLE = "Releases"


def threads(emulator: Any, chat: EmulatedChat) -> list[str]:
    """Of that title, as people see them."""
    if hasattr(emulator, "threads"):
        return [one.thread_id for one in emulator.threads(chat.chat_id) if one.name == TITLE]
    return [one.message_id for one in emulator.transcript(chat.chat_id) if one.text == TITLE and not one.deleted]


CASES: dict[str, tuple[str, str, str, Callable[[Any], EmulatedChat]]] = {
    "a topic": ("discord", "telegram", "createForumTopic", lambda emulator: emulator.add_forum("forum")[0]),
    "a thread": ("telegram", "discord", "POST /channels/{channel}/threads", lambda emulator: emulator.add_chat("general")),
    "a post": ("telegram", "discord", "POST /channels/{channel}/threads", lambda emulator: emulator.add_forum("posts")),
    "a parent": ("telegram", "slack", "chat.postMessage", lambda emulator: emulator.add_chat("general")),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
async def test_killed_between_the_making_and_the_note(tmp_path: Path, case: str) -> None:
    origin, target, operation, made = CASES[case]
    world = World(tmp_path, (origin, target))
    await world.start_platforms()
    there: Any = world.emulators[target]
    here: Any = world.emulators[origin]
    chat = world.chats[target] = made(there)
    world.chats[origin] = forum = here.add_forum("sources")[0] if origin == "telegram" else here.add_forum("sources")
    world.settings["routes"] = [{"name": "all", "between": [f"{name}/{one.address}/*" for name, one in world.chats.items()]}]
    daemon = Daemon(world.write_config())
    try:
        await daemon.start()
        there.inject(Fault(operation=operation, kind=FaultKind.HANG_AFTER, times=1))
        if origin == "telegram":
            thread = await here.start_thread(forum.chat_id, "Anna", TITLE)
            await here.say(forum.chat_id, "Anna", "the first words", thread_id=thread)
        else:
            await eventually(lambda: here.gateway.ready_sessions, what="the bridge listens")
            thread = await here.start_post(forum.chat_id, "Anna", TITLE, "the first words")
        await eventually(lambda: threads(there, chat), what=f"{case} is made: {world.texts(target)}")
        await daemon.kill()
        await daemon.start()
        if origin == "discord":
            await eventually(lambda: here.gateway.ready_sessions, what="the bridge listens")
        await here.say(forum.chat_id, "Anna", "the next words", thread_id=thread)
        await eventually(lambda: world.copies(target, "the next words"), what=f"{world.texts(target)}")
        (only,) = threads(there, chat)
        copies = [world.copies(target, words) for words in ("the first words", "the next words")]
        assert [[one.thread_id for one in found] for found in copies] == [[only], [only]]
    finally:
        await daemon.kill()
        daemon.close()
        await world.stop_platforms()
