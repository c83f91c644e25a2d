"""Decoration of an odd type never costs a message: every leaf of payloads as Slack sends them is swapped for something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapters.slack.identity import Identity
from adapters.slack.inbound.decode import decode_event
from adapters.slack.inbound.decode_context import Context
from adapters.slack.lenient import Undecodable, convert, number, objects, read, words
from adapters.slack.names import NO_NAMES
from adapters.slack.wire import Channel, File, Frame, Message, User
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.refs import AccountName
from bridge.model.rich_text import to_plain

CONTEXT = Context(Identity(AccountName("team"), bot_id="B0", user_id="U0"), NO_NAMES, datetime(2026, 11, 23, tzinfo=UTC))
BASE: dict[str, Any] = {
    "type": "message",
    "channel": "C1",
    "channel_type": "channel",
    "ts": "1700000000.123456",
    "event_ts": "1700000000.123456",
    "team": "T1",
}
BOT: dict[str, Any] = {
    "bot_id": "B9",
    "app_id": "A9",
    "user": "U9",
    "bot_profile": {
        "id": "B9",
        "app_id": "A9",
        "name": "Deployer",
        "deleted": False,
        "updated": 1611114238,
        "icons": {"image_36": "https://a.example/x.png"},
    },
}
PLAIN_TEXT = {"type": "plain_text", "text": "w01", "emoji": True}
PAYLOADS: dict[str, dict[str, Any]] = {
    "person": {
        "user": "U1",
        "client_msg_id": "c",
        "text": "w90 w91",
        "user_profile": {"display_name": "Anna", "real_name": "Anna P.", "avatar_hash": "x", "is_restricted": False},
        "thread_ts": "1699999999.000001",
        "parent_user_id": "U2",
        "reply_count": 3,
        "latest_reply": "1700000001.000001",
        "edited": {"user": "U1", "ts": "1700000002.000000"},
        "reactions": [{"name": "thumbsup", "users": ["U1"], "count": 1}],
        "blocks": [
            {
                "type": "rich_text",
                "block_id": "b",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [
                            {"type": "text", "text": "w02", "style": {"bold": True}},
                            {"type": "emoji", "name": "wave", "unicode": "1f44b", "skin_tone": 3},
                            {"type": "date", "timestamp": 1700000000, "format": "{date}", "fallback": "w03"},
                            {"type": "link", "url": "https://e.example/", "text": "w04", "unsafe": False},
                            {"type": "color", "value": "w05"},
                        ],
                    },
                    {
                        "type": "rich_text_list",
                        "style": "ordered",
                        "indent": 1,
                        "offset": 2,
                        "border": 0,
                        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "w06"}]}],
                    },
                    {
                        "type": "rich_text_preformatted",
                        "border": 0,
                        "language": "py",
                        "elements": [{"type": "text", "text": "w07"}],
                    },
                    {"type": "rich_text_quote", "border": 0, "elements": [{"type": "text", "text": "w08"}]},
                ],
            }
        ],
        "metadata": {"event_type": "x", "event_payload": {"n": 1}},
    },
    "files": {
        "user": "U1",
        "subtype": "file_share",
        "upload": False,
        "text": "w10",
        "files": [
            {
                "id": "F1",
                "created": 1700000000,
                "timestamp": 1700000000,
                "name": "w11.png",
                "title": "w11",
                "mimetype": "image/png",
                "filetype": "png",
                "pretty_type": "PNG",
                "size": 100,
                "mode": "hosted",
                "is_external": False,
                "editable": False,
                "url_private": "https://files.slack.com/a",
                "url_private_download": "https://files.slack.com/b",
                "permalink": "https://x.slack.com/f",
                "original_w": 4,
                "original_h": 5,
                "duration_ms": 1500,
                "thumb_64": "https://files.slack.com/t",
                "thumb_360_w": 100,
                "alt_txt": "w13",
                "file_access": "visible",
                "shares": {"public": {"C1": [{"ts": "1700000000.123456"}]}},
            }
        ],
    },
    "integration": {
        **BOT,
        "subtype": "bot_message",
        "username": "Tickets",
        "icons": {"emoji": ":ticket:", "image_48": "https://a.example/i.png"},
        "text": "w20",
        "mrkdwn": True,
        "attachments": [
            {
                "id": 1,
                "color": "e52b50",
                "fallback": "nothing",
                "pretext": "w21",
                "author_name": "w22",
                "author_link": "https://t.example/u",
                "author_icon": "https://t.example/i.png",
                "title": "w23",
                "title_link": "https://t.example/7",
                "text": "w24",
                "fields": [{"title": "w25", "value": "w26", "short": True}, {"title": "w27", "value": 5, "short": "no"}],
                "footer": "w28",
                "footer_icon": "https://t.example/f.png",
                "ts": 1715000000,
                "image_url": "https://t.example/p.png",
                "image_width": 100,
                "image_bytes": 100,
                "actions": [{"id": "1", "name": "n", "text": "w29", "type": "button", "style": "", "url": "https://t.example/c"}],
                "mrkdwn_in": ["text"],
            },
            {
                "is_share": True,
                "is_msg_unfurl": True,
                "author_name": "Boris",
                "author_id": "U2",
                "channel_name": "random",
                "from_url": "https://x.slack.com/archives/C2/p1",
                "text": "w30",
                "ts": "1700000000.000001",
                "footer": "Posted in #random",
                "fallback": "f",
            },
        ],
    },
    "blocks": {
        **BOT,
        "text": "This content can't be displayed.",
        "blocks": [
            {"type": "header", "block_id": "h", "text": {"type": "plain_text", "text": "w40", "emoji": True}},
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "w41", "verbatim": False},
                "expand": True,
                "fields": [{"type": "mrkdwn", "text": "w42"}, {"type": "plain_text", "text": "w43"}],
                "accessory": {
                    "type": "image",
                    "image_url": "https://e.example/c.png",
                    "image_width": 4,
                    "image_bytes": 9,
                    "alt_text": "w44",
                    "fallback": "100x100px image",
                },
            },
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "w45"}, {"type": "plain_text", "text": "w46"}]},
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "w47"},
                        "url": "https://e.example/",
                        "style": "danger",
                    },
                    {"type": "static_select", "placeholder": {"type": "plain_text", "text": "w48"}, "options": []},
                ],
            },
            {
                "type": "image",
                "title": {"type": "plain_text", "text": "w49"},
                "alt_text": "w49",
                "image_url": "https://e.example/d.png",
            },
            {"type": "markdown", "text": "w50"},
            {"type": "table", "rows": [[{"type": "raw_text", "text": "w51"}]], "column_settings": [{"align": "left"}]},
            {"type": "call", "call_id": "R0", "call": {"v1": {"name": "w52", "join_url": "https://m.example/1", "date_start": 1}}},
            {
                "type": "video",
                "title": {"type": "plain_text", "text": "w53"},
                "title_url": "https://v.example/",
                "author_name": "w54",
            },
        ],
    },
}
OTHERS: tuple[Any, ...] = (5, 1.5, -1, 10**30, True, "5", "x", "", None, {}, {"a": 1}, {"text": 5}, [], [5], [{}], "9" * 5000)
NEW_OTHERS: tuple[Any, ...] = (5, "x", None, {}, [5])
OLD_OTHERS: tuple[Any, ...] = (5, None, {})
NOT_COSMETIC = re.compile(r"(?:^|_)id$|^(?:type|channel|ts|event_ts|user|users)$")
_WORD = re.compile(r"w\d\d")


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands that may be of another type: leaves, and small containers."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not NOT_COSMETIC.search(str(key)):
                if isinstance(inner, dict | list) and not _WORD.search(str(inner)):
                    yield (*path, key)
                yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*path, at))
    else:
        yield path


def at(payload: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        payload = payload[key]
    return payload


def swapped(payload: dict[str, Any], path: tuple[Any, ...], other: Any) -> tuple[dict[str, Any], set[str]]:
    """The payload with something else at that place, and the words that were there."""
    made = deepcopy(payload)
    place = at(made, path[:-1])
    lost = set(_WORD.findall(str(place[path[-1]])))
    place[path[-1]] = other
    return made, lost


def seen(event: Any) -> set[str]:
    assert isinstance(event, MessageCreated | MessageEdited), event
    names = " ".join(f"{file.name} {file.alt_text}" for file in event.content.attachments)
    return set(_WORD.findall(f"{to_plain(event.content.text)} {names}"))


@pytest.mark.parametrize("name", PAYLOADS)
def test_no_odd_value_costs_more_than_itself(name: str) -> None:
    payload = {**BASE, **PAYLOADS[name]}
    before = seen(decode_event(msgspec.json.encode(payload), CONTEXT))
    assert len(before) >= 3
    places = list(leaves(payload))
    assert len(places) > 15
    for path in places:
        for other in OTHERS:
            made, lost = swapped(payload, path, other)
            if isinstance(at(payload, path), bool) and isinstance(other, bool):
                continue  # not odd: another truth
            event = decode_event(msgspec.json.encode(made), CONTEXT)
            assert before - lost <= seen(event), (path, other)
            msgspec.json.encode(event)  # it can be stored


@pytest.mark.parametrize("name", PAYLOADS)
def test_nor_in_an_edit(name: str) -> None:
    """The new words, and in `previous_message` nothing at all that matters."""
    outer = {**BASE, "subtype": "message_changed", "hidden": True}
    old = {key: value for key, value in PAYLOADS[name].items() if key not in ("edited",)} | {"ts": BASE["ts"], "text": "old"}
    new = {**old, **PAYLOADS[name], "edited": {"ts": "1700000003.000000", "user": "U1"}}
    before = seen(decode_event(msgspec.json.encode({**outer, "message": new, "previous_message": old}), CONTEXT))
    for path in leaves(new):
        if "edited" in path:
            continue
        for other in NEW_OTHERS:
            made, lost = swapped(new, path, other)
            event = decode_event(msgspec.json.encode({**outer, "message": made, "previous_message": old}), CONTEXT)
            assert before - lost <= seen(event), (path, other)
    for path in leaves(old):
        for other in OLD_OTHERS:
            made, _ = swapped(old, path, other)
            event = decode_event(msgspec.json.encode({**outer, "message": new, "previous_message": made}), CONTEXT)
            assert before <= seen(event), (path, other)


@pytest.mark.parametrize("field", ["ts", "channel"])
@pytest.mark.parametrize("other", [5, None, {}, ["C1"], 1700000000.5, True])
def test_ids_are_strict(field: str, other: Any) -> None:
    with pytest.raises(Undecodable):
        decode_event(msgspec.json.encode({**BASE, "user": "U1", "text": "x", "files": "odd too", field: other}), CONTEXT)


@pytest.mark.parametrize("field", ["thread_ts", "user", "bot_id", "parent_user_id", "latest_reply"])
@pytest.mark.parametrize("other", [5, 1700000000.5, True, {}, ["U1"]])
def test_an_optional_id_that_is_none_is_left_out(field: str, other: Any) -> None:
    event = decode_event(msgspec.json.encode({**BASE, "text": "w70", field: other}), CONTEXT)
    assert isinstance(event, MessageCreated)
    assert seen(event) == {"w70"}
    assert (event.meta.thread_id, event.content.reply_to) == (None, None)
    assert event.meta.author is not None
    assert event.meta.author.user_id == ""


def test_what_is_nested_too_deep_is_undecodable() -> None:
    deep = b'{"type":"message","channel":"C1","ts":"1.2","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(msgspec.DecodeError):
        read(deep, Frame)
    with pytest.raises(Undecodable):
        decode_event(deep, CONTEXT)


def test_blocks_within_blocks_end_somewhere() -> None:
    block: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": "inner"}}
    for _ in range(100):
        block = {"type": "container", "title": "w60", "child_blocks": [block]}
    event = decode_event(msgspec.json.encode({**BASE, **BOT, "blocks": [block]}), CONTEXT)
    assert seen(event) == {"w60"}


def test_types_that_are_made_fit() -> None:
    message = convert({"ts": "1.2", "text": 5, "hidden": "true", "files": {"id": "F1", "size": "7", "original_w": 4.0}}, Message)
    assert (message.text, message.hidden, message.files) == ("5", True, [File(id="F1", size=7, original_w=4)])
    assert convert({"id": "U1", "name": 17, "is_bot": 1, "profile": []}, User) == User(id="U1", name="17", is_bot=True)
    assert convert([{"id": "C1"}, {"name": "no id"}, 5, None], list[Channel]) == [Channel(id="C1")]
    bot = convert({"ts": "1", "bot_profile": {"name": {"text": "Named"}}}, Message).bot_profile
    assert bot is not None
    assert bot.name == "Named"
    wrong: tuple[Any, ...] = (None, 5, "x", [])
    for odd in wrong:
        with pytest.raises(msgspec.ValidationError):
            convert(odd, User)


def test_loose_json() -> None:
    said: tuple[Any, ...] = ("a", 5, 1.5, True, None, [], {"text": {"text": "in"}})
    assert [words(value) for value in said] == [
        "a",
        "5",
        "1.5",
        "",
        "",
        "",
        "in",
    ]
    assert objects({"a": 1}) == [{"a": 1}]
    assert objects([{"a": 1}, 5, None]) == [{"a": 1}]
    counted: tuple[Any, ...] = ("5", 5.9, None, "x", float("inf"), 99, -1, True, {})
    assert [number(value, 3, most=8) for value in counted] == [
        5,
        5,
        3,
        3,
        3,
        8,
        0,
        3,
        3,
    ]
