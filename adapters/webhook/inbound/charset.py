"""Decodes the bytes of forms and texts; the charset may be stated wrongly or not at all. Pure."""

from __future__ import annotations

import codecs
import re

_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")
_LOOKED_AT_BYTES = 16 * 1024
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})
"""Codecs of Python that are not charsets, or that no browser supports."""
_LIKE_ASCII = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252"})


def known(name: str) -> str:
    """Python's name of the charset; empty if there is no such text charset."""
    try:
        found = codecs.lookup(name.strip().strip("\"'"))
    except (LookupError, ValueError):
        return ""
    return found.name if getattr(found, "_is_text_encoding", True) and found.name not in _NO_CHARSETS else ""


def words_of(raw: bytes, charset: str = "") -> str:
    """The text: by its byte order mark, else the stated charset, else UTF-8, else the likelier of windows-1251 and
    windows-1252. UTF-8 is tried before a stated Latin-1 or windows-1252, which fit any bytes."""
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return raw.decode(name, "replace")
    said = known(charset) if charset else ""
    if said and said not in _LIKE_ASCII:
        try:
            return raw.decode(said)
        except UnicodeDecodeError:
            pass
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(said if said in ("iso8859-1", "cp1252") else _guess(raw), "replace")


def _guess(raw: bytes) -> str:
    """The likelier charset: Cyrillic words have no Latin letters; words of western languages have some beside the accented ones."""
    words = [word for word in _WORD.findall(raw[:_LOOKED_AT_BYTES]) if not word.isascii()]
    cyrillic = sum(len(word) for word in words if len(word) > 1 and not _ASCII_LETTER.search(word))
    return "cp1251" if cyrillic * 2 > sum(map(len, words)) else "cp1252"
