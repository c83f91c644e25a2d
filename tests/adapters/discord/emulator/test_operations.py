"""What each change of the guild leaves behind: edits and other updates, threads, archives, names."""

from __future__ import annotations

import pytest

from tests.adapters.discord.conftest import Bench

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


async def test_only_an_edit_has_the_time_of_one(bench: Bench) -> None:
    people = bench.emulator.people
    said = people.say(bench.chat, "Anna", "see https://e.com/")
    people.resolve_embeds(bench.chat, said, "https://e.com/")
    assert people.find(bench.chat, said)[1].edited_at is None
    people.edit(bench.chat, said, "other")
    assert people.find(bench.chat, said)[1].edited_at is not None


async def test_a_thread_has_the_id_of_the_message_it_begins_with(bench: Bench) -> None:
    people = bench.emulator.people
    said = people.say(bench.chat, "Anna", "topic")
    thread = people.start_thread(bench.chat, "Anna", "talk", message_id=said)
    assert thread == said
    assert people.find(bench.chat, said)[1].thread_id == int(thread)


async def test_a_message_wakes_an_archived_thread(bench: Bench) -> None:
    people = bench.emulator.people
    thread = bench.emulator.world.channels[int(people.start_thread(bench.chat, "Anna", "talk"))]
    bench.emulator.operations.set_archived(thread, archived=True)
    people.say(bench.chat, "Anna", "more", thread_id=str(thread.id))
    assert not thread.is_archived


async def test_a_renamed_thread_says_so_and_a_channel_does_not(bench: Bench) -> None:
    emulator = bench.emulator
    thread = emulator.world.channels[int(emulator.people.start_thread(bench.chat, "Anna", "talk"))]
    emulator.operations.rename(thread, "news")
    assert [message.type for message in thread.messages.values()][-1] == 4
    channel = emulator.world.channels[int(bench.chat)]
    before = len(channel.messages)
    emulator.operations.rename(channel, "other")
    assert (channel.name, len(channel.messages)) == ("other", before)
    emulator.operations.remove_channel(channel)
    assert thread.id not in emulator.world.channels
