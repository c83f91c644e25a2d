"""Rich messages (Bot API 10.1: `rich_message.blocks[]` instead of `text`) -> the rich-text tree and attachments. Pure.

A message of this kind has no `text` at all, so a bridge that does not read it drops it (platforms.md 1.2). Field names: aiogram
3.31, types/rich_block_*.py and rich_text_*.py. A kind of block or text that is not known shows whatever text it carries.
"""

from __future__ import annotations

from adapters.common.lenient import Json, real, record, records, whole, words
from bridge.model.rich_text import (
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
    RichText,
    Text,
    Timestamp,
    inline_text,
    nested_items,
    normalize,
    quoted,
    text_of,
    to_plain,
)
from bridge.model.rich_text_tables import table

_MARKS = {
    "bold": Mark.BOLD,
    "italic": Mark.ITALIC,
    "underline": Mark.UNDERLINE,
    "strikethrough": Mark.STRIKE,
    "spoiler": Mark.SPOILER,
    "code": Mark.CODE,
    "marked": Mark.BOLD,
}
_MOST_SPANNED = 20
"""Columns or rows; a table has 20 columns at most."""
_NESTING = 16
"""Deeper nesting than Telegram allows is not followed."""
MEDIA_BLOCKS = ("photo", "video", "animation", "audio", "document", "voice_note")


def decode_rich(rich_message: Json) -> tuple[RichText, list[tuple[str, Json]]]:
    """The text, and the media blocks in order as (kind, block)."""
    media: list[tuple[str, Json]] = []
    blocks = _blocks(rich_message.get("blocks"), media, 0)
    return normalize(RichText(tuple(blocks))), media


def _blocks(blocks: object, media: list[tuple[str, Json]], depth: int) -> list[Block]:
    found: list[Block] = []
    if depth <= _NESTING:
        for block in records(blocks):
            found += _block(block, media, depth)
    return found


def _block(block: Json, media: list[tuple[str, Json]], depth: int) -> list[Block]:
    kind = words(block.get("type"))
    match kind:
        case "heading":
            return [Heading(whole(block.get("size")) or 1, _inlines(block.get("text")))]
        case "pre":
            return [CodeBlock(_shown(block.get("text")), words(block.get("language")))]
        case "mathematical_expression":
            return [CodeBlock(words(block.get("expression")), "latex")]
        case "list":
            return [_list(block, media, depth)]
        case "blockquote":
            return _quote(_blocks(block.get("blocks"), media, depth + 1), block)
        case "expandable_blockquote" | "pullquote":
            return _quote([Paragraph(_inlines(block.get("text")))], block)
        case "collage" | "slideshow":
            return [*_blocks(block.get("blocks"), media, depth + 1), *_caption(block)]
        case "details":
            head = Paragraph(_inlines(block.get("summary"), int(Mark.BOLD)))
            return [head, *_blocks(block.get("blocks"), media, depth + 1)]
        case "table":
            return [*_caption(block), _table(block.get("cells"))]
        case "divider":
            return [Paragraph((Text("\N{EM DASH}" * 3),))]
        case "map":
            return [Paragraph((Text(_place(record(block.get("location")))),)), *_caption(block)]
        case "buttons":
            return [Paragraph(tuple(inline for button in records(block.get("buttons")) for inline in _button(button)))]
        case "anchor":
            return []  # a place to jump to; nothing is seen of it
        case _ if kind in MEDIA_BLOCKS:
            media.append((kind, block))
            return _caption(block)
        case _:
            return _other(kind, block, media, depth)


def _other(kind: str, block: Json, media: list[tuple[str, Json]], depth: int) -> list[Block]:
    """Paragraphs, footers, thoughts - and blocks that are not known, which show the words they have, or at least what they are."""
    found = [Paragraph(_inlines(block["text"])), *_blocks(block.get("blocks"), media, depth + 1)] if block.get("text") else []
    found = found or _blocks(block.get("blocks"), media, depth + 1)
    known = ("paragraph", "footer", "thinking")
    return found if found or kind in known else [Paragraph((Text(f"(something Telegram calls {kind or 'a block'})"),))]


def _shown(rich: object) -> str:
    return "".join(map(inline_text, _inlines(rich)))


def _place(location: Json) -> str:
    latitude, longitude = real(location.get("latitude")), real(location.get("longitude"))
    known = latitude is not None and longitude is not None
    return f"Map: {location['latitude']}, {location['longitude']}" if known else "Map"


