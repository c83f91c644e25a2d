"""What people post is split, and put together, as their apps do it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from adapters.common.emulation.contract import Upload
from adapters.telegram.emulator import TelegramEmulator

Ask = Callable[..., Coroutine[Any, Any, Any]]


async def test_people_post_albums_as_their_apps_do(
    emulator: TelegramEmulator, chat: str, ask: Ask, png: Callable[..., bytes]
) -> None:
    picture = Upload(name="a.png", mime="image/png", content=png(9, 9))
    paper = Upload(name="a.pdf", mime="application/pdf", content=b"pdf")
    first = await emulator.say(chat, "Anna", "mixed", files=[picture, picture, paper])
    updates = [update["message"] for update in (await ask("getUpdates"))["result"]]
    assert [("photo" in m, "media_group_id" in m, m.get("caption")) for m in updates] == [
        (True, True, "mixed"),
        (True, True, None),
        (False, False, None),
    ]
    assert [(seen.message_id == first, len(seen.files)) for seen in emulator.transcript(chat)] == [(True, 2), (False, 1)]
    await emulator.edit(chat, first, "__new__")
    await emulator.react(chat, first, "Bob", "👍")
    album = emulator.transcript(chat)[0]
    assert (album.html, len(album.reactions), len(album.files)) == ("<i>new</i>", 1, 2)
    await emulator.delete(chat, first)
    assert emulator.transcript(chat)[0].deleted


async def test_long_texts_of_people_are_split_as_their_apps_do(emulator: TelegramEmulator, chat: str) -> None:
    await emulator.say(chat, "Anna", "**" + "word " * 1500 + "end**")
    pieces = emulator.transcript(chat)
    assert len(pieces) == 2
    assert "".join(piece.text + " " for piece in pieces).split() == ["word"] * 1500 + ["end"]
    assert all(piece.html.startswith("<b>") for piece in pieces)
