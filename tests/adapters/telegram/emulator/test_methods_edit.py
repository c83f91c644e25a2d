"""What a bot may change, asked over bare HTTP: its own messages, with its rights, for as long as Telegram allows."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from adapters.telegram.emulator import TelegramEmulator

Ask = Callable[..., Coroutine[Any, Any, Any]]


async def said(ask: Ask, chat: str, text: str = "mine") -> int:
    return int((await ask("sendMessage", chat_id=chat, text=text))["result"]["message_id"])


async def test_only_own_texts_can_be_edited_and_only_to_something_new(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    own, other = await said(ask, chat), await emulator.say(chat, "Anna", "hers")
    assert "can't be edited" in (await ask("editMessageText", chat_id=chat, message_id=other, text="x"))["description"]
    assert "not modified" in (await ask("editMessageText", chat_id=chat, message_id=own, text="mine"))["description"]
    assert "no caption" in (await ask("editMessageCaption", chat_id=chat, message_id=own, caption="x"))["description"]
    assert (await ask("editMessageText", chat_id=chat, message_id=own, text="new"))["result"]["text"] == "new"


async def test_deletions_need_the_right_and_end_after_48_hours(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    own, other = await said(ask, chat), await emulator.say(chat, "Anna", "hers")
    emulator.promote(chat, admin=False)
    assert not (await ask("deleteMessage", chat_id=chat, message_id=other))["ok"]
    emulator.promote(chat, admin=True)
    assert (await ask("deleteMessage", chat_id=chat, message_id=other))["ok"]
    now = emulator.world.now
    emulator.world.now = lambda: now() + 49 * 3600
    assert "for everyone" in (await ask("deleteMessage", chat_id=chat, message_id=own))["description"]


async def test_a_bot_sets_one_reaction_of_telegrams_list(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    number = await said(ask, chat)

    async def react(*emojis: str) -> Any:
        reaction = [{"type": "emoji", "emoji": one} for one in emojis]
        return await ask("setMessageReaction", chat_id=chat, message_id=number, reaction=reaction)

    assert "REACTION_INVALID" in (await react("\N{MAPLE LEAF}"))["description"]
    assert "REACTIONS_TOO_MANY" in (await react("👍", "🔥"))["description"]
    assert (await react("👍"))["ok"]
    assert [one.emoji for one in emulator.transcript(chat)[0].reactions] == ["👍"]
    assert (await react())["ok"]
    assert not emulator.transcript(chat)[0].reactions
