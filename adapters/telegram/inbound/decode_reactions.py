"""Reactions as Telegram reports them -> emoji as they are usually written. Pure; used by `decode`."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.common.lenient import records, words

_QUALIFIED = {emoji.replace("\ufe0f", ""): emoji for emoji in ["❤️", "🕊️", "✍️", "☃️", "❤️\u200d🔥", "🤷\u200d♂️", "🤷\u200d♀️"]}
"""Telegram writes its reactions without U+FE0F (platforms.md 1.3)."""


def qualified(emoji: str) -> str:
    """An emoji as Telegram writes it -> as it is usually written."""
    return _QUALIFIED.get(emoji, emoji)


def reactions_of(reactions: object, custom_emoji: Mapping[str, str]) -> list[str]:
    """What somebody has set. `custom_emoji` has what custom emoji stand for, by id; one that is not in it is `:custom:`."""
    found: list[str] = []
    for reaction in records(reactions):
        match reaction.get("type"):
            case "emoji" if emoji := words(reaction.get("emoji")):
                found.append(qualified(emoji))
            case "paid":
                found.append("\N{WHITE MEDIUM STAR}")
            case "custom_emoji" if base := custom_emoji.get(words(reaction.get("custom_emoji_id"))):
                found.append(qualified(base))
            case _:
                found.append(":custom:")
    return found
