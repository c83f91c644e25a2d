"""Telegram's files as attachments."""

from __future__ import annotations

from typing import Any, cast

from adapters.telegram.inbound.decode_files import decode_files
from bridge.model.events import Attachment, Still

FILE = {"file_id": "F", "file_unique_id": "U", "file_size": 5}


def decoded(sticker: dict[str, Any]) -> list[Attachment]:
    return decode_files(cast(Any, {"sticker": sticker}), None)


def test_an_animated_sticker_has_its_still_picture_and_what_it_stands_for() -> None:
    still = {"file_id": "S", "file_unique_id": "SU", "file_size": 3, "width": 128, "height": 128}
    sticker = FILE | {"is_animated": True, "emoji": "🦊", "set_name": "Foxes", "width": 512, "height": 512, "thumbnail": still}
    content = decoded(sticker)
    [shown] = content
    assert (shown.name, shown.mime, shown.width, shown.emoji) == ("Foxes.tgs", "application/x-tgsticker", 512, "🦊")
    assert shown.still == Still(file_id="S", mime="image/webp", width=128, height=128, size_bytes=3)
    [alone] = decoded({**sticker, "thumbnail": {"width": 7}})
    assert (alone.name, alone.still) == ("Foxes.tgs", None)
    [plain_one] = decoded(FILE | {"emoji": "🦊", "set_name": "Foxes"})
    assert (plain_one.name, plain_one.alt_text) == ("Foxes.webp", "🦊 (sticker of the set Foxes)")


def test_a_video_sticker_is_a_film() -> None:
    [shown] = decoded(FILE | {"is_video": True, "is_animated": False, "thumbnail": FILE})
    assert (shown.name, shown.mime, shown.still) == ("sticker.webm", "video/webm", None)
