"""What a Slack message says in its own words: its blocks, or its `text` where those say nothing. Pure. Called by `decode_content`.

A message shows its blocks. `text` is then what notifications show, and where an app gives none Slack fills in a sentence of its
own, which nobody sees in the channel. Names of people and channels are handed in (`Names`), since only ids are on the wire.
"""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.slack.inbound.decode_blocks import decode_blocks, has_words
from adapters.slack.inbound.decode_mrkdwn import decode_mrkdwn
from adapters.slack.lenient import objects
from adapters.slack.names import Names
from bridge.model.pauses import pause_point
from bridge.model.rich_text import RichText, concat

_LONG_BYTES = 16 * 1024
_DEEPEST = 6
"""So deep lie the runs of a text in its blocks."""
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
        return objects(_parsed(bytes(blocks), 0))
    except (msgspec.DecodeError, RecursionError):
        return []


def _parsed(raw: bytes, depth: int) -> Any:
    """As `msgspec.json.decode`, but a long list or object piece by piece: decoding all of it at once would hold everybody up."""
    pause_point()
    if len(raw) <= _LONG_BYTES or depth == _DEEPEST:
        return msgspec.json.decode(raw)
    match raw[:1]:
        case b"[":
            return [_parsed(bytes(each), depth + 1) for each in msgspec.json.decode(raw, type=list[msgspec.Raw])]
        case b"{":
            found = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
            return {name: _parsed(bytes(each), depth + 1) for name, each in found.items()}
        case _:
            return msgspec.json.decode(raw)


def decode_text(text: str | None, blocks: bytes | msgspec.Raw, names: Names, *, marked: bool = True) -> RichText:
    """What a message says, without its attachments. `marked`: whether marks in `text` are formatting. A filler is no words."""
    return text_and_blocks(text, parse_blocks(blocks), names, marked=marked)


def text_and_blocks(text: str | None, blocks: list[dict[str, Any]], names: Names, *, marked: bool = True) -> RichText:
    shown = decode_blocks(blocks, names)
    if not text or is_filler(text) or (blocks and has_words(blocks, names, shown)):
        return shown
    return concat(decode_mrkdwn(text, names, marked=marked), shown)
