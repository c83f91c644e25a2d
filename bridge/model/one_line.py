"""One line of our own, in a log, a terminal, a page or a status: text from outside in it stays a part of that line."""

from __future__ import annotations

import regex

from bridge.model.characters import INVISIBLE

_HIDDEN = regex.compile(rf"(?![\u200c\u200d\ufe0e\ufe0f\U000e0020-\U000e007f])[{INVISIBLE}\p{{Zl}}\p{{Zp}}]")
"""What ends, moves, turns or hides the text around it; not what joins letters or emoji into one."""
_HALVES = regex.compile(r"\p{Cs}")


def one_line(text: object, most: int = 0) -> str:
    """Text as a part of a line: control, invisible and direction-changing characters are spaces, white space is collapsed, halves
    of a surrogate pair, which no stream takes, are U+FFFD. With `most`, at most so many characters, the last of them `…`."""
    line = str(text)
    if not line.isprintable():
        line = _HALVES.sub("\ufffd", _HIDDEN.sub(" ", line))
    line = " ".join(line.split())
    return line if not most or len(line) <= most else line[: most - 1] + "…"
