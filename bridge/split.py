"""Splitting rich text to a platform's limit: at paragraph > line > word > grapheme bounds, marks, quotes and fences closed and
reopened. Pure. Called by `render`; what "fits" means is the target adapter's own measure."""

from __future__ import annotations

from collections.abc import Callable

import regex

from bridge.text import RichText, Text, atoms, block_starts, map_inlines, plain, slice_text, text_of

_GRAPHEME = regex.compile(r"\X")
_MIN_FILL = 2
"""A better bound is taken only if it leaves the part at least 1/_MIN_FILL full."""


def split(rich: RichText, fits: Callable[[RichText], bool]) -> list[RichText]:
    """Parts in order, each of which fits. Only white space at the cuts is left out.

    Raises ValueError when not even one character fits, which no platform's limit does.
    """
    if not rich or fits(rich):
        return [rich] if rich else []
    text = text_of(rich)
    spans = list(atoms(rich))
    starts = block_starts(rich)
    parts: list[RichText] = []
    at = 0
    while at < len(text):
        furthest = _furthest(rich, at, len(text), fits)
        if furthest == len(text):
            parts.append(slice_text(rich, at, furthest))
            break
        cut = _outside_atoms(_best_cut(text, at, furthest, starts), spans, at)
        while cut > at and not fits(slice_text(rich, at, cut)):
            cut = _outside_atoms(_grapheme_cut(text, at, at + (cut - at) * 9 // 10), spans, at)
        if cut <= at:
            end = _end_of_unit(text, at, spans)
            parts.extend(_split_stubborn(slice_text(rich, at, end), fits))
            at = end
            continue
        parts.append(slice_text(rich, at, cut))
        at = _skip_separator(text, cut)
    return [part for part in parts if text_of(part).strip() or part.blocks]


def _furthest(rich: RichText, at: int, end: int, fits: Callable[[RichText], bool]) -> int:
    if fits(slice_text(rich, at, end)):
        return end
    low, high = at, end
    while high - low > 1:
        middle = (low + high) // 2
        if fits(slice_text(rich, at, middle)):
            low = middle
        else:
            high = middle
    return low


def _best_cut(text: str, at: int, furthest: int, starts: tuple[int, ...]) -> int:
    least = at + (furthest - at) // _MIN_FILL
    paragraph = text.rfind("\n\n", least, furthest + 1)
    block = max((start - 1 for start in starts if least < start - 1 <= furthest), default=-1)
    if max(paragraph, block) > at:
        return max(paragraph, block)
    line = text.rfind("\n", least, furthest + 1)
    if line > at:
        return line
    word = max(text.rfind(space, at, furthest + 1) for space in " \n\t")
    if word > at and text[at:word].strip():
        return word
    return _grapheme_cut(text, at, furthest)


def _grapheme_cut(text: str, at: int, furthest: int) -> int:
    """The last grapheme bound at or before `furthest`; `furthest` itself if the first grapheme reaches beyond it."""
    if furthest <= at:
        return at
    last = at
    for found in _GRAPHEME.finditer(text, at, min(len(text), furthest + 64)):
        if found.end() > furthest:
            break
        last = found.end()
    return last if last > at else furthest


def _outside_atoms(cut: int, spans: list[tuple[int, int]], at: int) -> int:
    for start, end in spans:
        if start < cut < end:
            return max(start, at)
    return cut


def _end_of_unit(text: str, at: int, spans: list[tuple[int, int]]) -> int:
    for start, end in spans:
        if start <= at < end:
            return end
    return _grapheme_cut(text, at, at + 1)


def _skip_separator(text: str, cut: int) -> int:
    if text.startswith("\n\n", cut):
        return cut + 2
    return cut + 1 if text[cut : cut + 1] in ("\n", " ", "\t") else cut


def _split_stubborn(piece: RichText, fits: Callable[[RichText], bool]) -> list[RichText]:
    """A piece whose very first character does not fit, because of what it is wrapped in (a link longer than the limit, say):
    shown bare, its URL as text."""
    links: list[str] = []

    def bare(inline: object) -> Text:
        if isinstance(inline, Text):
            if inline.link:
                links.append(inline.link)
            return Text(inline.text)
        from bridge.text import inline_text

        return Text(inline_text(inline))  # type: ignore[arg-type]

    stripped = map_inlines(piece, bare)
    if not fits(stripped):
        stripped = plain(text_of(piece))
    if not fits(stripped):
        text = text_of(piece)
        if len(text) <= 1:
            raise ValueError("the limit is too small for a single character")
        return [part for character in text for part in _split_stubborn(plain(character), fits)]
    return [stripped]
