"""Emoji as the emulator shows and accepts them: Slack's names to characters and back. For renderer, composer, reactions."""

from __future__ import annotations

from functools import cache

from adapters.slack.emoji_table import EMOJI_TABLE

_TONES = {"skin-tone-2": "\U0001f3fb", "skin-tone-3": "\U0001f3fc", "skin-tone-4": "\U0001f3fd"} | {
    "skin-tone-5": "\U0001f3fe",
    "skin-tone-6": "\U0001f3ff",
}
_SELECTOR = "\ufe0f"


@cache
def _by_name() -> dict[str, str]:
    table: dict[str, str] = {}
    for entry in filter(None, EMOJI_TABLE.split(";")):
        character, *names = entry.lstrip("~").split(" ")
        table |= dict.fromkeys(names, character)
    return table


@cache
def _by_character() -> dict[str, str]:
    table: dict[str, str] = {}
    for entry in filter(None, EMOJI_TABLE.split(";")):
        character, name, *_ = entry.split(" ")
        plain = character.lstrip("~")
        table[plain.replace(_SELECTOR, "")] = name
        if character.startswith("~"):
            for tone, modifier in _TONES.items():
                table[_toned(plain, modifier).replace(_SELECTOR, "")] = f"{name}::{tone}"
    return table


def _toned(character: str, modifier: str) -> str:
    return character[0] + modifier + character[1:].removeprefix(_SELECTOR)


def is_known(name: str) -> bool:
    """Whether Slack has a standard emoji of this name (skin tone suffix allowed)."""
    base, _, tone = name.partition("::")
    return base in _by_name() and (not tone or tone in _TONES)


def character(name: str) -> str | None:
    """The emoji of a name such as `thumbsup` or `wave::skin-tone-3`; None if Slack has none."""
    base, _, tone = name.partition("::")
    found = _by_name().get(base)
    if found is None or not tone:
        return found
    return _toned(found, _TONES[tone]) if tone in _TONES else None


def name_of(emoji: str) -> str | None:
    """Slack's name of an emoji; None if it has none."""
    return _by_character().get(emoji.replace(_SELECTOR, ""))


def longest_at(text: str, position: int) -> str:
    """The longest emoji that starts at `position`; empty if none does."""
    if ord(text[position]) < 0x80 and text[position + 1 : position + 3] not in ("\u20e3", "\ufe0f\u20e3"):
        return ""
    for length in range(min(12, len(text) - position), 0, -1):
        piece = text[position : position + length]
        if piece.replace(_SELECTOR, "") in _by_character():
            return piece
    return ""
