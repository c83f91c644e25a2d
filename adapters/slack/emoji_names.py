"""Slack's emoji names to Unicode and back, skin tones included. Pure. The data is `emoji_table`."""

from __future__ import annotations

from functools import cache

from adapters.slack.emoji_table import EMOJI_TABLE

_SELECTOR = "\ufe0f"
_JOINER = "\u200d"
_FIRST_TONE = 0x1F3FB
_TONES = range(2, 7)
"""Slack numbers the five Fitzpatrick modifiers 2 to 6."""
_MODIFIERS = "".join(chr(_FIRST_TONE + tone - 2) for tone in _TONES)
_PEOPLE = "\U0001f9d1\U0001f468\U0001f469"


@cache
def _characters() -> dict[str, str]:
    return {name: entry[0] for entry in _entries() for name in entry[1]}


@cache
def _names() -> dict[str, str]:
    return {entry[0].replace(_SELECTOR, ""): entry[1][0] for entry in _entries()}


@cache
def _entries() -> list[tuple[str, list[str]]]:
    split = (entry.lstrip("~").split(" ") for entry in EMOJI_TABLE.split(";") if entry)
    return [(character, names) for character, *names in split]


def to_unicode(name: str) -> str | None:
    """The emoji of `thumbsup`, `wave::skin-tone-3` or `+1`; None for a custom or unknown name."""
    base, _, suffix = name.strip(":").partition("::")
    found = _characters().get(base)
    if found is None or not suffix:
        return found
    tone = suffix.removeprefix("skin-tone-").partition("-")[0]
    return with_tone(found, int(tone)) if tone in tuple("23456") else found


def with_tone(character: str, tone: int) -> str:
    """The emoji in Slack's skin tone 2 to 6; in a group of people everybody gets it."""
    if tone not in _TONES:
        return character
    modifier = _MODIFIERS[tone - 2]
    first, *others = character.split(_JOINER)
    parts = [first[0] + modifier + first[1:].removeprefix(_SELECTOR)]
    parts += [part + modifier if part[0] in _PEOPLE else part for part in others]
    return _JOINER.join(parts)


def to_name(emoji: str) -> str | None:
    """Slack's name of a Unicode emoji, with `::skin-tone-n` where all its people have the same tone; None if Slack has none."""
    bare = emoji.replace(_SELECTOR, "")
    known = _names().get(bare)
    if known is not None:
        return known
    tones = {character for character in bare if character in _MODIFIERS}
    untoned = _names().get("".join(character for character in bare if character not in tones))
    if untoned is None or not tones:
        return untoned
    return f"{untoned}::skin-tone-{_MODIFIERS.index(tones.pop()) + 2}" if len(tones) == 1 else untoned
