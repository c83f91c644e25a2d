"""The limits that Telegram's servers enforce. Source: platforms.md 1.2-1.4; Bot API reference 10.3. Budgets are in `rates`."""

from __future__ import annotations

TEXT_LENGTH = 4096
CAPTION_LENGTH = 1024
TEXT_BYTES = 32_768
ENTITIES_KEPT = 100
TOPIC_NAME_LENGTH = 128
TYPING_S = 5.0
"""How long clients show a chat action at most."""

DOWNLOAD_BYTES = 20 * 1024**2
UPLOAD_BYTES = 50 * 1024**2
LOCAL_BYTES = 2000 * 1024**2
"""Both ways, on a server that runs with --local."""
PHOTO_BYTES = 10 * 1024**2
PHOTO_SIDES = 10_000
PHOTO_RATIO = 20

_ROWS = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮",
    "💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡",
    "🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻",
    "👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿",
    "🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡",
)

BOT_REACTIONS = frozenset(emoji for row in _ROWS for emoji in row.split())
"""The reactions a bot may set (ReactionTypeEmoji); none carries U+FE0F."""
