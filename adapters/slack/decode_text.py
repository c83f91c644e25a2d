"""Slack's rich_text blocks and mrkdwn text to the bridge's rich text. Pure. Called by `decode`.

Blocks are the faithful source of what people write and win over `text`; app messages with other blocks fall back to `text`. Names
of people and channels are handed in (`Names`), since only ids are on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.slack import emoji_names
from adapters.slack.decode_mrkdwn import decode_mrkdwn
from adapters.slack.names import Names
from bridge.text import (
    EMPTY,
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
    concat,
    normalize,
    numbered,
    with_numbers,
)

Json = Mapping[str, Any]

_MARKS = {
    "bold": int(Mark.BOLD),
    "italic": int(Mark.ITALIC),
    "strike": int(Mark.STRIKE),
    "underline": int(Mark.UNDERLINE),
    "code": int(Mark.CODE),
}


def decode_text(text: str | None, blocks: bytes | msgspec.Raw, names: Names) -> RichText:
    """What a message says. Blocks of an unknown shape are no reason to lose the message: then `text` counts."""
    parsed = _parse(blocks)
    if parsed and all(block.get("type") == "rich_text" for block in parsed):
        try:
            return concat(*(_rich_text(block, names) for block in parsed))
        except (TypeError, ValueError, KeyError, AttributeError):
            return decode_mrkdwn(text or "", names)
    if text:
        return decode_mrkdwn(text, names)
    return _from_app_blocks(parsed, names)


def _parse(blocks: bytes | msgspec.Raw) -> list[dict[str, Any]]:
    if not blocks:
        return []
    try:
        return msgspec.json.decode(blocks, type=list[dict[str, Any]])
    except msgspec.DecodeError:
        return []


# -- rich_text ----------------------------------------------------------------------------------------------------------------


def _rich_text(block: Json, names: Names) -> RichText:
    elements: list[Json] = block.get("elements") or []
    blocks: list[Block] = []
    for at, element in enumerate(elements):
        is_last = at + 1 == len(elements)
        match element.get("type"):
            case "rich_text_section":
                inlines = _inlines(element, names)
                # Slack's composer ends a section with a line break where a list or a code block follows
                blocks.append(Paragraph(inlines if is_last else _without_last_break(inlines)))
            case "rich_text_quote":
                blocks.append(Quote((Paragraph(_inlines(element, names)),)))
            case "rich_text_preformatted":
                blocks.append(CodeBlock("".join(_leaf_text(leaf) for leaf in _leaves(element)), str(element.get("language") or "")))
            case "rich_text_list":
                _add_list(blocks, element, names)
            case _:
                blocks.append(Paragraph(_inlines(element, names)))
    return normalize(RichText(tuple(blocks)))


def _add_list(blocks: list[Block], element: Json, names: Names) -> None:
    """Slack sends each stretch of one level and style as a list of its own; what lies deeper belongs to the list before it."""
    indent = int(element.get("indent") or 0)
    items = tuple(ListItem(_without_last_break(_inlines(item, names)), indent) for item in _leaves(element))
    ordered = element.get("style") == "ordered"
    start = int(element.get("offset") or 0) + 1
    previous = blocks[-1] if blocks else None
    goes_on = isinstance(previous, List) and (indent or (previous.items[-1].indent and previous.ordered == ordered))
    if items and goes_on and isinstance(previous, List):
        numbers = [number for number, _ in numbered(previous)] + [start + at if ordered else None for at in range(len(items))]
        of_another_kind = ordered if ordered != previous.ordered else None
        more = tuple(ListItem(item.inlines, indent, of_another_kind) for item in items)
        blocks[-1] = with_numbers(List(previous.items + more, previous.ordered, previous.start), numbers)
    elif items:
        blocks.append(List(items, ordered, start))


def _leaves(element: Json) -> list[Json]:
    return element.get("elements") or []


def _inlines(element: Json, names: Names) -> tuple[Inline, ...]:
    return tuple(_leaf(leaf, names) for leaf in _leaves(element))


def _without_last_break(inlines: tuple[Inline, ...]) -> tuple[Inline, ...]:
    if inlines and isinstance(last := inlines[-1], Text) and last.text.endswith("\n"):
        return (*inlines[:-1], Text(last.text[:-1], last.marks, last.link))
    return inlines


def _marks(leaf: Json) -> int:
    style = leaf.get("style")
    if not isinstance(style, dict):
        return 0
    marks = 0
    for name, mark in _MARKS.items():
        if style.get(name):
            marks |= mark
    return marks


def _leaf(leaf: Json, names: Names) -> Inline:
    marks = _marks(leaf)
    match leaf.get("type"):
        case "text":
            return Text(str(leaf["text"]), marks)
        case "link":
            url = str(leaf["url"])
            return Text(str(leaf.get("text") or url), marks, url)
        case "user":
            return Mention(MentionKind.USER, leaf["user_id"], names.user(leaf["user_id"]), marks)
        case "channel":
            return Mention(MentionKind.CHAT, leaf["channel_id"], names.channel(leaf["channel_id"]), marks)
        case "usergroup":
            return Mention(MentionKind.GROUP, leaf["usergroup_id"], names.group(leaf["usergroup_id"]), marks)
        case "broadcast":
            return Mention(MentionKind.EVERYONE, leaf["range"], leaf["range"], marks)
        case "emoji":
            return _emoji(leaf, marks, names)
        case "date":
            return Timestamp(int(leaf["timestamp"]), str(leaf.get("fallback") or ""), "", marks)
        case _:
            return Text(_leaf_text(leaf), marks)


def _leaf_text(leaf: Json) -> str:
    """Something visible for any leaf, also of kinds that did not exist when this was written."""
    for key in ("text", "fallback", "value", "url", "name"):
        if isinstance(leaf.get(key), str) and leaf[key]:
            return str(leaf[key])
    return f"[{leaf.get('type', 'unknown')}]"


def _emoji(leaf: Json, marks: int, names: Names) -> Inline:
    name = str(leaf["name"])
    tone = int(leaf.get("skin_tone") or 0)
    if code_points := leaf.get("unicode"):
        return Text("".join(chr(int(point, 16)) for point in str(code_points).split("-")), marks)
    found = emoji_names.to_unicode(name)
    if found is None:
        return Emoji(name, name, names.emoji.get(name, ""), marks)
    return Text(emoji_names.with_tone(found, tone) if tone else found, marks)


# -- other blocks -------------------------------------------------------------------------------------------------------------


def _from_app_blocks(blocks: list[dict[str, Any]], names: Names) -> RichText:
    """The words of an app's message that came without `text`."""
    parts: list[RichText] = []
    for block in blocks:
        try:
            parts.append(_app_block(block, names))
        except (TypeError, ValueError, KeyError, AttributeError):
            continue
    return concat(*parts) if parts else EMPTY


def _app_block(block: Json, names: Names) -> RichText:
    match block.get("type"):
        case "rich_text":
            return _rich_text(block, names)
        case "header":
            return RichText((Heading(2, (Text(str(block["text"]["text"])),)),))
        case "section":
            texts = [block["text"]] if block.get("text") else []
            return concat(*(_text_object(text, names) for text in texts + (block.get("fields") or [])))
        case "context":
            elements = [element for element in block.get("elements") or [] if "text" in element]
            return concat(*(_text_object(element, names) for element in elements))
        case "markdown":
            return RichText((Paragraph((Text(str(block["text"])),)),))
        case "image" | "video":
            return RichText((Paragraph((Text(str(block.get("title_text") or block.get("alt_text") or "[image]")),)),))
        case _:
            return EMPTY


def _text_object(value: Json, names: Names) -> RichText:
    text = str(value["text"])
    return decode_mrkdwn(text, names) if value.get("type") == "mrkdwn" else RichText((Paragraph((Text(text),)),))
