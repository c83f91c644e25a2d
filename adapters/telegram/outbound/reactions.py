"""Reactions set by the bot, of the fixed set that Telegram lets bots set.

Source: Bot API reference 10.3, ReactionTypeEmoji. Telegram writes them without U+FE0F (platforms.md 1.3); elsewhere the qualified
form is the usual one.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.telegram.errors import REACTION_REFUSED, Refused
from adapters.telegram.outbound.reaction_likeness import LIKENESS
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call
from bridge.model.adapter import Copy, OutboundReaction
from bridge.model.errors import Rejected

_ROWS = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮",
    "💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡",
    "🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻",
    "👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿",
    "🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡",
)

SETTABLE = frozenset(emoji for row in _ROWS for emoji in row.split())
"""What setMessageReaction accepts from a bot."""

_CANDIDATES = 3
"""Reactions tried in a chat that allows only some."""
_SELECTOR = "\ufe0f"
_SKIN_TONES = dict.fromkeys(range(0x1F3FB, 0x1F400))


def settable(emoji: str) -> str | None:
    """The reaction a bot can set for this emoji, or for one that says the same (`reaction_likeness`); None if there is none."""
    bare = emoji.replace(_SELECTOR, "").translate(_SKIN_TONES)
    return bare if bare in SETTABLE else LIKENESS.get(bare)


async def react(transport: Transport, outbound: OutboundReaction) -> Sequence[str]:
    """Set the latest of the wanted reactions that a bot can set and that the chat allows; returns the others. Raises Rejected if
    there is none."""
    wanted = {emoji: settable(emoji) for emoji in outbound.wanted}
    candidates = list(dict.fromkeys(native for native in wanted.values() if native is not None))[:_CANDIDATES]
    for emoji in candidates:
        try:
            await _set(transport, outbound.copy, [{"type": "emoji", "emoji": emoji}])
            return [other for other, native in wanted.items() if native != emoji]
        except Refused as refusal:
            if not refusal.says(*REACTION_REFUSED):
                raise
    await _set(transport, outbound.copy, [])
    if outbound.wanted:
        raise Rejected(f"Telegram does not let bots react with {' '.join(outbound.wanted[:_CANDIDATES])} here")
    return ()


async def _set(transport: Transport, copy: Copy, reaction: list[dict[str, str]]) -> None:
    params = {"chat_id": copy.chat_id, "message_id": int(copy.message_ids[0]), "reaction": reaction}
    await transport.call(Call("SetMessageReaction", params))
