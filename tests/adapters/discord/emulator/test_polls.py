"""Polls of the emulated Discord: what people see of one, and what they may not ask."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.discord.emulator import DiscordEmulator
from adapters.discord.emulator.errors import ApiError


@pytest.fixture
async def emulator() -> AsyncIterator[DiscordEmulator]:
    running = DiscordEmulator()
    await running.start()
    yield running
    await running.stop()


async def test_people_see_who_voted_for_what_until_it_is_over(emulator: DiscordEmulator) -> None:
    chat_id = emulator.add_chat("room").chat_id
    asked = await emulator.ask_poll(chat_id, "Anna", "Where?", ["here", "there"])
    await emulator.vote_for(chat_id, asked, "Boris", [1])
    await emulator.vote_for(chat_id, asked, "Boris", [0])  # another answer instead
    poll = emulator.transcript(chat_id)[0].poll
    assert poll is not None
    assert [(option.text, option.votes, option.by) for option in poll.options] == [("here", 1, ("Boris",)), ("there", 0, ())]
    assert not poll.many
    await emulator.close_poll(chat_id, asked)
    poll = emulator.transcript(chat_id)[0].poll
    assert poll is not None
    assert poll.closed
    assert poll.options[0].votes == 1
    with pytest.raises(ValueError, match="closed"):
        await emulator.vote_for(chat_id, asked, "Boris", [1])


async def test_people_are_held_to_the_limits(emulator: DiscordEmulator) -> None:
    chat_id = emulator.add_chat("room").chat_id
    for question, options in (("", ["a", "b"]), ("q" * 301, ["a", "b"]), ("q", []), ("q", ["a"] * 11), ("q", ["a" * 56])):
        with pytest.raises(ApiError):
            await emulator.ask_poll(chat_id, "Anna", question, options)
    said = await emulator.say(chat_id, "Anna", "no poll")
    with pytest.raises(ValueError, match="no such answer"):
        await emulator.vote_for(chat_id, said, "Boris", [0])
