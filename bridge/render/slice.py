"""Slicing rich text: positions count characters of `text_of`. Pure; used by `split` and by whoever walks over all runs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
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
    only_texts,
    runs_by_line,
    with_inlines,
    with_numbers,
    words_of,
)


def atoms(rich: RichText) -> Iterator[tuple[int, int]]:
    """Spans (start, end) of runs that cannot be cut: mentions, emoji, timestamps."""
    at = 0
    for inlines in runs_by_line(rich):
        if only_texts(inlines):
            at += len(words_of(inlines)) + 1
            continue
        for inline in inlines:
            length = len(inline_text(inline))
            if not isinstance(inline, Text) and length:
                yield at, at + length
            at += length
        at += 1


def linked(rich: RichText) -> Iterator[tuple[int, Text]]:
    """Where each run with a link begins."""
    at = 0
    for inlines in runs_by_line(rich):
        if only_texts(inlines) and not any(run.link for run in inlines):
            at += len(words_of(inlines)) + 1
            continue
        for inline in inlines:
            if isinstance(inline, Text) and inline.link:
                yield at, inline
            at += len(inline_text(inline))
        at += 1


def runs(rich: RichText) -> Iterator[Inline | None]:
    """All runs in order; None for each line break that `text_of` puts between two stretches of text."""
    for number, inlines in enumerate(runs_by_line(rich)):
        if number:
            yield None
        yield from in_steps(inlines)


def block_starts(rich: RichText) -> tuple[int, ...]:
    """Positions at which a block after the first begins."""
    starts: list[int] = []
    at = 0
    for block in in_steps(rich.blocks):
        if at:
            starts.append(at)
        at += _length(block) + 1
    return tuple(starts)


def _length(block: Block, enough: int | None = None) -> int:
    """Characters of the block in `text_of`; counting may stop beyond `enough`."""
    match block:
        case Paragraph() | Heading():
            return _inlines_length(block.inlines, enough)
        case CodeBlock():
            return len(block.text)
        case List(items=(only,)):
            return _inlines_length(only.inlines, enough)
        case List():
            return _sum((_inlines_length(item.inlines) for item in in_steps(block.items)), enough)
        case Quote():
            return _blocks_length(block.blocks, enough)


def _blocks_length(blocks: tuple[Block, ...], enough: int | None) -> int:
    if len(blocks) > _FEW:
        return _sum((_length(block, enough) for block in in_steps(blocks)), enough)
    length = max(len(blocks) - 1, 0)
    for block in blocks:
        length += _length(block, enough)
    return length


def _sum(lengths: Iterable[int], enough: int | None) -> int:
    """Of stretches of text with line breaks between; counting may stop beyond `enough`."""
    total = -1
    for length in lengths:
        total += length + 1
        if enough is not None and total > enough:
            break
    return max(total, 0)


def _inlines_length(inlines: tuple[Inline, ...], enough: int | None = None) -> int:
    """Characters of the runs; counting may stop beyond `enough`."""
    if len(inlines) == 1:
        run = inlines[0]
        return len(run.text if type(run) is Text else inline_text(run))
    if enough is not None and enough + 1 < len(inlines):
        length = len(words_of(inlines[: max(enough, 0) + 1]))
        if length > enough:
            return length
    if len(inlines) > _FEW:
        return len(words_of(inlines))
    length = 0
    for inline in inlines:
        length += len(inline.text if type(inline) is Text else inline_text(inline))
    return length


_FEW = 8
"""So many runs are sooner counted one by one, such as those of the items of a list."""


def slice_text(rich: RichText, start: int, end: int) -> RichText:
    """The part between two positions, with the marks, quotes, lists and fences that it lies in. Neither position may be inside an
    atom (an atom is taken whole if its start is inside)."""
    return RichText(tuple(_slice_blocks(rich.blocks, start, end)))


def beginning_of(rich: RichText, end: int, starts: tuple[int, ...]) -> RichText:
    """`slice_text` from the beginning, by its `block_starts`: only the last block is looked at."""
    whole = bisect_left(starts, end)
    at = starts[whole - 1] if whole else 0
    last = tuple(_slice_blocks(rich.blocks[whole : whole + 1], -at, end - at))
    return RichText((*rich.blocks[:whole], *last))


def tail_of(rich: RichText, start: int, starts: tuple[int, ...] = ()) -> RichText:
    """`slice_text` to the end, at the cost of what is left out: what follows is taken as it is. Where some of its
    `block_starts` are known, blocks before them are not looked at."""
    skipped = bisect_right(starts, start)
    at = starts[skipped - 1] if skipped else 0
    for number, block in enumerate(in_steps(rich.blocks[skipped:]), skipped):
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
        case Quote():
            inner = tail_of(RichText(block.blocks), start).blocks
            return Quote(tuple(b for b in inner if not isinstance(b, Quote)), block.is_expandable, block.depth)
        case List():
            return _tail_list(block, start)
        case CodeBlock():
            return CodeBlock(block.text[start:], block.language)


def _tail_inlines(inlines: tuple[Inline, ...], start: int) -> tuple[Inline, ...]:
    number, at = _run_at(inlines, start)
    if number == len(inlines):
        return ()
    inline = inlines[number]
    if at >= start:
        return inlines[number:]
    if not isinstance(inline, Text):
        return inlines[number + 1 :]
    return (Text(inline.text[start - at :], inline.marks, inline.link), *inlines[number + 1 :])


def _run_at(inlines: tuple[Inline, ...], position: int) -> tuple[int, int]:
    """The number of the run that holds this character, and where it begins; the count and length of all if none does. Runs are not
    empty, so no more are looked at than the position has characters."""
    first = inlines[: position + 1]
    ends = list(accumulate(map(len, [run.text for run in first] if only_texts(first) else map(inline_text, first))))
    number = bisect_right(ends, position)
    if number < len(first) or len(first) == len(inlines):
        return number, ends[number - 1] if number else 0
    after, at = _run_at(inlines[number:], position - ends[-1])
    return number + after, ends[-1] + at


def _slice_blocks(blocks: Sequence[Block], start: int, end: int) -> Iterator[Block]:
    at = 0
    for block in in_steps(blocks):
        if at >= end:
            return
        length = _length(block, end - at)
        if start <= at and at + length <= end:
            yield block
        elif at + length > start:
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
            return Quote(tuple(b for b in inner if not isinstance(b, Quote)), block.is_expandable, block.depth)
        case List():
            return _slice_list(block, start, end)


def _slice_list(block: List, start: int, end: int) -> List:
    """The items keep the numbers that they have in the whole list."""
    if start <= 0:
        return _list_upto(block, end)
    items: list[ListItem] = []
    numbers: list[int | None] = []
    first = block.start
    at = 0
    for number, item in numbered(block):
        if at >= end:
            break
        length = _inlines_length(item.inlines)
        if at + length > start or (length == 0 and at >= start):
            items.append(with_inlines(item, _slice_inlines(item.inlines, start - at, end - at)))
            numbers.append(number)
        elif not items and item.indent == 0 and number is not None:
            first = number + 1
        at += length + 1
    return with_numbers(List(tuple(items), block.ordered, first), numbers)


def _list_upto(block: List, end: int) -> List:
    """`_slice_list` from the beginning: the numbers stay by themselves."""
    at = before = place = 0
    for item in in_steps(block.items):
        if at >= end:
            break
        before = at
        at += _inlines_length(item.inlines) + 1
        place += 1
    items = block.items[:place]
    if at - 1 > end:
        items = (*items[:-1], with_inlines(items[-1], _slice_inlines(items[-1].inlines, 0, end - before)))
    return List(items, block.ordered, block.start)


def _tail_list(block: List, start: int) -> List:
    """`_slice_list` to the end. Behind the first item at the outermost level the numbers go on by themselves."""
    at = place = 0
    for item in in_steps(block.items):
        length = _inlines_length(item.inlines)
        if at + length > start or (length == 0 and at >= start):
            break
        at += length + 1
        place += 1
    outermost = (n for n, item in enumerate(block.items[place + 1 :], place + 1) if item.indent == 0)
    settled = next(outermost, len(block.items) - 1) + 1
    known = List(block.items[:settled], block.ordered, block.start)
    cut = _slice_list(known, start, _length(known) + 1)
    return List((*cut.items, *block.items[settled:]), cut.ordered, cut.start)


def _slice_inlines(inlines: tuple[Inline, ...], start: int, end: int) -> tuple[Inline, ...]:
    start = max(start, 0)
    if end <= start:
        return ()
    last, at = _run_at(inlines, end - 1)
    if last < len(inlines):
        inline = inlines[last]
        if isinstance(inline, Text) and at + len(inline.text) > end:
            inline = Text(inline.text[: end - at], inline.marks, inline.link)
        inlines = (*inlines[:last], inline)
    return _tail_inlines(inlines, start) if start else inlines
