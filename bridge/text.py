"""The rich-text tree. Every platform decodes into it and is encoded from it; no platform's markup ever meets another's.

A `RichText` is a tuple of blocks. A paragraph keeps its line breaks, blank lines included, inside its runs, and two blocks that
follow each other are one line break apart: so the text of a message is never re-flowed. What lives here is pure: the types, their
plain-text forms and normal form. Slicing is `bridge.slices`, splitting to a platform's limit `bridge.split`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import IntFlag, StrEnum
from operator import eq
from typing import TypeGuard

import msgspec

from bridge.characters import clean, is_clean
from bridge.lists import list_labels as list_labels
from bridge.lists import list_lines as list_lines
from bridge.lists import nested_items as nested_items
from bridge.lists import numbered as numbered
from bridge.lists import with_numbers as with_numbers


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


class Text(_Node, frozen=True, gc=False, tag="x"):
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


class Mention(_Node, frozen=True, gc=False, tag="m"):
    """A mention. `id` is native to the platform the tree was decoded from or is encoded for; the core translates between them
    (a mention it cannot translate, or may not pass on, becomes `Text`). `name` comes without @ or #."""

    kind: MentionKind
    id: str
    name: str
    marks: int = 0


class Emoji(_Node, frozen=True, gc=False, tag="e"):
    """A custom emoji. Standard emoji are plain text. `text` is the Unicode emoji it stands for, if it has one.

    `id` is native and empty when the emoji comes from another platform: then `text` or `:name:` is shown."""

    name: str
    id: str = ""
    text: str = ""
    marks: int = 0
    animated: bool = False


class Timestamp(_Node, frozen=True, gc=False, tag="d"):
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
    """One line of a list; `indent` is 0 for the outermost level. An item without words before a deeper one only holds its place."""

    inlines: tuple[Inline, ...]
    indent: int = 0
    ordered: bool | None = None
    """Whether it has a number or a bullet; None: as its list says."""
    number: int | None = None
    """Its number, where counting on from the item before would give another one."""


class List(_Node, frozen=True, tag="l"):
    """`ordered` tells of all items that do not tell themselves; `start` is the number of the first one at the outermost level."""

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


_DEEPEST_INDENT = 9


def plain(text: str) -> RichText:
    """Literal text, without any markup in it."""
    text = clean(text)
    return RichText((Paragraph((Text(text),)),)) if text else EMPTY


# -- plain-text forms -------------------------------------------------------------------------------------------------------


def words_of(inlines: Sequence[Inline]) -> str:
    """What is displayed of runs, without markup."""
    if len(inlines) == 1:
        return inline_text(inlines[0])
    return "".join([run.text for run in inlines] if only_texts(inlines) else map(inline_text, inlines))


def inline_text(inline: Inline) -> str:
    """What is displayed of one run, without markup."""
    match inline:
        case Text():
            return inline.text
        case Mention():
            return ("#" if inline.kind is MentionKind.CHAT else "@") + (inline.name or inline.id)
        case Emoji():
            return inline.text or (f":{inline.name}:" if inline.name else "")
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
            return words_of(block.inlines)
        case CodeBlock():
            return block.text
        case List():
            return "\n".join(words_of(item.inlines) for item in block.items)
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
            return "\n".join(f"{label}{''.join(map(_plain_inline, item.inlines))}" for label, item in list_lines(block, bullet="•"))
        case Quote():
            return "\n".join("> " + line for inner in block.blocks for line in _plain_block(inner).split("\n"))


def _plain_inline(inline: Inline) -> str:
    shown = inline_text(inline)
    if isinstance(inline, Text) and inline.link and inline.link != shown:
        return f"{shown} ({inline.link})"
    return shown


# -- normal form ------------------------------------------------------------------------------------------------------------


