"""Emoji that Telegram does not let bots react with, and the reaction that says the same to people. Data only.

Written without U+FE0F and skin tones, which do not count. What is not here is no reaction: a line below the message has it.
An emoji is alike if the reaction could stand for it in every conversation: a sad face never becomes a merry one, and a flag, an
animal or a food becomes none.
"""

from __future__ import annotations

_ROWS = """
❤ ♥ 🧡 💛 💚 💙 🩵 💜 🖤 🤍 🤎 🩷 🩶 💗 💓 💕 💞 💖 💟 ❣ 🫶 😻
💘 💝 💌
😘 😗 😙 😚
😍 🤤
🥰 😊 ☺
👍 ✅ ☑ ✔ 🆗 💪 🤙 ➕
👎 ❌ ✖ ⛔ 🚫 ➖
👌 🤌 🤏
👏 🙌
🤝 🫱 🫲 🫂
🙏 🛐 🙇 🙇‍♂ 🙇‍♀
🤗 👐
✍ 📝 ✏ 🖊 🖋
🔥 🧨 💥
🎉 🎊 🥳 🎈 🪅 🎂 🎁 🎆 🎇
🏆 🥇 🏅 🎖 👑
💯 🎯
🆒 ✌
🤩 🌟 ⭐ ✨ 🌠 💫
😁 😀 😃 😄 😆 😅 🙂 😸 😺 😋
🤣 😂 😹
🤪 😜 😝 😛
😎 🕶
😈 👿 👹 👺
🤔 💭
😐 😑 😶 🫥 😬 🫤
🤯 🫨
😱 🙀 😧 😦
😨 😰 🫣
👀 👁 🔍 🔎
😢 😿 🥺 😞 😔 ☹ 🙁 😟 😥 😓 😣 😩 😫
😡 😠 😾 💢 😤
🤬 🗯
🤮 🤢 🤧
🥱 😪
😴 💤 🛌
🥴 😵 😵‍💫
👨‍💻 👩‍💻 🧑‍💻 💻 ⌨
🫡 🪖
🙈 🫢
🙊 🤫 🤐 🤭
🎅 🤶 🧑‍🎄
☃ ⛄ ❄
🕊 ☮
🐳 🐋
💋 👄
🍾 🥂 🍻 🍺 🍷 🍸
🌚 🌑
👾 🤖 🎮
💅 💄
"""
"""Per line: the reaction, then what it stands for."""


def _table(rows: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows.split("\n"):
        reaction, *alike = row.split() or [""]
        found.update((emoji, reaction) for emoji in alike)
    return found


LIKENESS = _table(_ROWS)
