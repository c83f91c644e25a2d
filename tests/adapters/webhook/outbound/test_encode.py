"""Events are as they are documented: docs/webhooks-events.schema.json and docs/webhooks-events.md."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from adapters.webhook.config import WebhookOptions
from adapters.webhook.outbound import encode
from bridge.model.adapter import Copy, Outbound, OutboundEdit, OutboundReaction, Reply, Sender
from bridge.model.rich_text import plain

DOCS = Path(__file__).parents[4] / "docs"
SCHEMA = json.loads((DOCS / "webhooks-events.schema.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
COPY = Copy(chat_id="alerts", message_ids=("t1",))

texts = st.text(max_size=300)
replies = st.none() | st.builds(Reply, message_id=texts, author_name=texts, excerpt=texts)
senders = st.none() | st.builds(Sender, name=texts, avatar_url=texts)


def outbound(text: str = "hello", **more: Any) -> Outbound:
    return Outbound(token="t1", attempt=1, chat_id="alerts", text=plain(text), **more)


def events() -> list[Any]:
    reaction = OutboundReaction(copy=COPY, wanted=("👍",), added=("👍",), removed=("🎉",))
    return [
        encode.created("alerts", outbound(sender=Sender(name="Anna", avatar_url="https://example.com/a.png")), NOW),
        encode.edited("alerts", OutboundEdit(token="t2", copy=COPY, text=plain("better"), reply=Reply(author_name="Boris")), NOW),
        encode.deleted("alerts", COPY, NOW),
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


@given(texts, senders, replies)
def test_whatever_people_write_makes_a_small_body_that_can_be_read(text: str, sender: Sender | None, reply: Reply | None) -> None:
    event = encode.created("alerts", outbound(text, sender=sender, reply=reply), NOW)
    body = encode.to_bytes(event)
    assert len(body) < encode.MOST_BYTES
    Draft202012Validator(SCHEMA).validate(json.loads(body))


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
