"""People change the captions of an album one by one; the copies elsewhere show all of them."""

from __future__ import annotations

import pytest

from adapters.common.emulation.contract import Upload
from adapters.telegram.emulator import TelegramEmulator
from tests.flows.world import World
from tests.support.patience import eventually

PICTURE = Upload(name="p.jpg", mime="image/jpeg", content=b"\xff\xd8\xff\xe0" + b"\0" * 60)
FILE = Upload(name="b.pdf", mime="application/pdf", content=b"%PDF-1.4 b")


@pytest.mark.parametrize("restarted", [False, True])
async def test_captions_of_an_album_change_one_by_one(world: World, restarted: bool) -> None:
    telegram, chat = world.emulators["telegram"], world.chats["telegram"].chat_id
    assert isinstance(telegram, TelegramEmulator)
    first = await world.say("telegram", "main words", files=[PICTURE, PICTURE])
    second = str(int(first) + 1)
    others = [name for name in world.emulators if name != "telegram"]
    for name in others:
        await world.copy(name, "main words")
    if restarted:
        await world.stop_bridge()
        await world.start_bridge()
    steps = [
        (second, "a note", ("main words", "a note")),
        (first, "", ("a note",)),
        (first, "new", ("new", "a note")),
        (second, "", ("new",)),
    ]
    for number, caption, expected in steps:
        await telegram.caption(chat, number, caption)
        gone = {"main words", "a note", "new"} - set(expected)
        for name in others:

            def holds(name: str = name, expected: tuple[str, ...] = expected, gone: set[str] = gone) -> bool:
                (copy, *_) = [m for m in world.seen(name) if m.is_bot and m.files and not m.deleted]
                return all(word in copy.text for word in expected) and not any(word in copy.text for word in gone)

            await eventually(holds, what=f"{expected} on {name}: {world.texts(name)}")
