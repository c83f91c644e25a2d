"""The table of alike reactions: sound in itself, and used for what people hold elsewhere."""

from __future__ import annotations

import pytest

from adapters.telegram.outbound.reaction_likeness import LIKENESS
from adapters.telegram.outbound.reactions import SETTABLE, settable


def test_each_stands_for_a_reaction_that_a_bot_can_set() -> None:
    assert set(LIKENESS.values()) <= SETTABLE
    assert not set(LIKENESS) & SETTABLE
    assert not [emoji for emoji in LIKENESS if "\ufe0f" in emoji or any("\U0001f3fb" <= c <= "\U0001f3ff" for c in emoji)]


@pytest.mark.parametrize(
    ("emoji", "reaction"),
    [
        ("💙", "❤"),
        ("❤️", "❤"),
        ("♥️", "❤"),
        ("✅", "👍"),
        ("💪🏽", "👍"),
        ("🙌🏿", "👏"),
        ("😂", "🤣"),
        ("🙇🏻‍♀️", "🙏"),
        ("👩🏾‍💻", "👨‍💻"),
        ("🤷🏼‍♀️", "🤷‍♀"),
        ("🧀", None),
        ("🇩🇪", None),
        ("", None),
        (":party:", None),
    ],
)
def test_likeness(emoji: str, reaction: str | None) -> None:
    assert settable(emoji) == reaction
