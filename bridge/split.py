"""Splitting rich text to a platform's limit: at paragraph > line > word > grapheme bounds, marks, quotes and fences closed and
reopened. Pure. Called by `render`; what "fits" means is the target adapter's own measure.

`fits` may be slow: it is asked by binary search only, about pieces of the size of a part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

import regex

from bridge.characters import is_blank
from bridge.slices import atoms, block_starts, runs, slice_text, tail_of
from bridge.text import (
    EMPTY,
    Block,
    CodeBlock,
    Inline,
    Paragraph,
    Quote,
    RichText,
    Text,
    inline_text,
    map_inlines,
    plain,
    text_of,
)

Fits = Callable[[RichText], bool]

_GRAPHEME = regex.compile(r"\X")
_GRAPHEME_WINDOW = 64
_MASK = "\ue000"
_FIRST_GUESS = 2048
_SHORT = 40
"""Links, names and languages up to this length are never the reason why something does not fit."""
_AROUND = 256
"""How far beyond the guess a part is looked for at first."""
_FIRST_STEPS = 40
"""The first step from the guess, and how exactly the end of a part is found: this share of it."""
_MIN_FILL = 2
"""A better bound is taken only if it leaves the part at least 1/_MIN_FILL full."""


def split(rich: RichText, fits: Fits, *, first: Fits | None = None) -> list[RichText]:
    """Parts in order, each of which fits; none is blank. Only white space at the cuts is left out. `first` says what fits into the
    first part, if that is something else.

    Raises ValueError when not even one character fits, which no platform's limit does.
    """
    if not rich or (first or fits)(rich):
        return [rich] if rich else []
    is_long = cache(lambda length: length > _SHORT and not fits(plain("x" * (2 * length))))
    rest = _without_giants(rich, fits, is_long)
    parts: list[RichText] = []
    guess = _FIRST_GUESS
    while rest:
        head, rest, guess = _take(rest, first if first and not parts else fits, guess, is_long)
        if not is_blank(text_of(head)):
            parts.append(head)
    return parts


def _take(rich: RichText, fits: Fits, guess: int, is_long: Callable[[int], bool]) -> tuple[RichText, RichText, int]:
    """The longest good part from the beginning (empty, if something had to be simplified first), the rest, and a guess how long the
    next part will be."""
    window, is_all = _window(rich, guess)
    furthest = _furthest(window, len(text_of(window)), fits, guess)
    while furthest == len(text_of(window)):
        if is_all:
            return slice_text(window, 0, furthest), EMPTY, guess  # what was measured: an empty item at the end is not in it
        window, is_all = _window(rich, furthest)
        furthest = _furthest(window, len(text_of(window)), fits, furthest)
    text = text_of(window)
    spans = [*atoms(window), *_long_links(window, is_long)]
    cut = _outside(_best_cut(_masked(text, spans), furthest, block_starts(window)), spans)
    while cut > 0 and not fits(slice_text(window, 0, cut)):
        cut = _outside(_grapheme_cut(text, cut * 9 // 10), spans)
    if cut > 0:
        return slice_text(window, 0, cut), _without_separator(rich, cut), furthest
    simpler = _first_run_bare(rich)
    if simpler != rich:
        return EMPTY, simpler, guess
    for end in (_grapheme_cut(text, 1), 1):
        if fits(plain(text[:end])):
            return plain(text[:end]), tail_of(rich, end), guess
    raise ValueError("the limit is too small for a single character")


def _window(rich: RichText, guess: int) -> tuple[RichText, bool]:
    """As much of the beginning as the next part can concern, and whether that is all. What one part costs does not depend on how
    much follows it."""
    most = 3 * guess + _AROUND
    window = slice_text(rich, 0, most)
    return (window, False) if len(text_of(window)) >= most else (rich, True)


def _without_separator(rich: RichText, cut: int) -> RichText:
    """What follows a cut, without the white space there."""
    rest = tail_of(rich, cut)
    while True:
        window = text_of(slice_text(rest, 0, _AROUND))
        if not window or window.strip():
            break
        rest = tail_of(rest, len(window))
    skipped = _skip_separator(window, 0)
    return tail_of(rest, skipped) if skipped else rest


def _furthest(rich: RichText, length: int, fits: Fits, guess: int) -> int:
    """A position up to which the text fits, the last one or within a few hundredths of it. Parts of one text are much alike, so the
    guess is mostly right, and the steps from it are small at first."""
    low, high = 0, min(max(guess, 1), length)
    step = max(1, high // _FIRST_STEPS)
    if fits(slice_text(rich, 0, high)):
        while True:
            if high == length:
                return length
            low, high = high, min(high + step, length)
            step *= 4
            if not fits(slice_text(rich, 0, high)):
                break
    else:
        low = high - step
        while low > 0 and not fits(slice_text(rich, 0, low)):
            high, step = low, step * 4
            low = max(0, high - step)
        low = max(0, low)
    while high - low > max(1, high // _FIRST_STEPS):
        middle = (low + high) // 2
        if fits(slice_text(rich, 0, middle)):
            low = middle
        else:
            high = middle
    return low


def _best_cut(text: str, furthest: int, starts: tuple[int, ...]) -> int:
    """Where to end the part: the best kind of bound that leaves it reasonably full."""
    least = furthest // _MIN_FILL
    paragraph = text.rfind("\n\n", least, furthest + 2)
    block = max((start - 1 for start in starts if least < start - 1 <= furthest), default=-1)
    line = text.rfind("\n", least, furthest + 1)
    word = max(text.rfind(space, 0, furthest + 1) for space in " \n\t")
    if word < least and _word_length(text, word + 1) > furthest:
        word = -1
    for cut in (min(max(paragraph, block), furthest), line, word):
        if cut > 0 and text[:cut].strip():
            return len(text[:cut].rstrip())
    return _grapheme_cut(text, furthest)


def _word_length(text: str, start: int) -> int:
    ends = [end for end in (text.find(space, start) for space in " \n\t") if end >= 0]
    return min(ends, default=len(text)) - start


def _grapheme_cut(text: str, furthest: int) -> int:
    """The last grapheme bound at or before `furthest`; `furthest` itself if the first grapheme reaches beyond it."""
    last = 0
    for found in _GRAPHEME.finditer(text, 0, min(len(text), furthest + _GRAPHEME_WINDOW)):
        if found.end() > furthest:
            break
        last = found.end()
    return last or furthest


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with what must not be cut made one word."""
    if not spans:
        return text
    characters = list(text)
    for start, end in spans:
        characters[start:end] = _MASK * (end - start)
    return "".join(characters)


