"""Whatever is wrong with what is cosmetic, the words of a message survive: every leaf of real payloads is taken away and spoilt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.common.lenient import pixels, real, seconds, whole
from adapters.telegram.inbound.decode import Decoder
from adapters.telegram.inbound.decoded import Undecodable
from bridge.journal.sqlite.codec import decode_event, encode_event
from bridge.model.events import MessageCreated, MessageEdited, storable
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DECODER = Decoder(account=AccountName("tg"), bot_id="999")
ANNA = {"id": 1, "is_bot": False, "first_name": "Anna", "last_name": "Petrova", "username": "anna_p", "language_code": "en"}
CHANNEL = {"id": -1005, "type": "channel", "title": "News", "username": "news"}
FILE = {"file_id": "F", "file_unique_id": "U", "file_size": 5}
SIZES = [FILE | {"width": 9, "height": 6}, FILE | {"file_id": "L", "width": 90, "height": 60}]
WORDS = "the words of all"

SPOILT: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    5,
    2**70,
    1e300,
    float("inf"),
    float("nan"),
    "",
    "odd",
    "\ud83d",
    "9" * 5000,
    [],
    ["odd", None, 5],
    {},
    {"type": 5},
)

ENTITIES = [
    {"type": "bold", "offset": 0, "length": 3},
    {"type": "text_link", "offset": 0, "length": 3, "url": "https://e.example"},
    {"type": "text_mention", "offset": 4, "length": 5, "user": ANNA},
    {"type": "custom_emoji", "offset": 10, "length": 2, "custom_emoji_id": "55"},
    {"type": "date_time", "offset": 10, "length": 2, "unix_time": 1_700_000_000, "date_time_format": "wDT"},
    {"type": "pre", "offset": 13, "length": 3, "language": "py"},
]
FORWARDS = [
    {"type": "user", "date": 5, "sender_user": ANNA},
    {"type": "hidden_user", "date": 5, "sender_user_name": "Kim"},
    {"type": "chat", "date": 5, "sender_chat": CHANNEL, "author_signature": "Kim"},
    {"type": "channel", "date": 5, "chat": CHANNEL, "message_id": 5, "author_signature": "Kim"},
]
MARKUP = {"inline_keyboard": [[{"text": "Open", "url": "https://e.example/1"}, {"text": "Copy", "copy_text": {"text": "x"}}]]}
SAID = {"text": WORDS, "entities": ENTITIES}
BELOW = {"caption": WORDS, "caption_entities": ENTITIES}

PAYLOADS: dict[str, dict[str, Any]] = {
    "text": SAID | {"link_preview_options": {"is_disabled": True}, "reply_markup": MARKUP, "via_bot": ANNA, "effect_id": "5"},
    **{f"forward of {origin['type']}": SAID | {"forward_origin": origin} for origin in FORWARDS},
    "reply": SAID | {"reply_to_message": {"message_id": 3, "date": 5, "chat": CHANNEL, "from": ANNA, **BELOW, "photo": SIZES}},
    "quote": SAID
    | {
        "reply_to_message": {"message_id": 3, "date": 5, "chat": CHANNEL, "sender_chat": CHANNEL, "text": "q"},
        "quote": {"text": "q", "position": 0},
    },
    "reply elsewhere": SAID | {"external_reply": {"origin": FORWARDS[3], "chat": CHANNEL, "message_id": 3, "photo": SIZES}},
    "reply to a story": SAID | {"reply_to_story": {"chat": CHANNEL, "id": 3}},
    "topic": SAID | {"message_thread_id": 5, "is_topic_message": True, "sender_tag": "boss", "author_signature": "x"},
    "photo": BELOW | {"photo": SIZES, "has_media_spoiler": True, "show_caption_above_media": True},
    "video": BELOW
    | {"video": FILE | {"width": 1, "height": 1, "duration": 3, "file_name": "v.mp4", "mime_type": "video/mp4", "thumbnail": FILE}},
    "audio": BELOW | {"audio": FILE | {"duration": 3, "performer": "P", "title": "T"}},
    "document": BELOW | {"document": FILE | {"file_name": "a.pdf", "mime_type": "application/pdf"}},
    "animation": BELOW | {"animation": FILE | {"duration": 3, "width": 1, "height": 1}, "document": FILE},
    "paid media": BELOW
    | {"paid_media": {"star_count": 5, "paid_media": [{"type": "photo", "photo": SIZES}, {"type": "preview", "width": 5}]}},
    "checklist": {
        "checklist": {
            "title": WORDS,
            "title_entities": ENTITIES,
            "tasks": [{"id": 1, "text": "t", "text_entities": [], "completion_date": 5}],
        }
    },
    "rich": {
        "rich_message": {
            "blocks": [
                {
                    "type": "paragraph",
                    "text": [WORDS, {"type": "bold", "text": "b"}, {"type": "text_mention", "text": "k", "user": ANNA}],
                },
                {
                    "type": "list",
                    "items": [{"label": "1.", "value": 1, "has_checkbox": True, "blocks": [{"type": "paragraph", "text": "one"}]}],
                },
                {"type": "table", "cells": [[{"text": "a", "align": "left", "valign": "top"}]], "caption": "c"},
                {
                    "type": "map",
                    "location": {"latitude": 1.5, "longitude": 2.5},
                    "zoom": 3,
                    "width": 5,
                    "height": 5,
                    "caption": {"text": "c", "credit": "d"},
                },
                {"type": "photo", "photo": SIZES, "caption": {"text": "c"}},
                {"type": "buttons", "buttons": [{"text": "Open", "url": "https://e.example"}]},
                {"type": "heading", "text": "h", "size": 2},
            ]
        }
    },
}
STRICT = {("message_id",), ("chat",), ("chat", "id"), ("from",), ("from", "id")}
"""Who, where, and which: the only things that may cost a message."""
THE_WORDS = {
    ("text",),
    ("caption",),
    ("checklist",),
    ("checklist", "title"),
    ("rich_message",),
    ("rich_message", "blocks"),
    ("rich_message", "blocks", 0),
    ("rich_message", "blocks", 0, "text"),
    ("rich_message", "blocks", 0, "text", 0),
}
"""Where they are: taken away, they are gone."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a payload: leaves and what holds them."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number))


