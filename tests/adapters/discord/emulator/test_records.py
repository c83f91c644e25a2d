"""A channel's messages as the emulator remembers them: pages of the API, what is forgotten, what a person still remembers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.discord.emulator.records import Author, Channel, Message

ANNA = Author(id=7, username="anna", display_name="Anna")
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def channel_of(count: int, kept: int = 1000) -> Channel:
    channel = Channel(id=1, name="general")
    for number in range(1, count + 1):
        channel.add(Message(id=number, channel_id=1, author=ANNA, sent_at=NOON), kept)
    return channel


def ids(
    channel: Channel, limit: int = 3, *, after: int | None = None, before: int | None = None, around: int | None = None
) -> list[int]:
    return [message.id for message in channel.page(limit=limit, after=after, before=before, around=around)]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, [10, 9, 8]),
        ({"before": 5}, [4, 3, 2]),
        ({"after": 5}, [8, 7, 6]),
        ({"after": 0}, [3, 2, 1]),
        ({"around": 5}, [6, 5, 4]),
        ({"after": 10}, []),
    ],
)
def test_pages_are_newest_first_and_after_gives_the_oldest_behind_it(where: dict[str, int], found: list[int]) -> None:
    assert ids(channel_of(10), **where) == found


def test_a_deleted_message_is_on_no_page_and_still_remembered() -> None:
    channel = channel_of(5)
    channel.pins.append(4)
    channel.remove(channel.messages[4])
    assert ids(channel) == [5, 3, 2]
    assert channel.seen[4].is_deleted
    assert not channel.pins


def test_old_messages_are_forgotten_a_tenth_at_a_time() -> None:
    assert len(channel_of(109, kept=100).messages) == 109
    assert sorted(channel_of(111, kept=100).messages) == list(range(12, 112))
