"""Open deliveries, as a lane reads them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bridge.journal.contract.links import StoredPart
from bridge.journal.contract.states import DeliveryStatus
from bridge.model.events import ChatEvent
from bridge.model.refs import ChatAddress


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class OpenDelivery(_Value, frozen=True):
    """An open delivery, with all that a lane needs to go on with it after any restart."""

    delivery_id: int
    lane_seq: int
    """Its sequence number in its lane, in the order of commit. Only these numbers show what a reader of the lane has seen; delivery
    ids do not, if several processes accept."""
    event_seq: int
    route: str
    target: ChatAddress
    thread_id: str | None
    event: ChatEvent
    state: DeliveryStatus
    attempt: int
    """Attempts recorded so far for the part `len(parts)`."""
    first_attempt_at: datetime | None
    not_before: datetime | None
    last_error: str
    parts: tuple[StoredPart, ...]
    recorded_at: datetime | None = None
    """When the attempt or the delay was recorded, by the clock that `first_attempt_at` and `not_before` are of: their differences
    are durations, whatever the clock did since."""
    plan: bytes = b""
    """What `PlanSet` stored; empty if nothing."""
    later: ChatEvent | None = None
    """The newest MessageEdited (but for one item of an album) or MessageDeleted of this message that was accepted after this."""
    lead_seq: int | None = None
    """While SENDING: the merged message that the attempt was part of (see `Merged`); None if it was made alone."""


class Generation(_Value, frozen=True):
    """The deliveries that one run of the bridge accepted: from `first_delivery` to the next generation's. A journal restored
    from a backup gives their numbers again; their `mark` is then another one."""

    first_delivery: int
    mark: str


class Damaged(_Value, frozen=True):
    """An open delivery whose row, or whose event's, cannot be read: harmed on disk, or written by a newer version. `reason` says
    what was found. Nothing else of the journal is concerned."""

    delivery_id: int
    lane_seq: int
    reason: str
