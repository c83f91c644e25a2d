"""Which message a poll is in: over restarts, for polls of ours that the journal does not know yet, and never without bound."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.telegram import poll_places
from adapters.telegram.poll_places import EARLY_S, NOTE, Place, Polls


class Notes:
    """What an account keeps in the journal."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def note(self, name: str) -> str:
        return self.kept.get(name, "")

    async def set_note(self, name: str, value: str) -> None:
        self.kept[name] = value


class Known:
    """An intake that knows these messages."""

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)

    async def message_ids(self, chat_id: str, limit: int) -> list[str]:
        return self.ids


def message(poll_id: Any, number: int = 7, **more: Any) -> dict[str, Any]:
    return {"message_id": number, "chat": {"id": -100}, "poll": {"id": poll_id}, **more}


def polls(notes: Notes | None = None) -> Polls:
    return Polls(notes)  # type: ignore[arg-type]


async def test_a_poll_is_found_again_after_a_restart() -> None:
    notes = Notes()
    await polls(notes).learn(message("55", message_thread_id=3, is_topic_message=True))
    assert await polls(notes).place_of("55") == Place("-100", "7", "3")
    assert await polls(notes).place_of("56") is None
    assert await polls().place_of("55") is None


async def test_the_first_message_with_a_poll_counts_and_others_have_none() -> None:
    known = polls(Notes())
    for one in (message("55", 7), message("55", 8), message("", 9), message(None, 10), {"message_id": 11, "poll": "odd"}):
        await known.learn(one)
    assert await known.place_of("55") == Place("-100", "7")


async def test_a_note_of_another_version_costs_only_itself() -> None:
    notes = Notes()
    for odd in ("[1]", "{", '{"55": "here"}'):
        notes.kept[NOTE] = odd
        assert await polls(notes).place_of("55") is None
    known = polls(notes)
    await known.learn(message("55"))
    assert await polls(notes).place_of("55") == Place("-100", "7")


async def test_the_newest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_places, "MOST", 5)
    notes = Notes()
    known = polls(notes)
    for number in range(20):
        await known.learn(message(str(number), number + 1))
    assert [await known.place_of(str(number)) is not None for number in (0, 14, 15, 19)] == [False, False, True, True]
    assert len(notes.kept[NOTE]) < 200


async def test_votes_on_ours_wait_until_the_journal_has_the_copy_and_not_for_ever() -> None:
    known = polls(Notes())
    known.hold("55", {"poll": 1}, now_s=0.0)
    known.hold("66", {"poll": 2}, now_s=0.0)
    assert await known.take_known(Known(), 1.0) == []  # type: ignore[arg-type]
    await known.learn(message("55"), is_ours=True)
    assert await known.take_known(Known(), 2.0) == [], "it is not in the journal yet"  # type: ignore[arg-type]
    known.hold("55", {"poll": 3}, now_s=2.5)
    assert await known.take_known(Known("7"), 3.0) == [({"poll": 3}, Place("-100", "7"))]  # type: ignore[arg-type]
    assert known.holds, "66 may still be posted just now"
    assert await known.take_known(Known("7"), EARLY_S + 1.0) == []  # type: ignore[arg-type]
    assert not known.holds


async def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_places, "EARLY_MOST", 3)
    known = polls()
    for number in range(50):
        known.hold(str(number), {"poll": number}, now_s=0.0)
        await known.learn(message(str(number), number + 1))
    found = await known.take_known(Known(), 1.0)  # type: ignore[arg-type]
    assert [update["poll"] for update, _ in found] == [47, 48, 49]
