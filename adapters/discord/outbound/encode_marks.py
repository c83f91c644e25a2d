"""Marks of a text -> delimiters between its pieces: what opens and closes where, and what must be kept apart. Pure.

Called by `encode_text` only.
"""

from __future__ import annotations

import re

from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
    Mark,
)

ZERO_WIDTH = "\u200b"
"""Put where two marks would otherwise run into one another, and into fences that a code would close."""


URL_ENDS = re.compile(r"[.,:;\"']*(?:\s|$)")
"""What may follow an address that Discord is to end where we do."""


BOLD, ITALIC, UNDERLINE, STRIKE, SPOILER, CODE = (
    int(mark) for mark in (Mark.BOLD, Mark.ITALIC, Mark.UNDERLINE, Mark.STRIKE, Mark.SPOILER, Mark.CODE)
)
"""Bare integers: operations on flags make objects, and every text that is measured goes through here."""


_DELIMITERS = {BOLD: "**", UNDERLINE: "__", STRIKE: "~~", SPOILER: "||"}


_UNESCAPED = (STRIKE, SPOILER)
"""Discord looks for their end without regard to backslashes, and takes for the end of a strike only what no `_` follows."""


_ORDER = (SPOILER, STRIKE, UNDERLINE, BOLD, ITALIC)


NO_ADDRESS = UNSETTLED = -1


Token = tuple[str, int, bool, int]
"""A piece of output: text, or the mark that opens or closes, whether it opens, and where the address begins that the text ends in:
it must not run into what follows. Bare tuples, since there are some for each run of each text that is measured."""


NOTHING: Token = ("", 0, False, NO_ADDRESS)


def switch(tokens: list[Token], open_marks: list[int], wanted: int, *, opens: bool = True) -> int:
    """Close what is no longer wanted (and what was opened inside it), then open what is missing: but never before white space.
    Returns what is open then."""
    keep = 0
    while keep < len(open_marks) and open_marks[keep] & wanted:
        keep += 1
    for mark in reversed(open_marks[keep:]):
        tokens.append(("", mark, False, NO_ADDRESS))
    del open_marks[keep:]
    for mark in _ORDER if opens and wanted else ():
        if wanted & mark and mark not in open_marks:
            tokens.append(("", mark, True, NO_ADDRESS))
            open_marks.append(mark)
    return sum(open_marks)


def joined(tokens: list[Token]) -> str:
    """Writes the delimiters. Italic is `_` or `*`, whichever cannot be misread here."""
    italic = _italic_delimiters(tokens)
    out: list[str] = []
    last = ""
    after_mark = 0
    for number, (piece, mark, _, url_at) in enumerate(in_steps(tokens)):
        if mark:
            piece = italic[number] if mark == ITALIC else _DELIMITERS[mark]
            if last and last[-1] == piece[0] and (after_mark or mark in _UNESCAPED):
                out.append(ZERO_WIDTH)
        elif url_at != NO_ADDRESS and not _ends_cleanly(tokens, number):
            piece = f"{piece[:url_at]}<{piece[url_at:]}>"
        if piece:
            if after_mark == STRIKE and piece[0] == "_":
                out.append(ZERO_WIDTH)
            out.append(piece)
            last = piece
        after_mark = mark
    return "".join(out)


def _italic_delimiters(tokens: list[Token]) -> dict[int, str]:
    chosen: dict[int, str] = {}
    opened, count = -1, len(tokens)
    for number, (_, mark, opens, _) in enumerate(in_steps(tokens)):
        if mark != ITALIC:
            continue
        if opens:
            opened = number
            continue
        behind = tokens[number + 1] if number + 1 < count else NOTHING
        at = number + 1
        while at < count and not tokens[at][0] and not tokens[at][1]:
            at += 1
        following = tokens[at][0][:1] if at < count else ""
        touches_word = not behind[1] and (following.isalnum() or following == "_")
        underlined = behind[1] == UNDERLINE or (opened > 0 and tokens[opened - 1][1] == UNDERLINE)
        chosen[opened] = chosen[number] = "*" if touches_word or underlined else "_"
    return chosen


def _ends_cleanly(tokens: list[Token], number: int) -> bool:
    """Whether an address at the end of this token ends there for Discord too: white space or a matching end of marks follows."""
    for at in range(number + 1, len(tokens)):
        text, mark, opens, _ = tokens[at]
        if mark and not opens:
            continue
        return not mark and bool(URL_ENDS.match(text))
    return True
