"""Splitting rich text to a platform's limit: at paragraph > line > word > grapheme bounds, marks, quotes and fences closed and
reopened. Pure. Called by `render`; what "fits" means is the target adapter's own measure.

To measure is what costs: it is done with pieces of the size of a part, and where it tells a length (`Limit`), mostly once each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf

import regex

from bridge.model.characters import is_blank
from bridge.model.pauses import pause_point
from bridge.model.rich_text import (
    EMPTY,
    Inline,
    RichText,
    Text,
    only_texts,
    plain,
    runs_by_line,
    text_of,
)
from bridge.render.cut_tables import with_heads
from bridge.render.giants import SHORT, first_run_bare, has_long_fences, long_links, without_giants
from bridge.render.slice import atoms, beginning_of, block_starts, slice_text, tail_of

Fits = Callable[[RichText], bool]


@dataclass(frozen=True, slots=True)
class Limit:
    """What fits where lengths are known, which needs far fewer questions: at most `most`, as `measure` counts."""

    measure: Callable[[RichText], int]
    most: int

    def __call__(self, rich: RichText) -> bool:
        return self.measure(rich) <= self.most


_GRAPHEME = regex.compile(r"\X")
_BETWEEN_ASCII = regex.compile(r"(?r)[\x00-\x7f](?=[\x00-\x7f])(?<!\r(?=\n))")
"""The last place that is surely between two graphemes (found backwards): Unicode joins no two of these but a line break's."""
_GRAPHEME_WINDOW = 64
_MASK = "\ue000"
_FIRST_GUESS = 2048
_SURELY = 2
"""A text whose beginning tells that it takes so many parts is not measured as a whole."""
_MANY = 1024
"""So many runs are looked at in one step where the interpreter does it by itself."""
_AROUND = 256
"""How far beyond the guess a part is looked for at first."""
_SEPARATOR = 16
"""How far behind a cut white space is looked for at first."""
_FIRST_STEPS = 40
"""The first step from the guess, and how exactly the end of a part is found: this share of it."""
_FULL = 1 - 1 / _FIRST_STEPS
_NEARLY_FULL = (1 + _FULL) / 2
"""How full the next part is meant to become: what then differs a little is full as well, and fits."""
_WORD = 48
"""A guess ends before a word that begins within so many characters."""
_MIN_FILL = 2
"""A better bound is taken only if it leaves the part at least 1/_MIN_FILL full."""


def split(rich: RichText, fits: Fits, *, first: Fits | None = None, most: int | None = None) -> list[RichText]:
    """Parts in order, each of which fits; none is blank. Only white space at the cuts is left out. `first` says what fits into the
    first part, if that is something else. With `most`, what would follow so many parts is not looked at, and left out.

    Raises ValueError when not even one character fits, which no platform's limit does.
    """
    return split_off(rich, fits, first=first, most=most)[0]


def split_off(rich: RichText, fits: Fits, *, first: Fits | None = None, most: int | None = None) -> tuple[list[RichText], RichText]:
    """`split`, and what follows the parts: something only with `most`, and then maybe nothing but white space."""
    guess = _first_guess(rich, first or fits) if rich else None
    if guess is None:
        return ([rich] if rich else []), EMPTY
    is_long = cache(lambda length: length > SHORT and not fits(plain("x" * (2 * length))))
    has_spans = any(map(_has_spans, runs_by_line(rich)))
    rest = without_giants(rich, fits, is_long) if has_spans or has_long_fences(rich.blocks) else rich
    parts: list[RichText] = []
    while rest and (most is None or len(parts) < most):
        whole, fits_here = rest, first if first and not parts else fits
        head, rest, guess = _take(whole, fits_here, guess, is_long if has_spans else None)
        head, rest = with_heads(whole, head, rest, fits_here)
        if not is_blank(text_of(head)):
            parts.append(head)
    return parts, rest


def _first_guess(rich: RichText, fits: Fits) -> int | None:
    """About how long the first part will be; None if it is the whole. Of much longer texts than most parts only the beginning is
    measured, when that tells that the whole cannot fit."""
    length = len(text_of(rich))
    most = length if length <= 4 * _FIRST_GUESS else _FIRST_GUESS // 2
    share = _share(fits, rich if most == length else slice_text(rich, 0, most))
    if most < length and share * length / most < _SURELY:
        most, share = length, _share(fits, rich)
    if share <= 1 and most == length:
        return None
    return max(1, int(most * _NEARLY_FULL / share)) if share < inf else _FIRST_GUESS


def _share(fits: Fits, piece: RichText) -> float:
    """How much of the limit it takes; 0 if all that is known is that it fits, infinite that it does not."""
    pause_point()
    if not isinstance(fits, Limit):
        return 0.0 if fits(piece) else inf
    length = fits.measure(piece)
    if fits.most > 0:
        return length / fits.most
    return 0.0 if length <= fits.most else inf


def _has_spans(inlines: Sequence[Inline]) -> bool:
    """Whether there is anything but words among them: links, and what cannot be cut."""
    if len(inlines) == 1:
        return type(inlines[0]) is not Text or bool(inlines[0].link)
    for at in range(0, len(inlines), _MANY):
        pause_point()
        some = inlines[at : at + _MANY]
        if not only_texts(some) or {run.link for run in some} - {None, ""}:
            return True
    return False


