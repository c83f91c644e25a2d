"""Rich messages (Bot API 10.1: `rich_message.blocks[]` instead of `text`) -> the rich-text tree and attachments. Pure.

A message of this kind has no `text` at all, so a bridge that does not read it drops it (platforms.md 1.2). Field names: aiogram
3.31, types/rich_block_*.py and rich_text_*.py. A kind of block or text that is not known shows whatever text it carries.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapters.telegram.wire import Json
from bridge.text import (
    Block,
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    inline_text,
    nested_items,
    normalize,
    text_of,
)

_MARKS = {
    "bold": Mark.BOLD,
    "italic": Mark.ITALIC,
    "underline": Mark.UNDERLINE,
    "strikethrough": Mark.STRIKE,
    "spoiler": Mark.SPOILER,
    "code": Mark.CODE,
    "marked": Mark.BOLD,
}
_NESTING = 16
"""Deeper nesting than Telegram allows is not followed."""
MEDIA_BLOCKS = ("photo", "video", "animation", "audio", "document", "voice_note")


def decode_rich(rich_message: Json) -> tuple[RichText, list[tuple[str, Json]]]:
    """The text, and the media blocks in order as (kind, block)."""
    media: list[tuple[str, Json]] = []
    blocks = _blocks(rich_message["blocks"], media, 0)
    return normalize(RichText(tuple(blocks))), media


def _blocks(blocks: Iterable[Json], media: list[tuple[str, Json]], depth: int) -> list[Block]:
    found: list[Block] = []
    if depth <= _NESTING:
        for block in blocks:
            found += _block(block, media, depth)
    return found


def _block(block: Json, media: list[tuple[str, Json]], depth: int) -> list[Block]:
    kind = block["type"]
    match kind:
        case "heading":
            return [Heading(int(block.get("size", 1)), _inlines(block["text"]))]
        case "pre":
            words = "".join(map(inline_text, _inlines(block["text"])))
            return [CodeBlock(words, block.get("language") or "")]
        case "mathematical_expression":
            return [CodeBlock(str(block["expression"]), "latex")]
        case "list":
            return [_list(block, media, depth)]
        case "blockquote":
            return [_quote(_blocks(block["blocks"], media, depth + 1), block)]
        case "expandable_blockquote" | "pullquote":
            return [_quote([Paragraph(_inlines(block["text"]))], block)]
        case "collage" | "slideshow":
            return [*_blocks(block["blocks"], media, depth + 1), *_caption(block)]
        case "details":
            head = Paragraph(_inlines(block["summary"], int(Mark.BOLD)))
            return [head, *_blocks(block["blocks"], media, depth + 1)]
        case "table":
            return [*_caption(block), CodeBlock(_table(block["cells"]))]
        case "divider":
            return [Paragraph((Text("\N{EM DASH}" * 3),))]
        case "map":
            location = block["location"]
            words = f"Map: {location['latitude']}, {location['longitude']}"
            return [Paragraph((Text(words),)), *_caption(block)]
        case "buttons":
            return [Paragraph(tuple(inline for button in block["buttons"] for inline in _button(button)))]
        case _ if kind in MEDIA_BLOCKS:
            media.append((kind, block))
            return _caption(block)
        case _:
            return [Paragraph(_inlines(block["text"]))] if block.get("text") else []


def _caption(block: Json) -> list[Block]:
    caption = block.get("caption")
    if not caption:
        return []
    if isinstance(caption, dict) and "type" not in caption:  # RichBlockCaption; a table's caption is rich text itself
        lines: list[Block] = [Paragraph(_inlines(caption["text"]))]
        return lines + ([Paragraph(_inlines(caption["credit"], int(Mark.ITALIC)))] if caption.get("credit") else [])
    return [Paragraph(_inlines(caption))]


def _quote(inner: list[Block], block: Json) -> Quote:
    flat: list[Paragraph | Heading | CodeBlock | List] = []
    for each in inner:
        flat += each.blocks if isinstance(each, Quote) else (each,)
    if block.get("credit"):
        flat.append(Paragraph(_inlines(block["credit"], int(Mark.ITALIC))))
    return Quote(tuple(flat))


def _list(block: Json, media: list[tuple[str, Json]], depth: int) -> List:
    items: list[ListItem] = []
    ordered = False
    for item in block["items"]:
        ordered = ordered or item.get("value") is not None
        box = ("[x] " if item.get("is_checked") else "[ ] ") if item.get("has_checkbox") else ""
        lead: tuple[Inline, ...] = (Text(box),) if box else ()
        own: list[Inline] = []
        nested: list[ListItem] = []
        for inner in _blocks(item["blocks"], media, depth + 1):
            if isinstance(inner, List):
                nested += nested_items(inner)
            else:
                words = inner.inlines if isinstance(inner, Paragraph | Heading) else (Text(text_of(RichText((inner,)))),)
                own += [Text("\n"), *words] if own else words
        items += [ListItem((*lead, *own)), *nested]
    start = next((int(item["value"]) for item in block["items"] if item.get("value") is not None), 1)
    return List(tuple(items), ordered, start)


def _table(rows: list[list[Json]]) -> str:
    """A table as aligned columns."""
    cells = [["".join(map(inline_text, _inlines(cell.get("text") or ""))).replace("\n", " ") for cell in row] for row in rows]
    widths = [max((len(row[n]) for row in cells if n < len(row)), default=0) for n in range(max(map(len, cells), default=0))]
    return "\n".join(" | ".join(cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip() for row in cells)


def _inlines(rich: Any, marks: int = 0, link: str | None = None, depth: int = 0) -> tuple[Inline, ...]:
    """RichText: a string, a list, or an object with `type` and mostly `text` inside."""
    if isinstance(rich, str):
        return (Text(rich, marks, link),)
    if depth > _NESTING:
        return ()
    if isinstance(rich, list):
        return tuple(inline for each in rich for inline in _inlines(each, marks, link, depth + 1))
    kind = rich["type"]
    if kind in _MARKS:
        return _inlines(rich["text"], marks | int(_MARKS[kind]), link, depth + 1)
    words = "".join(map(inline_text, _inlines(rich.get("text") or "", depth=depth + 1)))
    match kind:
        case "url":
            return _inlines(rich["text"], marks, rich["url"], depth + 1)
        case "mention":
            return (Mention(MentionKind.USER, rich["username"].removeprefix("@"), rich["username"].removeprefix("@"), marks),)
        case "text_mention":
            return (Mention(MentionKind.USER, str(rich["user"]["id"]), words.removeprefix("@"), marks),)
        case "custom_emoji":
            return (Emoji("emoji", rich["custom_emoji_id"], rich.get("alternative_text", ""), marks),)
        case "date_time":
            return (Timestamp(int(rich["unix_time"]), words, "", marks),)
        case "mathematical_expression":
            return (Text(str(rich["expression"]), marks | int(Mark.CODE)),)
        case "button":
            return _button(rich["button"])
        case _:
            return _inlines(rich.get("text") or "", marks, link, depth + 1)


def _button(button: Json) -> tuple[Inline, ...]:
    words = "".join(map(inline_text, _inlines(button.get("text") or "", depth=1)))
    return (Text(f"[{words}]", 0, button.get("url")), Text(" ")) if words else ()
