"""Which updates a bot gets, asked over bare HTTP: privacy mode, other bots, changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from adapters.telegram.emulator import TelegramEmulator

Ask = Callable[..., Coroutine[Any, Any, Any]]


async def test_privacy_mode_and_membership(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    emulator.bot().sees_everything = False
    emulator.promote(chat, admin=False)
    own = (await ask("sendMessage", chat_id=chat, text="mine"))["result"]["message_id"]
    await emulator.say(chat, "Anna", "unseen @bridge_emulated_bot")
    await emulator.say(chat, "Anna", "/seen")
    await emulator.say(chat, "Anna", "also seen", reply_to=str(own))
    updates = (await ask("getUpdates"))["result"]
    assert [update["message"]["text"] for update in updates if "message" in update] == ["/seen", "also seen"]


async def test_bots_do_not_see_bots(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    other = emulator.add_bot("Other", "other_emulated_bot")
    emulator.promote(chat, other)
    await ask("sendMessage", chat_id=chat, text="from the first bot")
    await emulator.say(chat, "Anna", "from a person")
    for bot in (emulator.bot(), emulator.bot(other)):
        queue = emulator.world.queues[bot.user_id]
        texts = [json.loads(queue.peek(n) or b"{}").get("message", {}).get("text") for n in range(len(queue))]
        assert [text for text in texts if text] == ["from a person"]


async def test_an_edit_is_an_update_and_a_deletion_is_none(emulator: TelegramEmulator, chat: str, ask: Ask) -> None:
    said = await emulator.say(chat, "Anna", "before")
    await emulator.edit(chat, said, "after")
    await emulator.delete(chat, said)
    updates = (await ask("getUpdates"))["result"]
    kinds = [kind for update in updates for kind in update if kind in ("message", "edited_message")]
    assert kinds == ["message", "edited_message"]
    assert [one.deleted for one in emulator.transcript(chat)] == [True]


async def test_a_group_that_becomes_a_supergroup_has_a_new_id(emulator: TelegramEmulator, ask: Ask) -> None:
    group = emulator.add_group("Old").chat_id
    moved = emulator.migrate(group)
    refused = await ask("sendMessage", chat_id=group, text="x")
    assert refused["parameters"]["migrate_to_chat_id"] == int(moved.chat_id)
    assert (await ask("sendMessage", chat_id=moved.chat_id, text="x"))["ok"]
