"""Emoji and their short names (`thumbsup`), for dialects that write reactions by name. Pure.

The table is large, so it is loaded when the first such name is met.
"""

from __future__ import annotations


def is_custom(reaction: str) -> bool:
    """Whether it is `:name:`, some platform's own emoji."""
    return len(reaction) > 2 and reaction.isascii() and reaction.startswith(":") and reaction.endswith(":")


def short_name(reaction: str) -> str:
    """An emoji's name without colons; empty if it has none. A custom one may have a namesake, so its own name is given."""
    if is_custom(reaction):
        return reaction.strip(":")
    import emoji

    name = emoji.demojize(reaction, language="alias")
    return name.strip(":") if name.startswith(":") and name.count(":") == 2 else ""


def from_name(name: str) -> str:
    """A reaction as the bridge has it: the emoji itself, also for a short name that has one, and `:name:` for others."""
    if not name.isascii():
        return name
    import emoji

    short = f":{name.strip(':')}:"
    found = emoji.emojize(short, language="alias")
    return found if found != short else short