def _take(rich: RichText, fits: Fits, guess: int, is_long: Callable[[int], bool] | None) -> tuple[RichText, RichText, int]:
    """The longest good part from the beginning (empty, if something had to be simplified first), the rest, and a guess how long the
    next part will be. `is_long` is None if there are only words in it."""
    pause_point()
    beginning = _Beginning(rich, fits)
    furthest = beginning.furthest(guess)
    text, is_all = beginning.text, beginning.is_all
    if is_all and furthest == len(text):
        return beginning.upto(furthest), EMPTY, guess  # what was measured: an empty item at the end is not in it
    if not is_all and not _has_space(text, furthest // _MIN_FILL, furthest + 1):
        beginning.look(2 * furthest)  # whether a word is longer than a part
        text = beginning.text
    spans = [*atoms(beginning.window), *long_links(beginning.window, is_long)] if is_long else []
    cut = _outside(_best_cut(_masked(text, spans), furthest, beginning.starts), spans)
    while cut > 0 and beginning.share(cut) > 1:
        cut = _outside(_grapheme_cut(text, cut * 9 // 10), spans)
    pause_point()
    if cut > 0:
        return beginning.upto(cut), _without_separator(rich, cut, beginning.starts), beginning.next_guess(furthest)
    simpler = first_run_bare(rich)
    if simpler != rich:
        return EMPTY, simpler, guess
    for end in (_grapheme_cut(text, 1), 1):
        if fits(plain(text[:end])):
            return plain(text[:end]), tail_of(rich, end), guess
    raise ValueError("the limit is too small for a single character")


def _has_space(text: str, start: int, end: int) -> bool:
    return any(text.find(space, start, end) >= 0 for space in " \n\t")


class _Beginning:
    """The beginning of a text, as far as the next part can concern it: what one part costs does not depend on how much follows."""

    def __init__(self, rich: RichText, fits: Fits) -> None:
        self._rich = rich
        self._fits = fits
        self._pieces: dict[int, tuple[RichText, float]] = {}
        self.window = EMPTY
        self.text = ""
        self.starts: tuple[int, ...] = ()
        """Where blocks of the window begin, which is where those of the whole do."""
        self.is_all = False

    def look(self, length: int) -> None:
        """Have a window for parts of about this length."""
        most = length + length // 2 + _WORD
        self.window = slice_text(self._rich, 0, most)
        self.text = text_of(self.window)
        self.is_all = len(self.text) < most - 1  # a line break at the end of a slice is not in it
        if self.is_all:
            self.window = self._rich
            self.text = text_of(self.window)
        self.starts = block_starts(self.window)

    def upto(self, end: int) -> RichText:
        return self._measured(end)[0]

    def share(self, end: int) -> float:
        return self._measured(end)[1]

    def _measured(self, end: int) -> tuple[RichText, float]:
        if end not in self._pieces:
            piece = beginning_of(self.window, end, self.starts)
            share = _share(self._fits, piece)
            self._pieces[end] = piece, share
        return self._pieces[end]

    def next_guess(self, length: int) -> int:
        """A part as full as possible would have about this length, if what follows is like what is here."""
        share = self.share(length) if length else 0.0
        return max(1, int(length * _NEARLY_FULL / share)) if 0.5 < share <= 1 else length

    def furthest(self, guess: int) -> int:
        """A position up to which the text fits, the last one or within a few hundredths of it."""
        self.look(guess)
        found = self._furthest(guess)
        while found == len(self.text) and not self.is_all:
            self.look(2 * found)
            found = self._furthest(found)
        return found

    def _furthest(self, guess: int) -> int:
        """Parts of one text are much alike, so the guess is mostly right, and the steps from it are small at first."""
        length = len(self.text)
        low, high = 0, length + 1
        at = self._before_word(min(max(guess, 1), length))
        step = max(1, at // _FIRST_STEPS)
        while True:
            share = self.share(at)
            if share > 1:
                high = at
            elif at == length or share >= _FULL:
                return at
            else:
                low = at
            if high - low <= max(1, high // _FIRST_STEPS):
                return low
            at, step = self._next(at, share, low, high, step), step * 4

    def _next(self, at: int, share: float, low: int, high: int, step: int) -> int:
        """Where to look next between `low`, which fits, and `high`, which does not."""
        length = len(self.text)
        aimed = int(at * _NEARLY_FULL / share) if 0 < share < inf else -1
        if (low < aimed < high) if low == 0 or high > length else False:
            near = self._before_word(aimed)
            return near if low < near < high else aimed
        if high > length:
            if aimed > length:
                return length
            return min(at + step, length)
        if low == 0 and high - step > 0:
            return high - step
        return (low + high) // 2

    def _before_word(self, position: int) -> int:
        """The end of the last line or word before the position, if it is near: a part that ends there needs no other cut."""
        if position >= len(self.text) or not isinstance(self._fits, Limit):
            return position
        least = max(1, position - _WORD)
        space = self.text.rfind("\n", least, position + 1)
        if space < 0:
            space = self.text.rfind(" ", least, position + 1)
        word = len(self.text[:space].rstrip()) if space > 0 else 0
        return word if word >= least else position


def _without_separator(rich: RichText, cut: int, starts: tuple[int, ...]) -> RichText:
    """What follows a cut, without the white space there."""
    rest = tail_of(rich, cut, starts)
    window = text_of(slice_text(rest, 0, _SEPARATOR))
    while window and not window.strip():
        window = text_of(slice_text(rest, 0, _AROUND))
        if window.strip():
            break
        rest = tail_of(rest, len(window))
    skipped = _skip_separator(window, 0)
    return tail_of(rest, skipped) if skipped else rest


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
    surely = _BETWEEN_ASCII.search(text, 0, min(len(text), furthest + 1))
    last = surely.end() if surely else 0
    for found in _GRAPHEME.finditer(text, last, min(len(text), furthest + _GRAPHEME_WINDOW)):
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
