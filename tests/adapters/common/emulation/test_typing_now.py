"""Who types: for some seconds, until what is typed is there, in a bounded number of chats."""

from __future__ import annotations

from adapters.common.emulation.typing_now import MOST_CHATS, TypingNow


def test_a_mark_lasts_some_seconds_or_until_the_message() -> None:
    now_s = 0.0
    typing = TypingNow(5.0, lambda: now_s)
    typing.note("c1", "Anna")
    now_s = 3.0
    typing.note("c1", "Boris")
    assert typing.names("c1") == ["Anna", "Boris"]
    assert typing.names("c2") == []
    now_s = 5.5
    assert typing.names("c1") == ["Boris"]
    typing.note("c1", "Boris")
    now_s = 9.0
    assert typing.names("c1") == ["Boris"], "still typing"
    typing.wrote("c1", "Boris")
    assert typing.names("c1") == []
    typing.wrote("c3", "nobody")


def test_the_chats_are_bounded() -> None:
    typing = TypingNow(5.0, lambda: 0.0)
    for number in range(MOST_CHATS + 10):
        typing.note(f"c{number}", "Anna")
    assert typing.names("c0") == []
    assert typing.names(f"c{MOST_CHATS + 9}") == ["Anna"]
