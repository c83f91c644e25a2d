"""The rich-text tree. Every platform decodes into it and is encoded from it; no platform's markup ever meets another's.

A `RichText` is a tuple of blocks. A paragraph keeps its line breaks, blank lines included, inside its runs, and two blocks that
follow each other are one line break apart: so the text of a message is never re-flowed. Pure. Here are the types (of
`rich_text_nodes`), their plain-text forms and normal form. Slicing is `render.slice`, splitting to a limit `render.split`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from bridge.model.characters import clean, is_clean
from bridge.model.pauses import in_steps
from bridge.model.rich_text_lists import list_labels as list_labels
from bridge.model.rich_text_lists import list_lines as list_lines
from bridge.model.rich_text_lists import nested_items as nested_items
from bridge.model.rich_text_lists import numbered as numbered
from bridge.model.rich_text_lists import with_numbers as with_numbers
from bridge.model.rich_text_nodes import EMPTY as EMPTY
from bridge.model.rich_text_nodes import Block as Block
from bridge.model.rich_text_nodes import CodeBlock as CodeBlock
from bridge.model.rich_text_nodes import Emoji as Emoji
from bridge.model.rich_text_nodes import Heading as Heading
from bridge.model.rich_text_nodes import Inline as Inline
from bridge.model.rich_text_nodes import List as List
from bridge.model.rich_text_nodes import ListItem as ListItem
from bridge.model.rich_text_nodes import Mark as Mark
from bridge.model.rich_text_nodes import Mention as Mention
from bridge.model.rich_text_nodes import MentionKind as MentionKind
from bridge.model.rich_text_nodes import Paragraph as Paragraph
from bridge.model.rich_text_nodes import Quote as Quote
from bridge.model.rich_text_nodes import RichText as RichText
from bridge.model.rich_text_nodes import Text as Text
from bridge.model.rich_text_nodes import Timestamp as Timestamp
from bridge.model.rich_text_quotes import DEEPEST_QUOTE as DEEPEST_QUOTE
from bridge.model.rich_text_quotes import flat_quotes
from bridge.model.rich_text_quotes import is_same_quote as is_same_quote
from bridge.model.rich_text_quotes import quoted as quoted
from bridge.model.rich_text_runs import are_merged
from bridge.model.rich_text_runs import format_moment as format_moment
from bridge.model.rich_text_runs import inline_text as inline_text
from bridge.model.rich_text_runs import merge_inlines as merge_inlines
from bridge.model.rich_text_runs import only_texts as only_texts
from bridge.model.rich_text_runs import words_of as words_of

_DEEPEST_INDENT = 9


def plain(text: str) -> RichText:
    """Literal text, without any markup in it."""
    text = clean(text)
    return RichText((Paragraph((Text(text),)),)) if text else EMPTY


# -- plain-text forms -------------------------------------------------------------------------------------------------------


def text_of(rich: RichText) -> str:
    """The text alone: no quote signs, bullets or fences. Slicing and splitting count in its characters."""
    return "\n".join(map(_block_text, in_steps(rich.blocks)))


def _block_text(block: Block) -> str:
    match block:
        case Paragraph() | Heading():
            inlines = block.inlines
            return inlines[0].text if len(inlines) == 1 and type(inlines[0]) is Text else words_of(inlines)
        case CodeBlock():
            return block.text
        case List(items=(only,)):
            return words_of(only.inlines)
        case List():
            return "\n".join([words_of(item.inlines) for item in in_steps(block.items)])
        case Quote():
            return "\n".join(map(_block_text, in_steps(block.blocks)))


def to_plain(rich: RichText) -> str:
    """Readable without any markup: quotes get `> `, list items a bullet or number, links with a label their URL behind it."""
    return "\n".join(map(_plain_block, in_steps(rich.blocks)))


def _plain_block(block: Block) -> str:
    match block:
        case Paragraph() | Heading():
            return "".join(map(_plain_inline, in_steps(block.inlines)))
        case CodeBlock():
            return block.text
        case List():
            return "\n".join(f"{label}{''.join(map(_plain_inline, item.inlines))}" for label, item in list_lines(block, bullet="•"))
        case Quote():
            signs = "> " * block.depth
            return "\n".join(signs + line for inner in block.blocks for line in _plain_block(inner).split("\n"))


def _plain_inline(inline: Inline) -> str:
    shown = inline_text(inline)
    if isinstance(inline, Text) and inline.link and inline.link != shown:
        return f"{shown} ({inline.link})"
    return shown


def runs_by_line(rich: RichText) -> Iterator[tuple[Inline, ...]]:
    """The runs of each stretch of text that `text_of` joins by a line break."""
    for block in in_steps(rich.blocks):
        match block:
            case Paragraph() | Heading():
                yield block.inlines
            case CodeBlock():
                yield (Text(block.text),)
            case List(items=(only,)):
                yield only.inlines
            case List():
                yield from (item.inlines for item in in_steps(block.items)) if block.items else ((),)
            case Quote():
                yield from runs_by_line(RichText(block.blocks)) if block.blocks else ((),)


def is_long(rich: RichText) -> bool:
    """Whether to go over the text a few times takes so long that it is done beside the loop (`pauses`): what that costs is
    told by its runs rather than by its characters."""
    if len(rich.blocks) == 1 and type(block := rich.blocks[0]) is Paragraph and len(block.inlines) == 1:  # as most messages are
        return len(inline_text(block.inlines[0])) + 2 * _RUN_WEIGHT > _LONG
    weight = 0
    for inlines in runs_by_line(rich):
        weight += _RUN_WEIGHT * (len(inlines) + 1)
        if weight > _LONG:
            return True
        weight += sum(len(inline_text(inline)) for inline in inlines)
    return weight > _LONG


_LONG, _RUN_WEIGHT = 4000, 16
"""A run costs as much as so many characters."""


# -- normal form ------------------------------------------------------------------------------------------------------------


def normalize(rich: RichText) -> RichText:
    """Neighbouring runs of the same kind merged, empty runs and blocks without content gone, neighbouring paragraphs one, a heading
    one line, a quote within a quote a block of its own, characters cleaned (`model.characters.clean`). A blank line is a line break
    in a run, never an empty paragraph."""
    blocks: list[Block] = []
    paragraphs: list[tuple[Inline, ...]] = []
    for block in in_steps(rich.blocks):
        for normal in (block,) if _is_normal(block) else _normal_blocks(block):
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
    for number, inlines in enumerate(in_steps(paragraphs)):
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


def _is_normal(block: Block) -> bool:
    """Whether the block is surely what `_normal_blocks` would make of it: nearly every one, and each is asked several times."""
    match block:
        case Paragraph():
            return are_merged(block.inlines)
        case CodeBlock():
            return bool(block.text) and not block.language and is_clean(block.text)
        case Heading():
            return 1 <= block.level <= 6 and are_merged(block.inlines) and "\n" not in words_of(block.inlines)
        case List():
            return bool(block.items) and all(_normal_item(item, block.ordered) is item for item in in_steps(block.items))
        case Quote():
            return bool(block.blocks) and 1 <= block.depth <= DEEPEST_QUOTE and _are_normal(block.blocks)


def _are_normal(blocks: Sequence[Block]) -> bool:
    """Whether these are surely the blocks of a quote as `normalize` would leave them."""
    above = None
    for block in in_steps(blocks):
        if isinstance(block, Quote) or (isinstance(above, Paragraph) and isinstance(block, Paragraph)) or not _is_normal(block):
            return False
        above = block
    return True


def _normal_blocks(block: Block) -> Iterator[Block]:
    match block:
        case Paragraph():
            inlines = merge_inlines(block.inlines)
            if inlines:
                yield Paragraph(inlines)
        case Heading():
            inlines = merge_inlines(block.inlines)
            for line in _lines_of(inlines) if "\n" in words_of(inlines) else (inlines,):
                if line:
                    yield Heading(min(max(block.level, 1), 6), line)
        case CodeBlock():
            text = clean(block.text)
            if text:
                of_table = (block.rows, block.has_head) if text == block.text else ()
                yield CodeBlock(text, " ".join(clean(block.language).split()), *of_table)
        case List():
            items = tuple(_normal_item(item, block.ordered) for item in in_steps(block.items))
            if items:
                yield List(items, block.ordered, block.start)
        case Quote():
            for quote in flat_quotes(block.blocks, block.is_expandable, max(block.depth, 1)):
                inside = normalize(RichText(quote.blocks)).blocks
                if inside:
                    yield Quote(tuple(b for b in inside if not isinstance(b, Quote)), quote.is_expandable, quote.depth)


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


def map_inlines(rich: RichText, change: Callable[[Inline], Inline]) -> RichText:
    """The same tree with each inline replaced by `change(inline)`; normalized."""

    def of_block(block: Block) -> Block:
        match block:
            case Paragraph():
                return Paragraph(tuple(map(change, in_steps(block.inlines))))
            case Heading():
                return Heading(block.level, tuple(map(change, in_steps(block.inlines))))
            case List():
                items = tuple(with_inlines(item, tuple(map(change, item.inlines))) for item in in_steps(block.items))
                return List(items, block.ordered, block.start)
            case Quote():
                inner = tuple(of_block(b) for b in block.blocks)
                return Quote(tuple(b for b in inner if not isinstance(b, Quote)), block.is_expandable, block.depth)
            case CodeBlock():
                return block

    return normalize(RichText(tuple(map(of_block, in_steps(rich.blocks)))))


def with_inlines(item: ListItem, inlines: tuple[Inline, ...]) -> ListItem:
    """The same place in the list with other words."""
    return ListItem(inlines, item.indent, item.ordered, item.number)


def concat(*parts: RichText) -> RichText:
    """The parts one below the other."""
    return normalize(RichText(tuple(block for part in parts for block in part.blocks)))


def stack(*parts: RichText) -> RichText:
    """`concat` of parts that are already in normal form: only the joints need work."""
    blocks: list[Block] = []
    for part in parts:
        above, below = (blocks[-1] if blocks else None), part.blocks
        if below and isinstance(above, Paragraph) and isinstance(below[0], Paragraph):
            blocks[-1] = Paragraph(_stacked((above.inlines, below[0].inlines)))
            below = below[1:]
        blocks += below
    return RichText(tuple(blocks))
