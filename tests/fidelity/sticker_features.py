"""Stickers of each kind, as they cross without the packages that convert them. Data. With these: `converted_files`."""

from __future__ import annotations

from typing import Any

from tests.fidelity.features import NO, UNKNOWN, Feature, Json
from tests.fidelity.payloads import discord, telegram, telegram_file


def _telegram(name: str, mime: str, **kind: bool) -> Json:
    facts: Any = {"emoji": "🙂", "width": 512, "height": 512, "type": "regular", "is_animated": False, "is_video": False}
    return telegram(**telegram_file("sticker", name, mime, **facts | kind))


def _discord(format_type: int) -> Json:
    return discord(sticker_items=[{"id": f"74905466076921863{format_type}", "name": "Wave", "format_type": format_type}])


_HOW = "a file, or a line where nothing can play it"

STICKERS = [
    Feature(
        "sticker",
        _telegram("s.webp", "image/webp"),
        NO.format("Slack"),
        _discord(1),
        UNKNOWN,
        file=("sticker",),
    ),
    Feature(
        "animated sticker",
        _telegram("s.tgs", "application/x-tgsticker", is_animated=True),
        NO.format("Slack"),
        _discord(3),
        UNKNOWN,
        file=("sticker",),
        how=_HOW,
    ),
    Feature(
        "video sticker",
        _telegram("s.webm", "video/webm", is_video=True),
        NO.format("Slack"),
        NO.format("Discord"),
        UNKNOWN,
        file=("sticker",),
        how=_HOW,
    ),
    Feature(
        "sticker that is an animated picture",
        NO.format("Telegram"),
        NO.format("Slack"),
        _discord(2),
        UNKNOWN,
        file=("sticker",),
    ),
    Feature(
        "sticker that is a GIF",
        NO.format("Telegram"),
        NO.format("Slack"),
        _discord(4),
        UNKNOWN,
        file=("sticker",),
    ),
]
