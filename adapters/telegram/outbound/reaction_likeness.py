"""Emoji that bots cannot react with on Telegram, and the allowed reaction with the same meaning. Data only.

Written without U+FE0F and skin tones, which are ignored. Other emoji are shown in a line below the message. An emoji is listed only
if the reaction could replace it in every conversation: a sad face never becomes a happy one, and flags, animals and food are not
replaced.
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
"""Each line: the reaction, then the emoji that it replaces."""


def _table(rows: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows.split("\n"):
        reaction, *alike = row.split() or [""]
        found.update((emoji, reaction) for emoji in alike)
    return found


LIKENESS = _table(_ROWS)
