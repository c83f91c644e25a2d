"""People of the emulated Telegram: pins, topics, and mentions of those who have no username."""

from __future__ import annotations

import pytest

from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.emulator.people import mention_of


async def test_a_pin_tells_the_chat_once() -> None:
    emulator = TelegramEmulator()
    chat = emulator.add_chat("room")
    said = await emulator.say(chat.chat_id, "Anna", "keep this")
    for _ in range(2):
        await emulator.pin(chat.chat_id, said, "Boris")
    seen = emulator.transcript(chat.chat_id)
    assert [message.pinned for message in seen] == [True, False]
    assert [message.system for message in seen] == [False, True], "one notice"
    await emulator.pin(chat.chat_id, said, "Boris", remove=True)
    assert not any(message.pinned for message in emulator.transcript(chat.chat_id))


async def test_only_a_forum_has_topics() -> None:
    emulator = TelegramEmulator()
    with pytest.raises(ValueError, match="no topics"):
        await emulator.start_thread(emulator.add_chat("room").chat_id, "Anna", "Website")
    forum = emulator.add_chat_with_topics("forum")
    for name in ("", "x" * 129):
        with pytest.raises(ValueError, match="1 to 128"):
            await emulator.start_thread(forum.chat_id, "Anna", name)
    topic = await emulator.start_thread(forum.chat_id, "Anna", "Website")
    assert [(thread.thread_id, thread.name, thread.closed) for thread in emulator.threads(forum.chat_id)] == [
        (topic, "Website", False)
    ]


async def test_who_has_no_username_is_mentioned_by_id() -> None:
    emulator = TelegramEmulator()
    chat = emulator.add_chat("room")
    dana = emulator.world.people[int(emulator.add_person("דנה"))]
    said = await emulator.say(chat.chat_id, "Anna", f"look, {mention_of(dana)}, and [a link](tg://user?id=1)")
    message = emulator.world.chats[int(chat.chat_id)].messages[int(said)]
    (entity,) = message.entities
    assert entity["type"] == "text_mention"
    assert entity["user"]["id"] == dana.user_id
    assert message.text == "look, דנה, and a link", "whom nobody knows is no mention"
