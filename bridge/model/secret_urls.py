"""What of a secret URL is a secret by itself. Pure; for whoever masks texts."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

_SHORTEST = 8
"""Shorter parts of a URL are words that stand elsewhere too."""


def keys_in(secret: str) -> Iterator[str]:
    """Parts of a secret URL by which alone one may do what it is for, as written and decoded: the last part of the path, and the
    values of the query. Servers name them without the rest (Mattermost: "... for incoming webhook <id>."). Nothing of a text that
    is no URL."""
    if "://" not in secret:
        return
    try:
        url = urlsplit(secret.strip())
    except ValueError:
        return
    last = url.path.rstrip("/").rpartition("/")[2]
    parts = [last, unquote(last), *(value for _, value in parse_qsl(url.query))]
    yield from dict.fromkeys(part for part in parts if len(part) >= _SHORTEST)
