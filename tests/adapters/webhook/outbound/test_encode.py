"""Events are as they are documented: docs/webhooks-events.schema.json and docs/webhooks-events.md."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from adapters.webhook.config import WebhookOptions
from adapters.webhook.outbound import encode
from adapters.webhook.outbound.encode_text import TEXT_BYTES, encode_text, json_bytes
from bridge.model.adapter import Copy, ListedFile, Outbound, OutboundDelete, OutboundEdit, OutboundReaction, Reply, Sender
from bridge.model.events import Attachment, AttachmentKind, Contact, Forward, Location, Poll, PollOption
from bridge.model.original import Original
from bridge.model.rich_text import Paragraph, RichText, Text, plain
from bridge.render.split import Limit, split

DOCS = Path(__file__).parents[4] / "docs"
SCHEMA = json.loads((DOCS / "webhooks-events.schema.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
COPY = Copy(chat_id="alerts", message_ids=("t1",))

EVERYTHING = Original(
    occurred_at=NOW - timedelta(seconds=90),
    thread_id="1795700000.000100",
    forwarded_from=Forward(author_name="Vera", chat_name="News"),
    poll=Poll(question="Tea?", options=(PollOption(text="yes", votes=2), PollOption(text="no"))),
    location=Location(latitude=59.9386, longitude=30.3141, title="Palace Square"),
    contact=Contact(name="Oleg", phone="+7 900", details=("Example Ltd",)),
)
FILES = (
    ListedFile(
        attachment=Attachment(kind=AttachmentKind.PHOTO, file_id="f", size_bytes=2048),
        name="cat.jpg",
        mime="image/jpeg",
        url="https://example.com/f/1",
    ),
    ListedFile(attachment=Attachment(kind=AttachmentKind.VOICE, file_id="g"), name="voice.oga", mime="audio/ogg"),
)

texts = st.text(max_size=300)
long_texts = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=30), st.integers(1, 2000))
originals = st.none() | st.builds(
    Original,
    occurred_at=st.just(NOW),
    thread_id=st.none() | texts,
    forwarded_from=st.none() | st.builds(Forward, author_name=texts, chat_name=texts),
    poll=st.none()
    | st.builds(Poll, question=long_texts, options=st.lists(st.builds(PollOption, text=texts), max_size=12).map(tuple)),
    location=st.none() | st.builds(Location, latitude=st.just(1.5), longitude=st.just(-2.5), title=texts, address=long_texts),
    contact=st.none() | st.builds(Contact, name=texts, phone=texts, details=st.lists(texts, max_size=30).map(tuple)),
)
listed = st.lists(
    st.builds(ListedFile, attachment=st.just(FILES[1].attachment), name=texts, mime=texts, url=texts), max_size=60
).map(tuple)
replies = st.none() | st.builds(Reply, message_id=texts, author_name=texts, excerpt=texts)
senders = st.none() | st.builds(Sender, name=texts, avatar_url=texts)


def outbound(text: str = "hello", **more: Any) -> Outbound:
    return Outbound(token="t1", attempt=1, chat_id="alerts", text=plain(text), **more)


def events() -> list[Any]:
    reaction = OutboundReaction(copy=COPY, wanted=("👍",), added=("👍",), removed=("🎉",))
    return [
        encode.created("alerts", outbound(sender=Sender(name="Anna", avatar_url="https://example.com/a.png")), NOW),
        encode.created("alerts", outbound(original=EVERYTHING, listed_files=FILES), NOW),
        encode.edited("alerts", OutboundEdit(token="t2", copy=COPY, text=plain("better"), reply=Reply(author_name="Boris")), NOW),
        encode.deleted("alerts", OutboundDelete(copy=COPY, occurred_at=NOW), NOW),
        encode.reacted("alerts", reaction, NOW, added=True),
        encode.reacted("alerts", reaction, NOW, added=False),
        encode.pinned("alerts", COPY, NOW, is_pinned=True),
        encode.pinned("alerts", COPY, NOW, is_pinned=False),
    ]


def test_every_event_is_as_the_schema_says() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for event in events():
        Draft202012Validator(SCHEMA).validate(event)
        assert set(event["data"]) <= set(SCHEMA["properties"]["data"]["properties"]), "a field that is not documented"
    assert {event["type"] for event in events()} == set(SCHEMA["properties"]["type"]["enum"])


def test_every_type_and_field_is_in_the_page() -> None:
    page = (DOCS / "webhooks-events.md").read_text(encoding="utf-8")
    for name in (*SCHEMA["properties"]["type"]["enum"], *SCHEMA["properties"]["data"]["properties"]):
        assert f"`{name}`" in page, name


@given(long_texts, senders, replies, originals, listed)
def test_whatever_people_write_makes_a_small_body_that_can_be_read(
    text: str, sender: Sender | None, reply: Reply | None, original: Original | None, files: tuple[ListedFile, ...]
) -> None:
    """Of texts as the core splits them."""
    limit = Limit(lambda rich, caption=False: json_bytes(encode_text(rich)), TEXT_BYTES)
    for part in split(plain(text), limit)[:3]:
        said = replace(outbound(sender=sender, reply=reply, original=original, listed_files=files), text=part)
        body = encode.to_bytes(encode.created("alerts", said, NOW))
        assert len(body) < encode.MOST_BYTES
        Draft202012Validator(SCHEMA).validate(json.loads(body))


def test_a_message_is_told_with_all_that_it_is() -> None:
    data = encode.created("alerts", outbound(original=EVERYTHING, listed_files=FILES), NOW)["data"]
    assert data["occurred_at"] == "2026-11-26T11:58:30.000+00:00"
    assert data["thread"] == {"id": "1795700000.000100"}
    assert data["forwarded_from"] == {"author": "Vera", "chat": "News"}
    assert data["poll"] == {
        "question": "Tea?",
        "options": [{"text": "yes", "votes": 2}, {"text": "no"}],
        "multiple": False,
        "anonymous": True,
        "closed": False,
    }
    assert data["location"] == {"latitude": 59.9386, "longitude": 30.3141, "title": "Palace Square"}
    assert data["contact"] == {"name": "Oleg", "phone": "+7 900", "details": ["Example Ltd"]}
    assert data["files"] == [
        {"name": "cat.jpg", "mime": "image/jpeg", "kind": "photo", "size_bytes": 2048, "url": "https://example.com/f/1"},
        {"name": "voice.oga", "mime": "audio/ogg", "kind": "voice"},
    ]


def test_the_words_go_first_where_there_is_not_room_for_all() -> None:
    many = (replace(FILES[0], name="x" * 200),) * 200
    data = encode.created("alerts", outbound("word " * 1000, original=EVERYTHING, listed_files=many), NOW)["data"]
    assert len(data["text"]) == 5000
    assert 10 < len(data["files"]) < 200


def test_markdown_that_a_body_has_no_room_for_is_left_out_and_the_words_are_whole() -> None:
    escaped = "_" * TEXT_BYTES
    data = encode.created("alerts", outbound(escaped, original=EVERYTHING, listed_files=FILES), NOW)["data"]
    assert data["text"] == escaped
    assert "markdown" not in data
    assert data["occurred_at"]
    assert data["files"]


def test_text_is_plain_and_markdown_has_the_marks() -> None:
    rich = RichText(
        (Paragraph((Text("see ", 1), Text("this", 0, "https://example.com/"), Text(" "), Text("a@b", 0, "mailto:a@b"))),)
    )
    data = encode.created("alerts", replace(outbound(), text=rich), NOW)["data"]
    assert data["text"] == "see this (https://example.com/) a@b"
    assert data["markdown"] == "**see** [this](https://example.com/) <mailto:a@b>"


@given(texts)
def test_a_template_never_makes_other_json_than_the_admin_wrote(text: str) -> None:
    options = WebhookOptions.model_validate(
        {"style": "template", "body": {"text": "{{ author.name }}: {{ text }}", "deep": [{"id": "{{ id }}"}]}, "ends": {"a": {}}}
    )
    body = json.loads(encode.template_body(options, "a", outbound(text, sender=Sender(name="Anna")), NOW))
    assert set(body) == {"text", "deep"}
    assert body["deep"] == [{"id": "t1"}]


@pytest.mark.parametrize("url", ["", "x" * 5000])
def test_a_picture_without_a_usable_address_is_left_out(url: str) -> None:
    event = encode.created("alerts", outbound(sender=Sender(name="Anna", avatar_url=url)), NOW)
    assert event["data"]["author"] == {"name": "Anna"}
