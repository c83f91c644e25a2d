"""Slack's rich_text block to the bridge's rich text. Pure. Called by `decode_text` and `decode_blocks`.

It is what people write, and the faithful source of it. Whatever a part of it is that nobody knew when this was written, something
visible comes of it, and the parts around it stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.slack import emoji_names
from adapters.slack.inbound.decode_mrkdwn import link, moment
from adapters.slack.lenient import number, objects, words
from adapters.slack.names import Names
from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
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
    inline_text,
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
_DEEPEST = 8
"""Containers within containers that are looked into."""
_MOST_ELEMENTS = 10_000
"""Of a block that are shown: more than a person's longest message has."""
_LATEST_UNIX_S = 10**11
"""Beyond it a timestamp is no date of anybody's calendar."""


def decode_rich_text(block: Json, names: Names) -> RichText:
    """One rich_text block."""
    return normalize(RichText(tuple(_blocks(objects(block.get("elements")), names, 0))))


def _is_container(element: Json) -> bool:
    return words(element.get("type")).startswith("rich_text_")


def _blocks(elements: list[dict[str, Any]], names: Names, depth: int) -> list[Block]:
    blocks: list[Block | _Stretches] = []
    loose: list[Json] = []
    after_box = False
    if len(elements) > _MOST_ELEMENTS:
        elements = [*elements[:_MOST_ELEMENTS], {"type": "text", "text": "[…]"}]

    def flush() -> None:
        if loose:
            blocks.append(Paragraph(tuple(_leaf(leaf, names) for leaf in in_steps(loose))))
            loose.clear()

    for at, element in enumerate(elements):
        if not _is_container(element):
            loose.append(element)
            continue
        flush()
        kind, is_last = element["type"], at + 1 == len(elements)
        match kind:
            case "rich_text_quote" if depth < _DEEPEST:
                blocks.append(_quote(element, names, depth))
            case "rich_text_preformatted":
                code = "".join(inline_text(run) for run in _inlines(element, names))
                blocks.append(CodeBlock(code.removesuffix("\n"), words(element.get("language"))))
            case "rich_text_list":
                _add_list(blocks, element, names)
            case _:
                inlines = _inlines(element, names)
                # the composer ends a section with a line break where a list or a code block follows, and begins one with a line
                # break behind a quote: the blocks are a line break apart anyway
                inlines = inlines if is_last else _without_last_break(inlines)
                blocks.append(Paragraph(_without_first_break(inlines) if after_box else inlines))
        after_box = kind in ("rich_text_quote", "rich_text_preformatted", "rich_text_list")
    flush()
    return [block.whole() if isinstance(block, _Stretches) else block for block in blocks]


def _quote(element: Json, names: Names, depth: int) -> Quote:
    children = objects(element.get("elements"))
    if not any(map(_is_container, in_steps(children))):
        return Quote((Paragraph(_without_last_break(_inlines(element, names))),))
    inner = _blocks(children, names, depth + 1)
    flat = [block for piece in inner for block in (piece.blocks if isinstance(piece, Quote) else (piece,))]
    return Quote(tuple(flat))


class _Stretches:
    """A list in the making. Slack sends each stretch of one level and style as a list of its own; what lies deeper belongs to the
    list before it."""

    def __init__(self, first: List) -> None:
        self._first = first
        self._items = list(first.items)
        self._numbers = [told for told, _ in numbered(first)]

    def takes(self, indent: int, ordered: bool) -> bool:
        """Whether a stretch of this level and style goes on with it."""
        return bool(indent or (self._items[-1].indent and self._first.ordered == ordered))

    def add(self, stretch: List) -> None:
        of_another_kind = stretch.ordered if stretch.ordered != self._first.ordered else None
        self._items += [ListItem(item.inlines, item.indent, of_another_kind) for item in stretch.items]
        self._numbers += [stretch.start + at if stretch.ordered else None for at in range(len(stretch.items))]

    def whole(self) -> List:
        if len(self._items) == len(self._first.items):
            return self._first
        return with_numbers(List(tuple(self._items), self._first.ordered, self._first.start), self._numbers)


def _add_list(blocks: list[Block | _Stretches], element: Json, names: Names) -> None:
    indent = number(element.get("indent"), most=_DEEPEST)
    found = in_steps(objects(element.get("elements")))
    items = tuple(ListItem(_without_last_break(_inlines(item, names)), indent) for item in found)
    stretch = List(items, element.get("style") == "ordered", number(element.get("offset")) + 1)
    previous = blocks[-1] if blocks else None
    if items and isinstance(previous, _Stretches) and previous.takes(indent, stretch.ordered):
        previous.add(stretch)
    elif items:
        blocks.append(_Stretches(stretch))


