"""Files on their way to Telegram: kinds, fall-backs, names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from adapters.telegram.emulator import TelegramEmulator
from bridge.model.adapter import OutboundFile


@pytest.mark.parametrize(
    ("kind", "name", "mime", "shown"),
    [
        ("document", "a.pdf", "application/pdf", "document"),
        ("document", "a.gif", "image/gif", "document"),
        ("video", "a.mp4", "video/mp4", "video"),
        ("video", "a.webm", "video/webm", "document"),
        ("audio", "a.mp3", "audio/mpeg", "audio"),
        ("audio", "a.flac", "audio/flac", "document"),
        ("voice", "a.ogg", "audio/ogg", "voice"),
        ("voice", "a.wav", "audio/wav", "document"),
        ("animation", "a.gif", "image/gif", "animation"),
        ("animation", "a.mp4", "video/mp4", "animation"),
        ("video_note", "a.mp4", "video/mp4", "video"),
        ("sticker", "a.webp", "image/webp", "document"),
    ],
)
async def test_each_kind_goes_as_what_telegram_can_show(
    emulator: TelegramEmulator,
    chat: str,
    adapter: Any,
    say: Any,
    file: Callable[..., OutboundFile],
    kind: str,
    name: str,
    mime: str,
    shown: str,
) -> None:
    content = b"content of " + name.encode()
    facts = {"width": 20, "height": 10} if kind == "video_note" else {}
    await adapter.send(say("caption", files=(file(kind, name, mime, content, **facts),)))
    [seen] = emulator.transcript(chat)
    [one] = seen.files
    assert (one.kind, one.sha256, seen.text) == (shown, hashlib.sha256(content).hexdigest(), "caption")
    assert one.name == name


async def test_stickers_without_words_stay_stickers(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any
) -> None:
    receipt = await adapter.send(say("", files=(file("sticker", "a.webp", "image/webp", b"webp", emoji="👍"),)))
    [seen] = emulator.transcript(chat)
    assert seen.files[0].kind == "sticker"
    assert receipt.adapter_data.startswith("none:")


@pytest.mark.parametrize(("width", "height", "kind"), [(100, 100, "photo"), (10_000, 400, "document"), (2100, 100, "document")])
async def test_pictures_that_are_no_photos_for_telegram_go_as_documents(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any, png: Any, width: int, height: int, kind: str
) -> None:
    picture = png(width, height)
    known = file("photo", "a.png", "image/png", picture, width=width, height=height)
    unknown = file("photo", "a.png", "image/png", picture)
    await adapter.send(say("", files=(known,)))
    receipt = await adapter.send(say("", files=(unknown,)))
    assert [seen.files[0].kind for seen in emulator.transcript(chat)] == [kind, kind]
    assert bool(receipt.losses) == (kind == "document")


async def test_what_only_claims_to_be_a_picture_still_arrives(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any, png: Any
) -> None:
    await adapter.send(say("one", files=(file("photo", "a.png", "image/png", b"no picture"),)))
    mixed = (file("photo", "a.png", "image/png", b"no picture"), file("photo", "b.png", "image/png", png(9, 9)))
    await adapter.send(say("album", files=mixed))
    one, album = emulator.transcript(chat)
    assert [shown.kind for shown in (*one.files, *album.files)] == ["document"] * 3
    assert (one.text, album.text) == ("one", "album")


async def test_files_of_different_kinds_share_an_album_as_documents(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any, png: Any
) -> None:
    files = (file("photo", "a.png", "image/png", png(9, 9)), file("document", "b.pdf", "application/pdf", b"pdf"))
    receipt = await adapter.send(say("both", files=files))
    assert len(receipt.message_ids) == 2
    [seen] = emulator.transcript(chat)
    assert [shown.name for shown in seen.files] == ["a.png", "b.pdf"]


async def test_strange_names_stay_names(emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any) -> None:
    name = 'отчёт "final"; name=x\\y.txt'
    await adapter.send(say("", files=(file("document", name, "text/plain", b"x"),)))
    [seen] = emulator.transcript(chat)
    assert seen.files[0].name == "отчёт 'final'; name=x_y.txt"
    await adapter.send(say("", files=(file("document", "a\r\nX-Evil: 1\r\n\r\n.txt", "text/plain\r\nX: y", b"x"),)))
    assert emulator.transcript(chat)[-1].files[0].name == "aX-Evil: 1.txt"
