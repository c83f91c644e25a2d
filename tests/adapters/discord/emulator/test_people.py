"""What the emulated Discord's people can do, and what its composer does not let them."""

from __future__ import annotations

import pytest

from adapters.common.emulation.contract import Upload
from adapters.discord.emulator.errors import ApiError
from tests.adapters.discord.conftest import Bench

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_a_message_of_a_thread_is_found_by_its_chat(bench: Bench) -> None:
    people = bench.emulator.people
    thread = people.start_thread(bench.chat, "Anna", "topic")
    inside = people.say(bench.chat, "Anna", "inside", thread_id=thread)
    channel, message = people.find(bench.chat, inside)
    assert (str(channel.id), message.content) == (thread, "inside")
    with pytest.raises(KeyError, match="no message 1 "):
        people.find(bench.chat, "1")


async def test_the_composer_refuses_what_is_too_long_or_too_many(bench: Bench) -> None:
    people = bench.emulator.people
    with pytest.raises(ApiError, match="Invalid Form Body"):
        people.say(bench.chat, "Anna", "x" * 4001)
    files = [Upload(name=f"{number}.txt", mime="text/plain", content=b"x") for number in range(11)]
    with pytest.raises(ApiError):
        people.say(bench.chat, "Anna", "many", files=files)
    assert not bench.emulator.transcript(bench.chat)


async def test_a_voice_message_and_a_spoiler_are_marked_as_such(bench: Bench) -> None:
    people = bench.emulator.people
    voice = people.attach(Upload(name="a.ogg", mime="audio/ogg", content=b"x", kind="voice"))
    hidden = people.attach(Upload(name="SPOILER_a.png", mime="image/png", content=b"x"))
    assert (voice.filename, voice.duration_s, voice.is_spoiler) == ("voice-message.ogg", 1.5, False)
    assert (hidden.filename, hidden.duration_s, hidden.is_spoiler) == ("SPOILER_a.png", None, True)


async def test_a_forward_holds_what_was_said_then(bench: Bench) -> None:
    people = bench.emulator.people
    original = people.say(bench.chat, "Anna", "before")
    forwarded = people.forward(bench.chat, original, "Boris", bench.chat)
    people.edit(bench.chat, original, "after")
    assert [(seen.author_name, seen.text) for seen in bench.emulator.transcript(bench.chat)] == [
        ("Anna", "after"),
        ("Boris", "Forwarded: before"),
    ]
    assert people.find(bench.chat, forwarded)[1].reference is not None