def normalize(rich: RichText) -> RichText:
    """Neighbouring runs of the same kind merged, empty runs and blocks without content gone, neighbouring paragraphs one, a heading
    one line, no quote within a quote, characters cleaned (`bridge.characters.clean`). A blank line is a line break in a run, never
    an empty paragraph."""
    blocks: list[Block] = []
    paragraphs: list[tuple[Inline, ...]] = []
    for block in rich.blocks:
        for normal in _normal_blocks(block):
            if isinstance(normal, Paragraph):
                paragraphs.append(normal.inlines)
                continue
            if paragraphs:
                blocks.append(Paragraph(_stacked(paragraphs)))
                paragraphs = []
            blocks.append(normal)
    if paragraphs:
        blocks.append(Paragraph(_stacked(paragraphs)))
    return RichText(tuple(blocks))


def _stacked(paragraphs: Sequence[tuple[Inline, ...]]) -> tuple[Inline, ...]:
    """The runs of normal paragraphs one below the other: only those at the ends can have to be joined."""
    if len(paragraphs) == 1:
        return paragraphs[0]
    runs: list[Inline] = []
    words: list[str] = []
    for number, inlines in enumerate(paragraphs):
        first, end = 0, len(inlines)
        if number:
            words.append("\n")
        if _is_unmarked(inlines[0]):
            words.append(inline_text(inlines[0]))
            first = 1
        if first < end:
            if words:
                runs.append(Text("".join(words)))
                words = []
            if _is_unmarked(inlines[-1]):
                words.append(inline_text(inlines[-1]))
                end -= 1
            runs.extend(inlines[first:end])
    if words:
        runs.append(Text("".join(words)))
    return tuple(runs)


def _is_unmarked(inline: Inline) -> bool:
    return isinstance(inline, Text) and not inline.marks and inline.link is None


def _normal_blocks(block: Block) -> Iterator[Block]:
    match block:
        case Paragraph():
            inlines = merge_inlines(block.inlines)
            if inlines:
                yield Paragraph(inlines)
        case Heading():
            for line in _lines_of(merge_inlines(block.inlines)):
                if line:
                    yield Heading(min(max(block.level, 1), 6), line)
        case CodeBlock():
            text = clean(block.text)
            if text:
                yield CodeBlock(text, " ".join(clean(block.language).split()))
        case List():
            items = tuple(_normal_item(item, block.ordered) for item in block.items)
            if items:
                yield List(items, block.ordered, block.start)
        case Quote():
            inside = normalize(RichText(tuple(_without_quotes(block.blocks)))).blocks
            if inside:
                yield Quote(tuple(b for b in inside if not isinstance(b, Quote)))


def _normal_item(item: ListItem, ordered: bool) -> ListItem:
    of_list = item.ordered is None or item.ordered == ordered
    inlines = merge_inlines(item.inlines)
    is_numbered = ordered if of_list else item.ordered
    if (
        inlines is item.inlines
        and 0 <= item.indent <= _DEEPEST_INDENT
        and (item.ordered is None or not of_list)
        and (item.number is None or is_numbered)
    ):
        return item
    return ListItem(
        inlines,
        min(max(item.indent, 0), _DEEPEST_INDENT),
        None if of_list else item.ordered,
        item.number if is_numbered else None,
    )


def _without_quotes(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Quote):
            yield from _without_quotes(block.blocks)
        else:
            yield block


def _lines_of(inlines: Iterable[Inline]) -> Iterator[tuple[Inline, ...]]:
    """The runs of each line."""
    line: list[Inline] = []
    for inline in inlines:
        pieces = inline.text.split("\n") if isinstance(inline, Text) else []
        if isinstance(inline, Text) and len(pieces) > 1:
            for piece in pieces[:-1]:
                yield merge_inlines((*line, Text(piece, inline.marks, inline.link)))
                line = []
            line = [Text(pieces[-1], inline.marks, inline.link)]
        else:
            line.append(inline)
    yield merge_inlines(line)


