"""The rich-text tree. Every platform decodes into it and is encoded from it; no platform's markup ever meets another's.

A `RichText` is a tuple of blocks. A paragraph keeps its line breaks, blank lines included, inside its runs, and two blocks that
follow each other are one line break apart: so the text of a message is never re-flowed. What lives here is pure: the types, their
plain-text forms, normal form and slicing. Splitting to a platform's limit is `bridge.split`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from enum import IntFlag, StrEnum

import msgspec


class Mark(IntFlag):
    """Character formatting. Runs carry the bare integer, so that the journal stays small."""

    BOLD = 1
    ITALIC = 2
    UNDERLINE = 4
    STRIKE = 8
    SPOILER = 16
    CODE = 32


class _Node(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="t"):
    pass


class Text(_Node, frozen=True, tag="x"):
    """A run of literal text; `link` is the URL it leads to, if any. With CODE, other marks may be dropped by a platform."""

    text: str
    marks: int = 0
    link: str | None = None


class MentionKind(StrEnum):
    USER = "user"
    CHAT = "chat"
    GROUP = "group"
    """A role or user group."""
    EVERYONE = "everyone"
    """@everyone, @here, @channel, @all: `name` says which."""


class Mention(_Node, frozen=True, tag="m"):
    """A mention. `id` is native to the platform the tree was decoded from or is encoded for; the core translates between them
    (a mention it cannot translate, or may not pass on, becomes `Text`). `name` comes without @ or #."""

    kind: MentionKind
    id: str
    name: str
    marks: int = 0


class Emoji(_Node, frozen=True, tag="e"):
    """A custom emoji. Standard emoji are plain text. `text` is the Unicode emoji it stands for, if it has one.

    `id` is native and empty when the emoji comes from another platform: then `text` or `:name:` is shown."""

    name: str
    id: str = ""
    text: str = ""
    marks: int = 0
    animated: bool = False


class Timestamp(_Node, frozen=True, tag="d"):
    """A moment shown in each reader's own time zone, where the platform can. `unix_s` is Unix time in seconds; `text` is what the
    origin showed, kept as the fallback; `style` is one of Discord's t T d D f F R, or empty."""

    unix_s: int
    text: str = ""
    style: str = ""
    marks: int = 0


Inline = Text | Mention | Emoji | Timestamp


class Paragraph(_Node, frozen=True, tag="p"):
    inlines: tuple[Inline, ...]


class Heading(_Node, frozen=True, tag="h"):
    """`level` is 1 to 6."""

    level: int
    inlines: tuple[Inline, ...]


class CodeBlock(_Node, frozen=True, tag="c"):
    """`text` without the line break before the closing fence."""

    text: str
    language: str = ""


