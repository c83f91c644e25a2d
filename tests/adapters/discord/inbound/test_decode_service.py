"""System messages say what happened; their content is nobody's speech."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.inbound.decode import decode
from adapters.discord.inbound.decode_service import (
    _LINES,
    _QUOTED,
    _SPECIAL,
    _UNTOLD,
    JOINED,
    PINNED,
    POLL_RESULT,
    RENAMED,
    SPOKEN,
    THREAD_STARTER,
    ignored_reason,
    line_of,
)
from bridge.model.events import Ignored, MessageCreated
from bridge.model.rich_text import Mark, text_of, to_plain
from tests.adapters.discord.payloads import (
    context_of,
    created,
    message,
    runs,
    words,
)


@pytest.mark.parametrize(
    ("kind", "content", "shown"),
    [
        (8, "3", "boosted the server 3 times"),
        (12, "news", "follows another channel here: “news”"),
        (18, "a topic", "started a thread: “a topic”"),
        (27, "Town hall", "started a stage: “Town hall”"),
        (28, "Town hall", "ended a stage: “Town hall”"),
        (29, "", "speaks on the stage"),
        (31, "Budget", "changed the stage's topic: “Budget”"),
        (36, "2026-11-01T12:00:00+00:00", "switched on the server's alert mode until 2026-11-01 12:00 UTC"),
        (37, "", "ended the server's alert mode"),
        (38, "", "reported a raid"),
        (39, "", "reported a false alarm"),
        (44, "", "made a purchase in the server"),
        (24, "a word that is not allowed", "had a message stopped by AutoMod"),
        (99, "data", "(system message of type 99)"),
        ("odd", "data", "(system message of type -1)"),
    ],
)
def test_system_messages_say_what_happened(kind: Any, content: str, shown: str) -> None:
    event = created(
        type=kind, content=content, embeds=[{"type": "rich", "title": "data"}], components=[{"type": 10, "content": "data"}]
    )
    assert words(event) == shown
    assert all(run.marks & Mark.ITALIC for run in runs(event.content.text))


@given(st.integers(0, 80).filter(lambda kind: kind not in (0, 4, 12, 18, 19, 20, 23, 27, 28, 29, 30, 31)))
def test_the_content_of_a_system_message_is_nobodys_speech(kind: int) -> None:
    decoded = decode("MESSAGE_CREATE", message(type=kind, content="as if she had said it"), context_of(), position="")
    if not isinstance(decoded, Ignored):
        assert not any(isinstance(e, MessageCreated) and "as if she" in to_plain(e.content.text) for e in decoded)
    edited = message(type=kind, content="as if she had said it", edited_timestamp="2026-11-01T12:00:05+00:00")
    assert isinstance(decode("MESSAGE_UPDATE", edited, context_of(), position=""), Ignored)


def test_who_came_into_a_thread_is_named() -> None:
    assert words(created(type=1, content="7", mentions=[{"id": "9", "username": "bo"}])) == "added bo to the thread"
    assert words(created(type=2, content="", mentions=None)) == "removed somebody from the thread"


def test_every_type_of_message_that_discord_py_knows_has_its_place() -> None:
    """A type of a later version must be put somewhere: spoken, an event or content of its own, a line, or untold with a reason."""
    own = frozenset({RENAMED, PINNED, JOINED, THREAD_STARTER, POLL_RESULT})
    places = (SPOKEN, own, frozenset(_UNTOLD), frozenset({*_LINES, *_QUOTED, *_SPECIAL}))
    known = {int(kind.value) for kind in importlib.import_module("discord").MessageType}
    assert known
    assert [kind for kind in sorted(known) if sum(kind in place for place in places) != 1] == []


@pytest.mark.parametrize("kind", sorted({*_UNTOLD, *_LINES, *_QUOTED, *_SPECIAL}))
def test_a_system_message_is_a_line_or_has_a_reason(kind: int) -> None:
    assert bool(ignored_reason(kind)) == (kind in _UNTOLD)
    if kind not in _UNTOLD:
        odds: tuple[Any, ...] = ({}, {"content": 5, "mentions": "x"}, {"content": [], "purchase_notification": 5})
        for odd in odds:
            assert not text_of(line_of(odd, kind)).startswith("(system message"), kind
