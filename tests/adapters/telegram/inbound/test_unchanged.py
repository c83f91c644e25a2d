"""Edits as they arrive: those that change something, each of them, and no others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.inbound.decode import Decoder
from adapters.telegram.inbound.unchanged import KEPT_MAX, MESSAGES_MAX, Unchanged
from bridge.model.refs import AccountName
from bridge.model.rich_text import to_plain

NOW = datetime(2026, 11, 26, tzinfo=UTC)


async def test_edits_that_nobody_sees_are_not_told_twice(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    async with receiving(adapter):
        message_id = await emulator.say(chat, "Anna", "one")
        await emulator.touch(chat, message_id)
        await emulator.edit(chat, message_id, "two")
        await emulator.touch(chat, message_id)
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: "end" in intake.words())
    assert intake.words() == ["one", "two", "end"]
    assert intake.ignored_reasons["edit without a visible change"] == 2


async def test_edits_of_buttons_and_of_nothing_else(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    post = {"message_id": 70, "date": 5, "chat": {"id": int(chat), "type": "channel"}, "text": "vote", "media": None}

    def keyboard(votes: int, url: str) -> dict[str, Any]:
        row = [{"text": f"👍 {votes}", "callback_data": "x"}, {"text": "Open", "url": url}]
        return {"reply_markup": {"inline_keyboard": [row]}}

    async with receiving(adapter):
        queue.push("channel_post", post | keyboard(1, "https://a.example"))
        for votes in (2, 3):
            queue.push("edited_channel_post", post | {"edit_date": 5 + votes} | keyboard(votes, "https://a.example"))
        queue.push("edited_channel_post", post | {"edit_date": 9} | keyboard(3, "https://b.example"))
        queue.push("edited_channel_post", post | {"edit_date": 9} | keyboard(3, "https://a.example"))
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: "end" in intake.words())
    links = [to_plain(event.content.text) for event in intake.events[:-1]]
    assert links == [f"vote\nOpen (https://{name}.example)" for name in "aba"]
    assert intake.ignored_reasons["edit without a visible change"] == 2
    queue.push("edited_channel_post", post | {"edit_date": 12} | keyboard(4, "https://a.example"))
    async with receiving(adapter):  # what buttons are touched for outlives a connection
        await intake.until(lambda: intake.ignored_reasons["edit without a visible change"] == 3)
        queue.push("edited_channel_post", post | {"text": "voted", "edit_date": 13} | keyboard(4, "https://a.example"))
        await intake.until(lambda: any("voted" in text for text in intake.words()))


def test_what_is_known_of_messages_is_bounded() -> None:
    unchanged = Unchanged()
    for number in range(MESSAGES_MAX + 500):
        said = {"message_id": number + 1, "date": 5, "chat": {"id": -1}, "text": f"number {number}"}
        [event] = Decoder(account=AccountName("tg"), bot_id="7").update({"update_id": number, "message": said}, NOW)
        assert not unchanged.takes(event, has_buttons=True)
    assert len(unchanged.kept()) == KEPT_MAX
    assert len(unchanged._said) == MESSAGES_MAX


async def test_words_that_come_back_within_a_second_are_an_edit(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any
) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    said = {"message_id": 70, "date": 5, "chat": {"id": int(chat), "type": "group"}, "text": "thinking"}
    async with receiving(adapter):
        queue.push("message", said)
        for words in ("part", "thinking", "part", "part", "the answer", "part"):
            queue.push("edited_message", said | {"text": words, "edit_date": 6})
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: "end" in intake.words())
    assert intake.words() == ["thinking", "part", "thinking", "part", "the answer", "part", "end"]


async def test_an_edit_that_was_not_accepted_is_not_known(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any
) -> None:
    async with receiving(make_adapter()):
        message_id = await emulator.say(chat, "Anna", "one")
        await intake.until(lambda: intake.words() == ["one"])

        async def fail() -> None:
            raise OSError("disk full")

        intake.before_accept = fail
        await emulator.edit(chat, message_id, "two")
    intake.before_accept = None
    async with receiving(make_adapter()):
        await intake.until(lambda: intake.words() == ["one", "two"])