class ListItem(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """One line of a list; `indent` is 0 for the outermost level."""

    inlines: tuple[Inline, ...]
    indent: int = 0


class List(_Node, frozen=True, tag="l"):
    """`start` is the number of the first item of an ordered list."""

    items: tuple[ListItem, ...]
    ordered: bool = False
    start: int = 1


class Quote(_Node, frozen=True, tag="q"):
    """Blocks inside are never quotes themselves (`normalize` flattens them)."""

    blocks: tuple[Paragraph | Heading | CodeBlock | List, ...]


Block = Paragraph | Heading | CodeBlock | List | Quote


class RichText(msgspec.Struct, frozen=True, array_like=True):
    blocks: tuple[Block, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.blocks)


EMPTY = RichText()


def plain(text: str) -> RichText:
    """Literal text, without any markup in it."""
    return RichText((Paragraph((Text(text),)),)) if text else EMPTY


# -- plain-text forms -------------------------------------------------------------------------------------------------------


def inline_text(inline: Inline) -> str:
    """What is displayed of one run, without markup."""
    match inline:
        case Text():
            return inline.text
        case Mention():
            return ("#" if inline.kind is MentionKind.CHAT else "@") + inline.name
        case Emoji():
            return inline.text or f":{inline.name}:"
        case Timestamp():
            return inline.text or format_moment(inline.unix_s)


def format_moment(unix_s: int) -> str:
    """`YYYY-MM-DD HH:MM UTC`; a number that is no date of the calendar is given back as it is."""
    try:
        return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return str(unix_s)


def text_of(rich: RichText) -> str:
    """The words alone: no quote signs, bullets or fences. Slicing and splitting count in its characters."""
    return "\n".join(_block_text(block) for block in rich.blocks)


def _block_text(block: Block) -> str:
    match block:
        case Paragraph() | Heading():
            return "".join(map(inline_text, block.inlines))
        case CodeBlock():
            return block.text
        case List():
            return "\n".join("".join(map(inline_text, item.inlines)) for item in block.items)
        case Quote():
            return "\n".join(_block_text(inner) for inner in block.blocks)


def to_plain(rich: RichText) -> str:
    """Readable without any markup: quotes get `> `, list items a bullet or number, links with a label their URL behind it."""
    return "\n".join(_plain_block(block) for block in rich.blocks)


def _plain_block(block: Block) -> str:
    match block:
        case Paragraph() | Heading():
            return "".join(map(_plain_inline, block.inlines))
        case CodeBlock():
            return block.text
        case List():
            return "\n".join(
                f"{label}{''.join(map(_plain_inline, item.inlines))}" for label, item in list_labels(block, bullet="•")
            )
        case Quote():
            return "\n".join("> " + line for inner in block.blocks for line in _plain_block(inner).split("\n"))


def _plain_inline(inline: Inline) -> str:
    shown = inline_text(inline)
    if isinstance(inline, Text) and inline.link and inline.link != shown:
        return f"{shown} ({inline.link})"
    return shown


def list_labels(block: List, *, bullet: str, indent: str = "    ") -> Iterator[tuple[str, ListItem]]:
    """Each item with the text that goes before it: indentation, then bullet or number (numbers run per level)."""
    numbers: dict[int, int] = {}
    for item in block.items:
        for deeper in [level for level in numbers if level > item.indent]:
            del numbers[deeper]
        number = numbers.get(item.indent, block.start if item.indent == 0 else 1)
        numbers[item.indent] = number + 1
        yield indent * item.indent + (f"{number}. " if block.ordered else f"{bullet} "), item


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen: white space, control and format characters, and letters that have no ink. Platforms
    refuse such messages as empty."""
    return all(character in _NO_INK or unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp") for character in text)


_NO_INK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe0e\ufe0f\uffa0")


# -- normal form ------------------------------------------------------------------------------------------------------------


def normalize(rich: RichText) -> RichText:
    """Neighbouring runs of the same kind merged, empty runs and blocks without content gone, neighbouring paragraphs one."""
    blocks: list[Block] = []
    for block in rich.blocks:
        clean = _normal_block(block)
        if clean is None:
            continue
        previous = blocks[-1] if blocks else None
        if isinstance(clean, Paragraph) and isinstance(previous, Paragraph):
            blocks[-1] = Paragraph(merge_inlines((*previous.inlines, Text("\n"), *clean.inlines)))
        else:
            blocks.append(clean)
    return RichText(tuple(blocks))


def _normal_block(block: Block) -> Block | None:
    match block:
        case Paragraph():
            inlines = merge_inlines(block.inlines)
            return Paragraph(inlines) if inlines else None
        case Heading():
            inlines = merge_inlines(block.inlines)
            return Heading(min(max(block.level, 1), 6), inlines) if inlines else None
        case CodeBlock():
            return block
        case List():
            items = tuple(ListItem(merge_inlines(item.inlines), max(item.indent, 0)) for item in block.items)
            return List(items, block.ordered, block.start) if items else None
        case Quote():
            flat: list[Block] = []
            for inner in block.blocks:
                flat.extend(inner.blocks if isinstance(inner, Quote) else (inner,))
            inside = normalize(RichText(tuple(flat))).blocks
            return Quote(tuple(b for b in inside if not isinstance(b, Quote))) if inside else None


def merge_inlines(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Neighbouring `Text` runs with equal marks and link joined; empty ones dropped."""
    merged: list[Inline] = []
    for inline in inlines:
        if isinstance(inline, Text):
            if not inline.text:
                continue
            previous = merged[-1] if merged else None
            if isinstance(previous, Text) and previous.marks == inline.marks and previous.link == inline.link:
                merged[-1] = Text(previous.text + inline.text, inline.marks, inline.link)
                continue
        merged.append(inline)
    return tuple(merged)


def map_inlines(rich: RichText, change: Callable[[Inline], Inline]) -> RichText:
    """The same tree with each inline replaced by `change(inline)`; normalized."""

    def of_block(block: Block) -> Block:
        match block:
            case Paragraph():
                return Paragraph(tuple(map(change, block.inlines)))
            case Heading():
                return Heading(block.level, tuple(map(change, block.inlines)))
            case List():
                items = tuple(ListItem(tuple(map(change, item.inlines)), item.indent) for item in block.items)
                return List(items, block.ordered, block.start)
            case Quote():
                inner = tuple(of_block(b) for b in block.blocks)
                return Quote(tuple(b for b in inner if not isinstance(b, Quote)))
            case CodeBlock():
                return block

    return normalize(RichText(tuple(of_block(block) for block in rich.blocks)))


def concat(*parts: RichText) -> RichText:
    """The parts one below the other."""
    return normalize(RichText(tuple(block for part in parts for block in part.blocks)))


# -- slicing: positions count characters of `text_of` ------------------------------------------------------------------------


def atoms(rich: RichText) -> Iterator[tuple[int, int]]:
    """Spans (start, end) of runs that cannot be cut: mentions, emoji, timestamps."""
    at = 0
    for inlines in _lines(rich):
        for inline in inlines:
            length = len(inline_text(inline))
            if not isinstance(inline, Text) and length:
                yield at, at + length
            at += length
        at += 1


def _lines(rich: RichText) -> Iterator[tuple[Inline, ...]]:
    """The runs of each stretch of text that `text_of` joins by a line break."""
    for block in rich.blocks:
        match block:
            case Paragraph() | Heading():
                yield block.inlines
            case CodeBlock():
                yield (Text(block.text),)
            case List():
                for item in block.items:
                    yield item.inlines
            case Quote():
                yield from _lines(RichText(block.blocks))


def runs(rich: RichText) -> Iterator[Inline | None]:
    """All runs in order; None for each line break that `text_of` puts between two stretches of text."""
    for number, inlines in enumerate(_lines(rich)):
        if number:
            yield None
        yield from inlines


def block_starts(rich: RichText) -> tuple[int, ...]:
    """Positions at which a block after the first begins."""
    starts: list[int] = []
    at = 0
    for block in rich.blocks:
        if at:
            starts.append(at)
        at += len(_block_text(block)) + 1
    return tuple(starts)


def slice_text(rich: RichText, start: int, end: int) -> RichText:
    """The part between two positions, with the marks, quotes, lists and fences that it lies in. Neither position may be inside an
    atom (an atom is taken whole if its start is inside)."""
    return RichText(tuple(_slice_blocks(rich.blocks, start, end)))


def _slice_blocks(blocks: Iterable[Block], start: int, end: int) -> Iterator[Block]:
    at = 0
    for block in blocks:
        length = len(_block_text(block))
        if at >= end:
            return
        if at + length > start or (length == 0 and at >= start):
            yield _slice_block(block, start - at, end - at)
        at += length + 1


def _slice_block(block: Block, start: int, end: int) -> Block:
    match block:
        case Paragraph():
            return Paragraph(_slice_inlines(block.inlines, start, end))
        case Heading():
            return Heading(block.level, _slice_inlines(block.inlines, start, end))
        case CodeBlock():
            return CodeBlock(block.text[max(start, 0) : max(end, 0)], block.language)
        case Quote():
            inner = _slice_blocks(block.blocks, start, end)
            return Quote(tuple(b for b in inner if not isinstance(b, Quote)))
        case List():
            return _slice_list(block, start, end)


def _slice_list(block: List, start: int, end: int) -> List:
    items: list[ListItem] = []
    first = block.start
    at = 0
    for item in block.items:
        length = sum(len(inline_text(inline)) for inline in item.inlines)
        if at < end and (at + length > start or (length == 0 and at >= start)):
            items.append(ListItem(_slice_inlines(item.inlines, start - at, end - at), item.indent))
        elif not items and item.indent == 0:
            first += 1
        at += length + 1
    return List(tuple(items), block.ordered, first)


def _slice_inlines(inlines: Iterable[Inline], start: int, end: int) -> tuple[Inline, ...]:
    taken: list[Inline] = []
    at = 0
    for inline in inlines:
        length = len(inline_text(inline))
        if isinstance(inline, Text):
            piece = inline.text[max(start - at, 0) : max(end - at, 0)]
            if piece:
                taken.append(Text(piece, inline.marks, inline.link))
        elif start <= at < end:
            taken.append(inline)
        at += length
    return tuple(taken)
