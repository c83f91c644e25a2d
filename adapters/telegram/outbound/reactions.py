"""Reactions: the fixed set a bot may set on Telegram, and the forms that other platforms know. Data and two lookups.

Source: Bot API reference 10.3, ReactionTypeEmoji. Telegram writes them without U+FE0F (platforms.md 1.3); elsewhere the qualified
form is the usual one.
"""

from __future__ import annotations

_ROWS = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮",
    "💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡",
    "🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻",
    "👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿",
    "🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡",
)

SETTABLE = frozenset(emoji for row in _ROWS for emoji in row.split())
"""What setMessageReaction takes from a bot."""

_SELECTOR = "\ufe0f"
_QUALIFIED = {emoji.replace(_SELECTOR, ""): emoji for emoji in ["❤️", "🕊️", "✍️", "☃️", "❤️\u200d🔥", "🤷\u200d♂️", "🤷\u200d♀️"]}
_SKIN_TONES = dict.fromkeys(range(0x1F3FB, 0x1F400))


def qualified(emoji: str) -> str:
    """An emoji as Telegram writes it -> as it is usually written."""
    return _QUALIFIED.get(emoji, emoji)


def settable(emoji: str) -> str | None:
    """The reaction a bot can set for this emoji (skin tones do not count), or None."""
    bare = emoji.replace(_SELECTOR, "").translate(_SKIN_TONES)
    return bare if bare in SETTABLE else None
