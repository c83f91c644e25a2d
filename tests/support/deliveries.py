"""Deliveries for tests: without a journal, for what handles them; and those of a journal, none of which may be damaged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from bridge.journal.contract import Damaged, DeliveryStatus, OpenDelivery
from bridge.model.events import Author, Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain

NOW = datetime(2026, 8, 1, tzinfo=UTC)
TARGET = ChatAddress(AccountName("two"), "c")


def delivery(number: int) -> OpenDelivery:
    """Anna's plain message from chat c of `one`, waiting to be sent."""
    meta = EventMeta(
        event_key=f"{number}",
        origin=ChatRef(AccountName("one"), "c"),
        occurred_at=NOW,
        received_at=NOW,
        author=Author(user_id="anna", name="Anna"),
    )
    return OpenDelivery(
        delivery_id=number,
        lane_seq=number,
        event_seq=number,
        route="route",
        target=TARGET,
        thread_id=None,
        event=MessageCreated(meta=meta, message_id=str(number), content=Content(text=plain("hello"))),
        state=DeliveryStatus.WAITING,
        attempt=0,
        first_attempt_at=None,
        not_before=None,
        last_error="",
        parts=(),
    )


def readable(found: Iterable[OpenDelivery | Damaged]) -> list[OpenDelivery]:
    """What a journal gave, as what it must be: deliveries that can be read, every one."""
    deliveries: list[OpenDelivery] = []
    for one in found:
        assert isinstance(one, OpenDelivery), one
        deliveries.append(one)
    return deliveries
