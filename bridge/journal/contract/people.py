"""Data for people: dead letters, figures, input that was not understood."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bridge.journal.contract.states import DeliveryStatus
from bridge.model.errors import Answer
from bridge.model.events import ChatEvent
from bridge.model.refs import AccountName, ChatAddress, MessageRef


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class StoredAnswer(_Value, frozen=True):
    """The answer to a failed attempt, and when it failed."""

    at: datetime
    answer: Answer


class DeadLetter(_Value, frozen=True):
    delivery_id: int
    route: str
    target: ChatAddress
    state: DeliveryStatus
    reason: str
    attempts: int
    died_at: datetime
    event: ChatEvent | None
    """None: it cannot be read (see `Damaged`)."""
    parts_sent: int
    answers: tuple[StoredAnswer, ...] = ()
    """Of the last attempts, oldest first; not of every platform, and not in lists."""

    @property
    def kind(self) -> str:
        """What was to be delivered, as people say it: "message edited"."""
        if self.event is None:
            return "cannot be read"
        name = type(self.event).__name__
        return "".join(f" {char.lower()}" if char.isupper() else char for char in name).strip()


class DeadMark(_Value, frozen=True):
    """A dead letter in a list, without its event."""

    delivery_id: int
    route: str
    target: ChatAddress
    state: DeliveryStatus
    died_at: datetime
    reason: str


class RecentDelivery(_Value, frozen=True):
    """One delivery in a list."""

    delivery_id: int
    accepted_at: datetime | None
    message: MessageRef | None
    """The message; None: a change of one, or a notice."""
    author_name: str
    change: str | None
    """A word of `ChangeKind`, if it is a change of a message."""
    target: ChatAddress
    thread_id: str | None
    state: DeliveryStatus
    ended_at: datetime | None
    note: str
    """As in `TracedDelivery`."""


class RecentPage(_Value, frozen=True):
    deliveries: tuple[RecentDelivery, ...]
    before: int
    """Where the next page goes on; 0: there is none."""


class LaneFigures(_Value, frozen=True):
    target: ChatAddress
    waiting: int
    oldest_accepted_at: datetime | None
    next_attempt_at: datetime | None = None
    """Of the oldest: the moment before which it is not tried again, as far as the journal knows."""
    attempts: int = 0
    last_error: str = ""


class Figures(_Value, frozen=True):
    events: int
    dead: int
    undecodable: int
    size_bytes: int
    lanes: tuple[LaneFigures, ...]


class StoredWait(_Value, frozen=True):
    until: datetime
    kept_at: datetime | None
    """When it was recorded, by the same clock; None: by a version that did not keep it."""


class Undecodable(_Value, frozen=True):
    number: int
    account: AccountName
    reason: str
    received_at: datetime
    raw: bytes
