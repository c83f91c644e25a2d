from __future__ import annotations

from adapters.discord.inbound.last_seen import THREADS_KEPT, LastSeen, SeenThread
from adapters.discord.servers import Channel
from tests.support.intake import RecordingIntake

CHAT = "10"


def thread(number: int, name: str = "Tonight", *, locked: bool = False) -> Channel:
    return Channel(id=str(number), name=name, kind=11, guild_id="1", parent_id=CHAT, is_locked=locked)


async def test_what_was_seen_is_there_after_a_restart() -> None:
    intake, seen = RecordingIntake([CHAT]), LastSeen()
    seen.note(Channel(id=CHAT, name="general", kind=0, guild_id="1"), [CHAT])
    seen.note(thread(20, locked=True), [CHAT])
    seen.note(Channel(id="11", name="elsewhere", kind=0, guild_id="1"), [CHAT])
    await intake.accept([], cursors=seen.take_changed())
    assert seen.take_changed() == []
    later = LastSeen()
    await later.restore(intake, [CHAT, "11"])
    assert (later.name(CHAT), later.thread(CHAT, "20")) == ("general", SeenThread("Tonight", True))
    assert later.name("11") == ""
    later.note(thread(20, locked=True), [CHAT])
    assert later.take_changed() == []  # nothing new costs no disk


async def test_only_the_latest_threads_are_kept() -> None:
    seen = LastSeen()
    for number in range(100, 100 + THREADS_KEPT):
        seen.note(thread(number), [CHAT])
    seen.note(thread(100, "renamed"), [CHAT])
    seen.note(thread(9999), [CHAT])
    assert len(seen.threads(CHAT)) == THREADS_KEPT
    assert list(seen.threads(CHAT))[-1] == "9999"
    assert seen.thread(CHAT, "100") is None, "begun first, whenever it was heard of"
    assert seen.thread(CHAT, "101") is not None
    assert len(seen.take_changed()[0].value) < 100 * THREADS_KEPT
    seen.note(thread(99), [CHAT])
    assert seen.take_changed() == [], "one that is not kept costs no disk"


async def test_a_chat_that_is_routed_later_has_what_was_kept_of_it() -> None:
    intake, seen = RecordingIntake([CHAT]), LastSeen()
    seen.note(Channel(id=CHAT, name="general", kind=0, guild_id="1"), [CHAT])
    seen.found_something(CHAT)
    await intake.accept([], cursors=seen.take_changed())
    later = LastSeen()
    await later.restore(intake, ["11"])
    assert await later.restore_new(intake, [CHAT, "11"]) == [CHAT]
    assert (later.name(CHAT), later.next_search(CHAT)) == ("general", "2")
    later.note(Channel(id=CHAT, name="renamed", kind=0, guild_id="1"), [CHAT])
    assert await later.restore_new(intake, [CHAT, "11"]) == []
    assert later.name(CHAT) == "renamed", "what was heard since stays"


async def test_an_entry_that_cannot_be_read_is_as_if_nothing_had_been_seen() -> None:
    intake, seen = RecordingIntake([CHAT]), LastSeen()
    for damaged in ("", "[]", '{"threads": {"20": 3}}', '{"name": null}'):
        intake.cursors[f"seen:{CHAT}"] = damaged
        await seen.restore(intake, [CHAT])
        assert (seen.name(CHAT), seen.threads(CHAT)) == ("", {})
