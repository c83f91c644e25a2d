"""Which messages are our own, by which marks, and what orders events."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.inbound.decode import decode
from tests.adapters.discord.payloads import context_of, message, one

TOKEN = "mbabcdef-1-0"


def test_either_mark_of_a_webhook_is_enough() -> None:
    for fields in ({"application_id": "2"}, {"application_id": None}, {}):
        data = message(webhook_id="50", author={"id": "50", "username": "Anna"}, **fields)
        assert one(context_of(webhooks={"50"}), "MESSAGE_CREATE", data).meta.sent_by_us
        assert one(context_of(), "MESSAGE_CREATE", data).meta.sent_by_us is (fields.get("application_id") == "2")


@pytest.mark.parametrize(
    "author",
    [
        {"author": {"id": "7", "username": "eve"}},
        {"author": {"id": "8", "username": "bot", "bot": True}, "application_id": "8"},
        {"author": {"id": "51", "username": "Anna"}, "webhook_id": "51", "application_id": "3"},
        {"author": {"id": "1", "username": "a webhook named like us"}, "webhook_id": "51"},
    ],
)
def test_a_mark_of_ours_on_somebody_elses_message_is_not_believed(author: dict[str, Any]) -> None:
    event = one(context_of(), "MESSAGE_CREATE", message(nonce=TOKEN, **author))
    assert (event.meta.sent_by_us, event.meta.delivery_id) == (False, "")
    own = one(context_of(), "MESSAGE_CREATE", message(nonce=TOKEN, author={"id": "1", "username": "we"}))
    assert (own.meta.sent_by_us, own.meta.delivery_id) == (True, TOKEN)


def test_gateway_events_name_their_order_not_by_our_clock() -> None:
    data = message(timestamp="yesterday", edited_timestamp=None)
    decoded = decode("MESSAGE_CREATE", data, context_of(), position="")
    assert isinstance(decoded, list)
    assert decoded[0].meta.occurred_at.year == 2016, "of its id"
