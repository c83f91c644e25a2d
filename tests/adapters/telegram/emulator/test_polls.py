"""Polls of the emulated Telegram: what people see of one, and what they may not ask."""

from __future__ import annotations

import pytest

from adapters.telegram.emulator import TelegramEmulator


async def test_people_see_who_voted_for_what_until_it_is_over() -> None:
    emulator = TelegramEmulator()
    chat_id = emulator.add_chat("room").chat_id
    asked = await emulator.ask_poll(chat_id, "Anna", "Where?", ["here", "there"])
    await emulator.vote_for(chat_id, asked, "Boris", [1])
    await emulator.vote_for(chat_id, asked, "Boris", [0])  # another answer instead
    poll = emulator.transcript(chat_id)[0].poll
    assert poll is not None
    assert [(option.text, option.votes, option.by) for option in poll.options] == [("here", 1, ("Boris",)), ("there", 0, ())]
    assert (poll.many, poll.anonymous) == (False, False)
    await emulator.close_poll(chat_id, asked)
    poll = emulator.transcript(chat_id)[0].poll
    assert poll is not None
    assert poll.closed
    with pytest.raises(ValueError, match="closed"):
        await emulator.vote_for(chat_id, asked, "Boris", [1])


async def test_people_are_held_to_the_limits() -> None:
    emulator = TelegramEmulator()
    chat_id = emulator.add_chat("room").chat_id
    for question, options in (("", ["a", "b"]), ("q" * 301, ["a", "b"]), ("q", ["a"]), ("q", ["a"] * 13), ("q", ["a", "b" * 101])):
        with pytest.raises(ValueError, match="1 to"):
            await emulator.ask_poll(chat_id, "Anna", question, options)
    asked = await emulator.ask_poll(chat_id, "Anna", "Where?", ["here", "there"])
    with pytest.raises(ValueError, match="no such answer"):
        await emulator.vote_for(chat_id, asked, "Boris", [2])
