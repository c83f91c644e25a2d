"""Searches messages for an admin's pattern, within bounded time. Called by `routing`; `config` asks it about a new pattern.

A regular expression can take practically for ever on a text of forty letters. So each search has a limit; a pattern that reached it
has a much shorter one for a minute, so that a member who knows such a text cannot delay the others by repeating it. The caller
decides about a message whose search was stopped."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import lru_cache

import regex

LIMIT_S = 0.1
_TIRED_LIMIT_S = 0.005
"""An ordinary message takes a hundredth of this."""
_TIRED_FOR_S = 60.0

Pattern = re.Pattern[str] | regex.Pattern[str]

_UNITS = ("a", "0", " ", "a ", "A1_", ".", "-", "é", "\n", "http://a.b/", "a@b.")
_TRIALS = tuple(unit * (4000 // len(unit)) + "\0" for unit in _UNITS)
"""Texts on which most slow patterns are slow: one kind of character, many times, and an end that does not match."""


class Searches:
    """Remembers which patterns are slow. Not thread-safe: belongs to the loop."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._tired_until_s: dict[str, float] = {}

    def search(self, pattern: Pattern, text: str) -> bool | None:
        """Whether the pattern is found; None if that took too long."""
        now_s = self._now_s()
        limit_s = _TIRED_LIMIT_S if self._tired_until_s.get(pattern.pattern, 0.0) > now_s else LIMIT_S
        try:
            return timed(pattern).search(text, timeout=limit_s) is not None
        except TimeoutError:
            self._tired_until_s[pattern.pattern] = now_s + _TIRED_FOR_S
            return None


@lru_cache(maxsize=1000)
def timed(pattern: Pattern) -> regex.Pattern[str]:
    """The same pattern in the engine that can be stopped. Raises regex.error if that engine does not accept it."""
    if isinstance(pattern, regex.Pattern):
        return pattern
    flags = 0
    for ours, theirs in ((re.I, regex.I), (re.M, regex.M), (re.S, regex.S), (re.X, regex.X), (re.A, regex.A)):
        flags |= theirs if pattern.flags & ours else 0
    return regex.compile(pattern.pattern, flags | regex.V0)


def is_slow(pattern: Pattern) -> bool:
    """Whether some short text is found on which the pattern takes too long. A few tenths of a second at the most."""
    for text in _TRIALS:
        try:
            timed(pattern).search(text, timeout=LIMIT_S)
        except TimeoutError:
            return True
    return False
