"""Web addresses in texts: which may be links, where a bare one ends, and what leads to the server itself. Pure."""

from __future__ import annotations

import re
from urllib.parse import urljoin

SAFE_LINK = re.compile(r"(?i)^(?:https?://|mailto:|tel:|ftp://)[^\s]+$")
_BARE = re.compile(r"(?i)(?:(?:https?|ftp)://|www\.)\w[^\s<`\u200b\u2060]*")
_LAST = "?!.,:*_~'\";"
"""Characters that end a sentence or markup, but not an address."""
_BRACKET = re.compile(r"[()\[\]]")


def web_url(url: str) -> str:
    """A URL that others may open, or nothing."""
    return url if url.startswith(("https://", "http://")) and url.isprintable() else ""


def absolute(url: str, server: str) -> str:
    """A path as an address of the server, if that is known; anything else as it is."""
    return urljoin(server, url) if server and url.startswith("/") and not url.startswith("//") else url


def bare_address(source: str, at: int) -> str:
    """The bare address that begins there, without what only ends the sentence; empty if none does."""
    if at and source[at - 1].isalnum():
        return ""
    found = _BARE.match(source, at)
    if found is None:
        return ""
    address = _balanced(found[0])
    while address and address[-1] in _LAST:
        address = _balanced(address.rstrip(_LAST))
    return address if _BARE.fullmatch(address) else ""


def _balanced(address: str) -> str:
    """Up to the first bracket that closes what was not opened in it."""
    depth = {")": 0, "]": 0}
    for found in _BRACKET.finditer(address):
        letter = found[0]
        if letter == "(":
            depth[")"] += 1
        elif letter == "[":
            depth["]"] += 1
        else:
            depth[letter] -= 1
            if depth[letter] < 0:
                return address[: found.start()]
    return address