def _inlines(element: Json, names: Names) -> tuple[Inline, ...]:
    """The runs of a container, of its inner ones line by line; a leaf where a container belongs is its only run."""
    if not _is_container(element):
        return (_leaf(element, names),)
    return tuple(_walk(element, names, 0))


def _walk(element: Json, names: Names, depth: int) -> Iterator[Inline]:
    for at, child in enumerate(in_steps(objects(element.get("elements")))):
        if _is_container(child) and depth < _DEEPEST:
            if at:
                yield Text("\n")
            yield from _walk(child, names, depth + 1)
        else:
            yield _leaf(child, names)


def _without_last_break(inlines: tuple[Inline, ...]) -> tuple[Inline, ...]:
    if inlines and isinstance(last := inlines[-1], Text) and last.text.endswith("\n"):
        return (*inlines[:-1], Text(last.text[:-1], last.marks, last.link))
    return inlines


def _without_first_break(inlines: tuple[Inline, ...]) -> tuple[Inline, ...]:
    if inlines and isinstance(first := inlines[0], Text) and first.text.startswith("\n"):
        return (Text(first.text[1:], first.marks, first.link), *inlines[1:])
    return inlines


# -- leaves -------------------------------------------------------------------------------------------------------------------


def _marks(leaf: Json) -> int:
    style = leaf.get("style")
    if not isinstance(style, Mapping):
        return 0
    return sum(mark for name, mark in _MARKS.items() if style.get(name))


def _leaf(leaf: Json, names: Names) -> Inline:
    marks = _marks(leaf)
    try:
        return _known_leaf(leaf, names, marks)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        return Text(_leaf_text(leaf), marks)


def _known_leaf(leaf: Json, names: Names, marks: int) -> Inline:
    match leaf.get("type"):
        case "link":
            url = _id(leaf, "url")
            return link(url, words(leaf.get("text")), marks)
        case "user" | "canvas_user_mention":
            return Mention(MentionKind.USER, _id(leaf, "user_id"), names.user(leaf["user_id"]), marks)
        case "channel":
            return Mention(MentionKind.CHAT, _id(leaf, "channel_id"), names.channel(leaf["channel_id"]), marks)
        case "usergroup":
            return Mention(MentionKind.GROUP, _id(leaf, "usergroup_id"), names.group(leaf["usergroup_id"]), marks)
        case "broadcast":
            return Mention(MentionKind.EVERYONE, _id(leaf, "range"), leaf["range"], marks)
        case "emoji":
            return _emoji(leaf, marks, names)
        case "date":
            return _date(leaf, marks)
        case "text":
            return Text(words(leaf.get("text")), marks)
        case _:
            url = words(leaf.get("url"))
            return link(url, words(leaf.get("text")), marks) if url else Text(_leaf_text(leaf), marks)


def _id(leaf: Json, key: str) -> str:
    value = leaf[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def _date(leaf: Json, marks: int) -> Inline:
    unix_s, shown = int(leaf["timestamp"]), words(leaf.get("fallback"))
    if not 0 <= unix_s < _LATEST_UNIX_S:
        return Text(shown or str(unix_s), marks)
    return moment(unix_s, shown, words(leaf.get("url")), marks)


def _leaf_text(leaf: Json) -> str:
    """Something visible for any leaf, also of kinds that did not exist when this was written."""
    if leaf.get("type") == "text":
        return words(leaf.get("text"))
    for key in ("text", "fallback", "value", "url", "name", "title", "label"):
        if found := words(leaf.get(key)):
            return found
    return f"[{words(leaf.get('type')).replace('_', ' ') or 'unknown'}]"


def _emoji(leaf: Json, marks: int, names: Names) -> Inline:
    name = _id(leaf, "name")
    if characters := _characters(words(leaf.get("unicode"))):
        return Text(characters, marks)
    found = emoji_names.to_unicode(name)
    if found is None:
        return Emoji(name, name, names.emoji.get(name, ""), marks)
    tone = number(leaf.get("skin_tone"), most=6)
    return Text(emoji_names.with_tone(found, tone) if tone > 1 else found, marks)


def _characters(code_points: str) -> str:
    """`1f44b-1f3fd` as the characters; empty if it is nothing of that kind."""
    try:
        return "".join(_character(point) for point in code_points.split("-")) if code_points else ""
    except (ValueError, OverflowError):
        return ""


def _character(point: str) -> str:
    code = int(point, 16)
    if 0xD800 <= code < 0xE000:
        raise ValueError("half of a surrogate pair is no character")
    return chr(code)
