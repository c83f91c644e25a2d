"""What a Slack message says in its own words: its blocks, or its `text` where those say nothing. Pure. Called by `decode_content`.

A message shows its blocks. `text` is then what notifications show, and where an app gives none Slack fills in a sentence of its
own, which nobody sees in the channel. Names of people and channels are handed in (`Names`), since only ids are on the wire.
"""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.slack.decode_blocks import decode_blocks, has_words
from adapters.slack.decode_mrkdwn import decode_mrkdwn
from adapters.slack.lenient import objects
from adapters.slack.names import Names
from bridge.model.rich_text import RichText, concat

_FILLERS = frozenset(
    {
        "this content can't be displayed",
        "this message contains interactive elements",
        "[no preview available]",
        "no preview available",
    }
)
"""What Slack puts where an app gave no text [java-slack-sdk and slack-go, samples in their tests]."""


def is_filler(text: str | None) -> bool:
    return (text or "").strip().replace("\u2019", "'").rstrip(".").lower() in _FILLERS


def parse_blocks(blocks: bytes | msgspec.Raw) -> list[dict[str, Any]]:
    """The blocks that are objects; none for what is no list."""
    if not blocks:
        return []
    try:
        return objects(msgspec.json.decode(blocks))
    except (msgspec.DecodeError, RecursionError):
        return []


def decode_text(text: str | None, blocks: bytes | msgspec.Raw, names: Names, *, marked: bool = True) -> RichText:
    """What a message says, without its attachments. `marked`: whether marks in `text` are formatting. A filler is no words."""
    return text_and_blocks(text, parse_blocks(blocks), names, marked=marked)


def text_and_blocks(text: str | None, blocks: list[dict[str, Any]], names: Names, *, marked: bool = True) -> RichText:
    shown = decode_blocks(blocks, names)
    if not text or is_filler(text) or (blocks and has_words(blocks, names)):
        return shown
    return concat(decode_mrkdwn(text, names, marked=marked), shown)