def _outside(cut: int, spans: list[tuple[int, int]]) -> int:
    for start, end in spans:
        if start < cut < end:
            return start
    return cut


def _skip_separator(text: str, cut: int) -> int:
    """Behind the white space at a cut; the indentation of the line that follows stays."""
    end = cut
    while end < len(text) and text[end].isspace():
        end += 1
    line = text.rfind("\n", cut, end)
    return line + 1 if line >= 0 else end


# -- runs whose wrapping alone would eat up the limit -------------------------------------------------------------------------


def _long_links(rich: RichText, is_long: Callable[[int], bool]) -> list[tuple[int, int]]:
    """Spans of linked runs that are not worth cutting, since each piece would carry the long address again."""
    spans: list[tuple[int, int]] = []
    at = 0
    for inline in runs(rich):
        length = len(inline_text(inline)) if inline else 1
        if isinstance(inline, Text) and inline.link and length > 1 and is_long(len(inline.link)):
            spans.append((at, at + length))
        at += length
    return spans


def _without_giants(rich: RichText, fits: Fits, is_long: Callable[[int], bool]) -> RichText:
    """Runs that can never fit as they are, shown bare: a link longer than the limit as text with its address in parentheses, a
    giant mention as its name, a fence without its endless language."""

    def shrunk(inline: Inline) -> Inline:
        if isinstance(inline, Text):
            giant = inline.link is not None and is_long(len(inline.link))
        else:
            giant = len(inline_text(inline)) > _SHORT
        return _bare(inline) if giant and not fits(RichText((Paragraph((inline,)),))) else inline

    return RichText(tuple(_short_fences(map_inlines(rich, shrunk).blocks)))


def _short_fences(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        match block:
            case CodeBlock() if len(block.language) > _SHORT:
                yield CodeBlock(block.text)
            case Quote():
                yield Quote(tuple(b for b in _short_fences(block.blocks) if not isinstance(b, Quote)))
            case _:
                yield block


def _bare(inline: Inline) -> Text:
    """Its text alone; the address of a link follows in parentheses."""
    shown = inline_text(inline)
    if isinstance(inline, Text) and inline.link and inline.link != shown.strip():
        shown = f"{shown} ({inline.link})"
    return Text(shown)


def _first_run_bare(rich: RichText) -> RichText:
    """The first run bare; the rest as it is."""
    done = False

    def change(inline: Inline) -> Inline:
        nonlocal done
        if done or not inline_text(inline):
            return inline
        done = True
        return _bare(inline)

    return map_inlines(rich, change)
