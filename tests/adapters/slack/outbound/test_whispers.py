"""What one member of a channel sees alone; and what becomes of it where that person is not there."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.emulator import SlackEmulator
from bridge.model.abilities import Whispers
from bridge.model.errors import Rejected
from bridge.model.rich_text import plain


async def test_only_the_person_sees_it_and_nothing_of_it_stays(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    anna = emulator.add_person("Anna")
    said = await emulator.say(chat, "Anna", "!bridge where")
    assert isinstance(adapter, Whispers)
    await adapter.whisper(chat, anna, plain("lobby: to tg/-1 <!channel> & *all*"), None)
    ((user, message),) = emulator.workspace.whispers
    assert (user, message.channel, message.thread_ts) == (anna, chat, "")
    assert "<!channel>" not in message.text, "nobody is called by it"
    assert [one.message_id for one in emulator.transcript(chat)] == [said]
    await adapter.whisper(chat, anna, plain("in the thread"), said)
    assert emulator.workspace.whispers[-1][1].thread_ts == said


async def test_who_is_not_in_the_channel_cannot_be_told_there(account: Any, emulator: SlackEmulator) -> None:
    chat, adapter = account.chat(), account.build()
    stranger = emulator.workspace.add_user("Stranger").user_id
    with pytest.raises(Rejected, match="user_not_in_channel"):
        await adapter.whisper(chat, stranger, plain("hello"), None)
    assert emulator.workspace.whispers == []
