"""Single characters: which may be in a message's text, and which are visible. Pure; used by `rich_text` and `render`."""

from __future__ import annotations

import re
import unicodedata

import regex

_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_REFUSED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SUSPECT = re.compile(f"{_LINE_BREAK.pattern}|{_REFUSED.pattern}|{_SURROGATE.pattern}")
INVISIBLE = r"\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}"
"""Invisible characters by their Unicode properties: for use within a character set of a pattern."""
BLANK = r"\s\p{Z}\u115f\u1160\u2800\u3164\uffa0\U0001d159"
"""Characters that show only blank space: white space, and letters and symbols without ink."""
_INK = regex.compile(rf"[^{INVISIBLE}{BLANK}]")


def clean(text: str) -> str:
    """Text that can be stored, encoded and sent anywhere: every kind of line break is `\\n`, control characters other than tab are
    gone, halves of a surrogate pair are joined or replaced by U+FFFD."""
    if is_clean(text):
        return text
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _REFUSED.sub("", _LINE_BREAK.sub("\n", text))


def is_clean(text: str) -> bool:
    """Whether `clean` leaves the text as it is."""
    return _SUSPECT.search(text) is None


def is_blank(text: str) -> bool:
    """Whether nothing of it is visible: white space, control, format and other ignorable characters, and letters that have no ink.
    Platforms refuse such messages as empty."""
    return _INK.search(text) is None


_CLUSTER = regex.compile(r"\X")
_WITHOUT_WIDTH = regex.compile(rf"[{INVISIBLE}\p{{M}}]*")


def columns(text: str) -> int:
    """How many columns the text takes in a font whose letters are all as wide: two for each East Asian wide letter and each emoji,
    none for what is not visible by itself. Source: Unicode Standard Annex 11 (East Asian Width)."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(found[0]) for found in _CLUSTER.finditer(text))


def _columns_of(cluster: str) -> int:
    """Of one letter with its marks."""
    if len(cluster) == 1 and cluster.isascii():
        return 1
    if "\ufe0f" in cluster or any(unicodedata.east_asian_width(character) in "WF" for character in cluster):
        return 2
    if "\U0001f1e6" <= cluster[0] <= "\U0001f1ff":  # two of them are a flag
        return 2
    return 0 if _WITHOUT_WIDTH.fullmatch(cluster) else 1