def spoil(payload: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    spoilt: dict[str, Any] = json.loads(json.dumps(payload))  # nothing in it is shared
    holder: Any = spoilt
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return spoilt


def decoded(message: dict[str, Any], kind: str = "message") -> MessageCreated | MessageEdited:
    [event] = DECODER.update({"update_id": 1, kind: message}, NOW)
    assert isinstance(event, MessageCreated | MessageEdited)
    stored = storable(event)
    again = decode_event(encode_event(stored))
    assert again == stored, "what is stored comes back as it was"
    return event


def survived(event: MessageCreated | MessageEdited) -> bool:
    """Every letter, in order; marks and links may cut between any two."""
    return re.sub(r"\W", "", WORDS) in re.sub(r"\W", "", text_of(event.content.text))


@pytest.mark.parametrize("kind", ["message", "edited_message"])
@pytest.mark.parametrize("name", PAYLOADS)
def test_the_words_survive(name: str, kind: str) -> None:
    chat = {"id": -1001, "type": "supergroup", "title": "Team", "is_forum": True}
    message = {"message_id": 7, "date": 1_700_000_000, "edit_date": 1_700_000_001, "chat": chat, "from": ANNA, **PAYLOADS[name]}
    assert survived(decoded(message, kind))
    tried = 0
    for path in places(message):
        if path in STRICT or path in THE_WORDS or (path, kind) == (("edit_date",), "edited_message"):
            continue
        for value in (..., *SPOILT):
            event = decoded(spoil(message, path, value), kind)
            assert survived(event), (path, value)
            tried += 1
    assert tried > 100


@pytest.mark.parametrize("path", sorted(STRICT))
def test_what_says_who_and_where_is_strict(path: tuple[str, ...]) -> None:
    message = {"message_id": 7, "date": 5, "chat": {"id": -1001}, "from": ANNA, "text": WORDS}
    others: tuple[Any, ...] = (..., None, [], {})
    for value in others:
        spoilt = spoil(message, path, value)
        if path == ("from",):
            assert decoded(spoilt).meta.author is None, "a message of nobody is a message"
        else:
            with pytest.raises(Undecodable):
                DECODER.update({"update_id": 1, "message": spoilt}, NOW)


@pytest.mark.parametrize("value", SPOILT)
def test_an_edit_of_an_odd_date_is_an_edit(value: Any) -> None:
    message = {"message_id": 7, "date": 5, "chat": {"id": -1001}, "from": ANNA, "edit_date": value, **SAID}
    assert survived(decoded(message, "edited_message"))


SIGNS = ("media_group_id", "is_automatic_forward", "migrate_to_chat_id", "pinned_message", "forum_topic_created", "new_chat_title")
"""Fields that make a message something else than the words it has."""


@pytest.mark.parametrize("name", SIGNS)
def test_what_makes_a_message_something_else_must_be_right(name: str) -> None:
    wrong: tuple[Any, ...] = (None, [], {}, ["odd"], [[]], float("nan"), "")
    for value in wrong:
        message = {"message_id": 7, "date": 5, "chat": {"id": -1001}, "from": ANNA, **SAID, name: value}
        assert survived(decoded(message)), value


def test_numbers() -> None:
    assert [whole(value) for value in ("5", 5.0, 5, True, "x", 2**70, None, "9" * 5000, -(2**62))] == [
        5,
        5,
        5,
        None,
        None,
        None,
        None,
        None,
        -(2**62),
    ]
    assert [real(value) for value in (1, 1.5, float("nan"), 10**400, "1", True)] == [1.0, 1.5, None, None, None, None]


@pytest.mark.parametrize("value", [None, True, "wide", 0, -1, 1_000_001, 2**63, 1e300, float("inf"), float("nan")])
def test_sizes_that_no_picture_has_are_unknown(value: object) -> None:
    assert pixels(value) is None


@pytest.mark.parametrize("value", [None, True, "1", 0, -0.5, 1e8, 1e300, 10**400, float("inf"), float("nan")])
def test_lengths_that_no_sound_has_are_unknown(value: object) -> None:
    assert seconds(value) is None


def test_sizes_and_lengths() -> None:
    assert (pixels(640), pixels(640.0), pixels("640"), seconds(3), seconds(2.5)) == (640, 640, 640, 3.0, 2.5)
