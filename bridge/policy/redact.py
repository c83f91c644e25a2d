"""Removes secrets from text: known ones, and whatever has the form of one. Pure.

Called by everything that shows text to people: the log (`logs`), the configuration's faults, the command line. Adapters keep their
secrets out of exceptions themselves; this is the second line of defence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from urllib.parse import quote

from bridge.model.platform import SecretShape

MASK = "***"

_SHORTEST_SECRET = 4
"""Shorter values are not replaced: masking every `1` would hide the log, not the secret."""

_SHORTEST_SHAPE = 8
"""No shorter text matches any of the shapes: most words of a log line are done at once."""

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # queries: a Socket Mode ticket, a webhook's key
    (re.compile(r"([?&](?:ticket|token|api_key|apikey|access_token|secret|sig|signature|key)=)[^&\s\"'<>]+", re.I), rf"\1{MASK}"),
    # headers
    (re.compile(r"\b(Bearer|Bot|Basic)(\s+)[A-Za-z0-9._~+/=-]{12,}"), rf"\1\2{MASK}"),
    (re.compile(r"((?:x-)?(?:api[-_]?key|auth[-_]?token)['\"]?\s*[:=]\s*['\"]?)[^\s'\",;&]{8,}", re.I), rf"\1{MASK}"),
    # the bridge's own: keys of the public listener, and invitations
    (re.compile(r"\b(mbk_|mbi_)[0-9A-Za-z]{8,}"), rf"\1{MASK}"),
    # passwords in URLs
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^/\s:@\"'<>]*:)[^/\s@\"'<>]+(?=@)", re.I), rf"\1{MASK}"),
)
"""What secrets look like everywhere. Those of a platform are its manifest's."""

_platforms: Callable[[], Iterable[SecretShape]] = tuple


def ask_platforms(shapes: Callable[[], Iterable[SecretShape]]) -> None:
    """From now on the shapes that `shapes` gives are masked in this process as well; it is asked when a text is first masked.

    Called by whoever begins a process: what a secret looks like is the same for all of it."""
    global _platforms
    _platforms = shapes
    _all_shapes.cache_clear()


@cache
def _all_shapes() -> tuple[tuple[re.Pattern[str], str], ...]:
    shapes = []
    for shape in _platforms():
        try:
            shapes.append((re.compile(shape.pattern), shape.kept + MASK))
        except re.error:
            continue  # a third party's: what the others look like must be masked all the same
    return (*shapes, *_SHAPES)


class Masker:
    """Replaces secrets by `***`. Known secrets may be added while it is in use (a reloaded configuration)."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Learn secrets, in the forms in which they appear in URLs as well."""
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET:
                self._known |= {secret, quote(secret), quote(secret, safe=""), repr(secret)[1:-1]}
                self._known |= {line for line in secret.splitlines() if len(line) >= 16}
        ordered = sorted(self._known, key=lambda known: (-len(known), known))
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """The text without secrets. What is no secret stays as it is."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        if len(text) >= _SHORTEST_SHAPE:
            for shape, replacement in _all_shapes():
                text = shape.sub(replacement, text)
        return text

    def __repr__(self) -> str:
        return f"<Masker of {len(self._known)} known forms>"