def merge_inlines(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Neighbouring `Text` runs with equal marks and link joined; empty ones dropped; characters cleaned."""
    inlines = tuple(inlines)
    if _are_merged(inlines):
        return inlines  # nearly every message
    merged: list[Inline] = []
    run: list[Text] = []
    for inline in inlines:
        if isinstance(inline, Text):
            if run and (run[0].marks != inline.marks or (run[0].link or None) != (inline.link or None)):
                merged.extend(_joined(run))
                run = []
            run.append(inline)
        else:
            merged.extend(_joined(run))
            run = []
            atom = _cleaned(inline)
            if inline_text(atom):
                merged.append(atom)
    merged.extend(_joined(run))
    return tuple(merged)


def _are_merged(inlines: tuple[Inline, ...]) -> bool:
    """Whether these are `Text` runs that `merge_inlines` would leave as they are. Asked about every text several times, so it has
    no loop of its own: what goes over the runs are the interpreter's."""
    if len(inlines) <= _FEW:
        return inlines != () and _are_few_merged(inlines)
    if not only_texts(inlines):
        return False
    texts = [run.text for run in inlines]
    marks = [run.marks for run in inlines]
    links = [run.link for run in inlines]
    if not all(texts) or set(map(type, marks)) != {int} or "" in links:
        return False
    if True in map(eq, marks, marks[1:]) or any(links):
        kinds = list(zip(marks, links, strict=True))
        if True in map(eq, kinds, kinds[1:]):
            return False
    return is_clean("".join(texts))


_FEW = 8
"""So many runs are sooner looked at one by one."""


def _are_few_merged(inlines: tuple[Inline, ...]) -> bool:
    before = None
    for run in inlines:
        if type(run) is not Text or not run.text or run.link == "" or type(run.marks) is not int or not is_clean(run.text):
            return False
        if before is not None and before.marks == run.marks and before.link == run.link:
            return False
        before = run
    return True


def only_texts(inlines: Iterable[Inline]) -> TypeGuard[tuple[Text, ...]]:
    """Whether there is no mention, emoji or timestamp among them."""
    return set(map(type, inlines)) <= _TEXT_ONLY


_TEXT_ONLY = {Text}


def _cleaned(atom: Mention | Emoji | Timestamp) -> Mention | Emoji | Timestamp:
    match atom:
        case Mention():
            name = clean(atom.name)
            return atom if name is atom.name else msgspec.structs.replace(atom, name=name)
        case Emoji():
            name, text = clean(atom.name), clean(atom.text)
            return atom if name is atom.name and text is atom.text else msgspec.structs.replace(atom, name=name, text=text)
        case Timestamp():
            text = clean(atom.text)
            return atom if text is atom.text else msgspec.structs.replace(atom, text=text)


def _joined(run: Sequence[Text]) -> Iterator[Text]:
    """One run for several with the same marks and link; none if there is no text."""
    text = clean("".join(piece.text for piece in run))
    if text:
        yield Text(text, int(run[0].marks), run[0].link or None)


def map_inlines(rich: RichText, change: Callable[[Inline], Inline]) -> RichText:
    """The same tree with each inline replaced by `change(inline)`; normalized."""

    def of_block(block: Block) -> Block:
        match block:
            case Paragraph():
                return Paragraph(tuple(map(change, block.inlines)))
            case Heading():
                return Heading(block.level, tuple(map(change, block.inlines)))
            case List():
                items = tuple(with_inlines(item, tuple(map(change, item.inlines))) for item in block.items)
                return List(items, block.ordered, block.start)
            case Quote():
                inner = tuple(of_block(b) for b in block.blocks)
                return Quote(tuple(b for b in inner if not isinstance(b, Quote)))
            case CodeBlock():
                return block

    return normalize(RichText(tuple(of_block(block) for block in rich.blocks)))


def with_inlines(item: ListItem, inlines: tuple[Inline, ...]) -> ListItem:
    """The same place in the list with other words."""
    return ListItem(inlines, item.indent, item.ordered, item.number)


def concat(*parts: RichText) -> RichText:
    """The parts one below the other."""
    return normalize(RichText(tuple(block for part in parts for block in part.blocks)))
