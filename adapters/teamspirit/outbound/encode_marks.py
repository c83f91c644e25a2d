"""Writes the marks of Markdown: opens and closes them, and separates the delimiters of adjacent ones. Pure.

Called by `encode_markdown` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from adapters.teamspirit.mention_guards import GAP, JOINER
from bridge.model.rich_text import Mark

_STRIKE = "~~"
_DELIMITERS = ((int(Mark.STRIKE), _STRIKE), (int(Mark.BOLD), "**"), (int(Mark.ITALIC), "*"))


class Written:
    """The text written so far, in pieces, and its last character."""

    __slots__ = ("last", "pieces")

    def __init__(self, last: str = "") -> None:
        self.pieces: list[str] = []
        self.last = last

    def add(self, piece: str) -> None:
        if piece:
            self.pieces.append(piece)
            self.last = piece[-1]

    def open(self, wanted: Sequence[str], body: str, opened: list[str]) -> None:
        """Open marks, the outermost first, before these words. Mattermost's mobile apps begin a strike only behind white space, or
        between punctuation and a letter, and miss its end where a mark inside might have ended another: `GAP` prevents both."""
        struck = _STRIKE in opened or wanted[0] == _STRIKE
        alone = not self.last or self.last.isspace()
        touches = self.last != "" and self.last in "*~"
        self.add(GAP if touches or (struck and letter(self.last)) else "")
        outer = ""
        for sign in wanted:
            if outer[:1] == sign[0]:
                self.add(JOINER)
            elif outer and not alone:
                self.add(JOINER + GAP)
            self.add(sign)
            opened.append(sign)
            outer = sign
        self.add("" if letter(body[0]) else JOINER)

    def close(self, opened: list[str], keep: int) -> None:
        """Close marks until only `keep` of them are open."""
        while len(opened) > keep:
            sign = opened.pop()
            self.add(sign if letter(self.last) else JOINER + sign)


@cache
def signs(marks: int) -> tuple[str, ...]:
    """The delimiters of these marks, the outermost first."""
    return tuple(sign for mark, sign in _DELIMITERS if marks & mark)


def letter(character: str) -> bool:
    """Whether Markdown treats the character as neither white space nor punctuation, so that delimiters beside it count."""
    return character.isalnum() or character == JOINER
