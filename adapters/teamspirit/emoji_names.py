"""Emoji and their short names (`thumbsup`), for dialects that write them by name, in text or as reactions. Pure.

The tables are large, so they are loaded when the first such name is met.
"""

from __future__ import annotations

import re
from functools import cache

_SELECTOR = "\ufe0f"
_JOINER = "\u200d"
_TONES = ("light", "medium_light", "medium", "medium_dark", "dark")
_TONED = re.compile(r"(.+)_(" + "|".join(_TONES) + r")_skin_tone")
_FIRST_TONE = 0x1F3FB
_PEOPLE = "\U0001f9d1\U0001f468\U0001f469"
_SHORT_NAME = re.compile(r"`+[^`]*`+|(?<![^\W_]):([a-z0-9_+\-]{1,80}):(?![^\W_])")


@cache
def _table() -> tuple[dict[str, str], dict[str, str]]:
    """Emoji by name, and names by emoji."""
    from adapters.common.emoji_table import EMOJI_TABLE

    entries = [entry.lstrip("~").split(" ") for entry in EMOJI_TABLE.split(";") if entry]
    by_name = {name: character for character, *names in entries for name in names}
    return by_name, {character.replace(_SELECTOR, ""): names[0] for character, *names in entries}


def is_custom(reaction: str) -> bool:
    """Whether it is `:name:`, some platform's own emoji."""
    return len(reaction) > 2 and reaction.isascii() and reaction.startswith(":") and reaction.endswith(":")


def short_name(reaction: str) -> str:
    """An emoji's name without colons; empty if it has none. A custom one may have a namesake, so its own name is given."""
    if is_custom(reaction):
        return reaction.strip(":")
    names = _table()[1]
    bare = reaction.replace(_SELECTOR, "")
    if bare in names:
        return names[bare]
    tones = {character for character in bare if _FIRST_TONE <= ord(character) < _FIRST_TONE + len(_TONES)}
    untoned = names.get("".join(character for character in bare if character not in tones))
    if untoned is not None and len(tones) == 1:
        return f"{untoned}_{_TONES[ord(tones.pop()) - _FIRST_TONE]}_skin_tone"
    if untoned is not None:
        return untoned
    import emoji

    name = emoji.demojize(reaction, language="alias")
    return name.strip(":") if name.startswith(":") and name.count(":") == 2 else ""


def emoji_of(name: str) -> str:
    """The emoji of a short name without colons, skin tones included; empty for a custom or unknown name."""
    by_name = _table()[0]
    found = by_name.get(name)
    if found is not None:
        return found
    toned = _TONED.fullmatch(name)
    if toned is not None and toned[1] in by_name:
        return _with_tone(by_name[toned[1]], chr(_FIRST_TONE + _TONES.index(toned[2])))
    return ""


def with_emoji(words: str) -> str:
    """Words with emoji in place of the short names that have one, but for those in backticks."""
    return _SHORT_NAME.sub(lambda found: (found[1] and emoji_of(found[1])) or found[0], words)


def _with_tone(character: str, modifier: str) -> str:
    """In a group of people everybody gets the tone."""
    first, *others = character.split(_JOINER)
    parts = [first[0] + modifier + first[1:].removeprefix(_SELECTOR)]
    return _JOINER.join(parts + [part + modifier if part[0] in _PEOPLE else part for part in others])


def from_name(name: str) -> str:
    """A reaction as the bridge has it: the emoji itself, also for a short name that has one, and `:name:` for others."""
    if not name.isascii():
        return name
    bare = name.strip(":")
    found = emoji_of(bare)
    if found:
        return found
    import emoji

    short = f":{bare}:"
    return emoji.emojize(short, language="alias")
