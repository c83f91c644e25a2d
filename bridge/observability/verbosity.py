"""Whether debug lines are written. What is said in them alone is put into words for every message: only where somebody reads it."""

from __future__ import annotations

_shown = [False]


def show_debug(shown: bool) -> None:
    """Called whenever logging is set up, so at each reload."""
    _shown[0] = shown


def is_debug_shown() -> bool:
    return _shown[0]
