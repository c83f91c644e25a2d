"""What the model of the journal keeps: dicts in memory, and what several of its parts read there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bridge.journal.contract import (
    Carried,
    DeliveryStatus,
    StoredPart,
)
from bridge.model.adapter import Copy
from bridge.model.events import ChatEvent, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef

End = tuple[ChatAddress, str | None]
OPEN = (DeliveryStatus.WAITING, DeliveryStatus.SENDING, DeliveryStatus.BEHIND)
DEADS = (DeliveryStatus.DEAD, DeliveryStatus.HELD)
FINAL = (DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED)


@dataclass
class KnownDelivery:
    seq: int
    route: str
    target: ChatAddress
    thread_id: str | None = None
    lane_seq: int = 0
    state: DeliveryStatus = DeliveryStatus.WAITING
    attempt: int = 0
    first_attempt_at: datetime | None = None
    not_before: datetime | None = None
    note: str = ""
    at: datetime | None = None
    base: int | None = None
    plan: bytes = b""


@dataclass
class KnownPart:
    copy: Copy
    chat: ChatRef
    senders: set[int]
    carried: Carried


@dataclass
class KnownEvent:
    event: ChatEvent
    accepted_at: datetime
    deliveries: list[int]


@dataclass
class KnownLink:
    seq: int
    rank: int
    is_copy: bool
    is_gone: bool = False


@dataclass
class State:
    """What is stored. Only what several parts of the model read is computed here."""

    events: dict[int, KnownEvent] = field(default_factory=dict)
    deliveries: dict[int, KnownDelivery] = field(default_factory=dict)
    parts: dict[tuple[int, End, int], KnownPart] = field(default_factory=dict)
    links: dict[MessageRef, KnownLink] = field(default_factory=dict)
    pieces: dict[tuple[int, End], tuple[int, bytes]] = field(default_factory=dict)
    reacted: dict[tuple[int, MessageRef, str, str], tuple[int, int]] = field(default_factory=dict)
    cursors: dict[tuple[AccountName, str], str] = field(default_factory=dict)
    latest: dict[MessageRef, tuple[int, MessageEdited | None]] = field(default_factory=dict)
    last_seq: int = 0
    last_delivery: int = 0
    last_in_lane: dict[ChatAddress, int] = field(default_factory=dict)

    def _later(self, event: ChatEvent, seq: int) -> ChatEvent | None:
        """What the message came to by changes numbered above `seq`."""
        if not isinstance(event, MessageCreated | MessageEdited):
            return None
        ids = (event.message_id, *(event.also_ids if isinstance(event, MessageCreated) else ()))
        found = [self.latest[ref] for one in ids if (ref := MessageRef(event.meta.origin, one)) in self.latest]
        newest = max((change for change in found if change[0] > seq), key=lambda change: change[0], default=None)
        if newest is None:
            return None
        return newest[1] or MessageDeleted(meta=event.meta, message_id=event.message_id)

    def _parts_by(self, number: int) -> tuple[StoredPart, ...]:
        delivery = self.deliveries[number]
        return tuple(
            StoredPart(part=part, copy=sent.copy, carried=sent.carried)
            for (seq, end, part), sent in sorted(self.parts.items(), key=lambda item: item[0][2])
            if seq == delivery.base and end == (delivery.target, delivery.thread_id) and number in sent.senders
        )

    def _copies(self, seq: int, end: End) -> tuple[StoredPart, ...]:
        here = {part: sent for (event, there, part), sent in self.parts.items() if (event, there) == (seq, end)}
        return tuple(StoredPart(part=part, copy=sent.copy, carried=sent.carried) for part, sent in sorted(here.items()))
