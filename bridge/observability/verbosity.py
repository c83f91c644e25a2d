"""Whether debug lines are written, and whether what people said is in them. What is said in debug lines alone is put into words for
every message: only where somebody reads it."""

from __future__ import annotations

_shown = [False]
_with_words = [False]


def show_debug(shown: bool, *, with_words: bool = False) -> None:
    """Called whenever logging is set up, so at each reload."""
    _shown[0] = shown
    _with_words[0] = shown and with_words


def is_debug_shown() -> bool:
    return _shown[0]


def are_words_shown() -> bool:
    """Never without debug lines."""
    return _with_words[0]