def _caption(block: Json) -> list[Block]:
    caption = block.get("caption")
    if not caption:
        return []
    if isinstance(caption, dict) and "type" not in caption:  # RichBlockCaption; a table's caption is rich text itself
        lines: list[Block] = [Paragraph(_inlines(caption.get("text")))]
        return lines + ([Paragraph(_inlines(caption["credit"], int(Mark.ITALIC)))] if caption.get("credit") else [])
    return [Paragraph(_inlines(caption))]


def _quote(inner: list[Block], block: Json) -> list[Block]:
    if block.get("credit"):
        inner = [*inner, Paragraph(_inlines(block["credit"], int(Mark.ITALIC)))]
    return [*quoted(inner, is_expandable=block.get("type") == "expandable_blockquote")]


def _list(block: Json, media: list[tuple[str, Json]], depth: int) -> List:
    items: list[ListItem] = []
    entries = records(block.get("items"))
    values = [whole(item.get("value")) for item in entries]
    start = next((value for value in values if value is not None), 1)
    due = start
    for item, value in zip(entries, values, strict=True):
        box = ("[x] " if item.get("is_checked") else "[ ] ") if item.get("has_checkbox") else ""
        lead: tuple[Inline, ...] = (Text(box),) if box else ()
        own: list[Inline] = []
        nested: list[ListItem] = []
        for inner in _blocks(item.get("blocks"), media, depth + 1):
            if isinstance(inner, List):
                nested += nested_items(inner)
            else:
                said = inner.inlines if isinstance(inner, Paragraph | Heading) else (Text(text_of(RichText((inner,)))),)
                own += [Text("\n"), *said] if own else said
        ordered = value is not None
        items += [ListItem((*lead, *own), 0, ordered, None if value == due else value), *nested]
        due = due if value is None else value + 1
    return List(tuple(items), any(value is not None for value in values), start)


def _table(rows: object) -> CodeBlock:
    """A cell is a line of words; one that spans columns or rows has empty ones beside and below it."""
    shown: list[list[str]] = []
    below: list[int] = []
    """For each column, through how many rows more the cell above goes."""
    for row in rows if isinstance(rows, list) else []:
        line: list[str] = []
        for cell in records(row):
            while len(line) < len(below) and below[len(line)]:
                below[len(line)] -= 1
                line.append("")
            wide, high = (min(max(whole(cell.get(name)) or 1, 1), _MOST_SPANNED) for name in ("colspan", "rowspan"))
            below += [0] * (len(line) + wide - len(below))
            below[len(line) : len(line) + wide] = [high - 1] * wide
            line += [to_plain(RichText((Paragraph(_inlines(cell.get("text"))),))), *[""] * (wide - 1)]
        below[len(line) :] = [max(rest - 1, 0) for rest in below[len(line) :]]
        shown.append(line)
    return table(shown)


def _inlines(rich: object, marks: int = 0, link: str | None = None, depth: int = 0) -> tuple[Inline, ...]:
    """RichText: a string, a list, or an object with `type` and mostly `text` inside."""
    if depth > _NESTING:
        return ()
    if isinstance(rich, list):
        return tuple(inline for each in rich for inline in _inlines(each, marks, link, depth + 1))
    if not isinstance(rich, dict):
        return (Text(words(rich), marks, link),)
    kind, text = words(rich.get("type")), rich.get("text")
    if kind in _MARKS:
        return _inlines(text, marks | int(_MARKS[kind]), link, depth + 1)
    shown = "".join(map(inline_text, _inlines(text, depth=depth + 1)))
    match kind:
        case "url":
            return _inlines(text, marks, words(rich.get("url")) or link, depth + 1)
        case "mention" if username := words(rich.get("username")).removeprefix("@"):
            return (Mention(MentionKind.USER, username, username, marks),)
        case "text_mention" if user_id := words(record(rich.get("user")).get("id")):
            return (Mention(MentionKind.USER, user_id, shown.removeprefix("@"), marks),)
        case "custom_emoji":
            return (Emoji("emoji", words(rich.get("custom_emoji_id")), words(rich.get("alternative_text")), marks),)
        case "date_time" if (unix_s := whole(rich.get("unix_time"))) is not None:
            return (Timestamp(unix_s, shown, "", marks),)
        case "mathematical_expression":
            return (Text(words(rich.get("expression")), marks | int(Mark.CODE)),)
        case "button":
            return _button(record(rich.get("button")))
        case _:
            return _inlines(text, marks, link, depth + 1)


def _button(button: Json) -> tuple[Inline, ...]:
    shown = "".join(map(inline_text, _inlines(button.get("text"), depth=1)))
    url = words(button.get("url"))
    return (Text(shown if url else f"[{shown}]", 0, url or None), Text(" ")) if shown else ()
