"""Slicing rich text: positions count characters of `text_of`. Pure; used by `split` and by whoever walks over all runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bridge.text import (
    Block,
    CodeBlock,
    Heading,
    Inline,
    List,
    ListItem,
    Paragraph,
    Quote,
    RichText,
    Text,
    inline_text,
    numbered,
    with_inlines,
    with_numbers,
)


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
                yield from (item.inlines for item in block.items) if block.items else ((),)
            case Quote():
                yield from _lines(RichText(block.blocks)) if block.blocks else ((),)


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
        at += _length(block) + 1
    return tuple(starts)


def _length(block: Block, enough: int | None = None) -> int:
    """Characters of the block in `text_of`; for paragraphs, counting may stop beyond `enough`."""
    match block:
        case Paragraph() | Heading():
            return _inlines_length(block.inlines, enough)
        case CodeBlock():
            return len(block.text)
        case List():
            return sum(_inlines_length(item.inlines) + 1 for item in block.items) - 1 if block.items else 0
        case Quote():
            return sum(_length(inner) + 1 for inner in block.blocks) - 1 if block.blocks else 0


def _inlines_length(inlines: Iterable[Inline], enough: int | None = None) -> int:
    """Characters of the runs; counting may stop beyond `enough`."""
    length = 0
    for inline in inlines:
        length += len(inline_text(inline))
        if enough is not None and length > enough:
            break
    return length


def slice_text(rich: RichText, start: int, end: int) -> RichText:
    """The part between two positions, with the marks, quotes, lists and fences that it lies in. Neither position may be inside an
    atom (an atom is taken whole if its start is inside)."""
    return RichText(tuple(_slice_blocks(rich.blocks, start, end)))


def tail_of(rich: RichText, start: int) -> RichText:
    """`slice_text` to the end, at the cost of what is left out: what follows is taken as it is."""
    at = 0
    for number, block in enumerate(rich.blocks):
        length = _length(block, start - at)
        if at + length > start or (length == 0 and at >= start):
            first = _tail_block(block, start - at)
            return RichText((first, *rich.blocks[number + 1 :]))
        at += length + 1
    return RichText(())


def _tail_block(block: Block, start: int) -> Block:
    if start <= 0:
        return block
    match block:
        case Paragraph():
            return Paragraph(_tail_inlines(block.inlines, start))
        case Heading():
            return Heading(block.level, _tail_inlines(block.inlines, start))
        case _:
            return _slice_block(block, start, _length(block) + 1)


def _tail_inlines(inlines: tuple[Inline, ...], start: int) -> tuple[Inline, ...]:
    at = 0
    for number, inline in enumerate(inlines):
        length = len(inline_text(inline))
        if at + length > start:
            if not isinstance(inline, Text):
                return inlines[number:] if at >= start else inlines[number + 1 :]
            return (Text(inline.text[start - at :], inline.marks, inline.link), *inlines[number + 1 :])
        at += length
    return ()


def _slice_blocks(blocks: Iterable[Block], start: int, end: int) -> Iterator[Block]:
    at = 0
    for block in blocks:
        if at >= end:
            return
        length = _length(block, end - at)
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
    """The items keep the numbers that they have in the whole list."""
    items: list[ListItem] = []
    numbers: list[int | None] = []
    first = block.start
    at = 0
    for number, item in numbered(block):
        length = _inlines_length(item.inlines)
        if at < end and (at + length > start or (length == 0 and at >= start)):
            items.append(with_inlines(item, _slice_inlines(item.inlines, start - at, end - at)))
            numbers.append(number)
        elif not items and item.indent == 0 and number is not None:
            first = number + 1
        at += length + 1
    return with_numbers(List(tuple(items), block.ordered, first), numbers)


def _slice_inlines(inlines: Iterable[Inline], start: int, end: int) -> tuple[Inline, ...]:
    taken: list[Inline] = []
    at = 0
    for inline in inlines:
        if at >= end:
            break
        length = len(inline_text(inline))
        if isinstance(inline, Text):
            piece = inline.text[max(start - at, 0) : max(end - at, 0)]
            if piece:
                taken.append(Text(piece, inline.marks, inline.link))
        elif start <= at < end:
            taken.append(inline)
        at += length
    return tuple(taken)
