"""What the journal says about one message: every delivery of it, the outcome of each, and what waits for what. Types only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from bridge.journal.contract import DeliveryStatus, StoredAnswer, StoredPart
from bridge.model.refs import ChatAddress, ChatRef, MessageRef


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class InLine(_Value, frozen=True):
    """What an open delivery waits behind in its lane: `ahead` other deliveries, the first of which has this state."""

    ahead: int
    delivery_id: int
    not_before: datetime | None
    last_error: str


class TracedDelivery(_Value, frozen=True):
    """One (event, target) pair. `note`: the last error while it is open, why it is dead, by which rule it was skipped (as stored),
    or what its copy lost, parted by `; `."""

    delivery_id: int
    route: str
    target: ChatAddress
    thread_id: str | None
    state: DeliveryStatus
    attempts: int
    first_attempt_at: datetime | None
    not_before: datetime | None
    ended_at: datetime | None
    note: str
    answers: tuple[StoredAnswer, ...] = ()
    """What the last failed attempts were answered, oldest first, where the platform's adapter tells it."""
    copies: tuple[StoredPart, ...] = ()
    """The message's copies at that end as they are now, whichever delivery sent them."""
    shared_with: int = 0
    """How many other messages are in the same message there."""
    behind: InLine | None = None
    """For an open delivery that is not the first of its lane."""


class ChangeKind(StrEnum):
    """A change of an existing message."""

    EDIT = "edit"
    DELETION = "deletion"
    REACTIONS = "reactions"
    PIN = "pin"
    UNPIN = "unpin"
    VOTES = "votes"


class TracedEvent(_Value, frozen=True):
    event_seq: int
    accepted_at: datetime
    deliveries: tuple[TracedDelivery, ...]
    change: ChangeKind | None = None
    """None: it is a message itself, or a notice."""
    of: MessageRef | None = None
    """Of a change: the message that was changed, an original or a copy."""


class Traced(_Value, frozen=True):
    """A message that the journal knows, by its original or by one of its copies."""

    asked: MessageRef | None
    """None: asked by a delivery."""
    is_original: bool
    is_gone: bool
    """Whether what was asked for is a copy that is there no more."""
    original: MessageRef | None
    """None: the event is no message of people's (somebody joined, a message was changed)."""
    also_ids: tuple[str, ...]
    author_name: str
    event: TracedEvent
    changes: tuple[TracedEvent, ...] = ()
    """What was done to it and to its copies, in the order in which it was accepted: the newest of each kind, as far as the journal
    still has them."""
    left_out: Mapping[ChangeKind, int] = {}
    """How many earlier changes of that kind are not among `changes`."""


class StepKind(StrEnum):
    """What can become of a message, step by step."""

    CAME = "came"
    """It was accepted, with a delivery for each of its targets."""
    WAITING = "waiting"
    """An attempt at a delivery failed or could not be made, and another follows; or a dead one is to be tried again."""
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    DEAD = "dead"
    """It is given up, or held until somebody decides."""


class Step(_Value, frozen=True):
    """One step of a message, or of a change of one: it came, or one of its deliveries got an outcome. Holds no words of people, but
    for the author's name and what errors say."""

    number: int
    """Of the journal, always growing, without gaps."""
    kind: StepKind
    event_seq: int
    accepted_at: datetime
    origin: ChatRef
    message: MessageRef | None
    """The message as its author sent it; None for a change and for a notice."""
    author_name: str
    change: ChangeKind | None
    of: MessageRef | None
    """Of a change: the message that was changed, an original or a copy."""
    deliveries: tuple[TracedDelivery, ...]
    """As they are now. All that the event has if it came, else the one that the step is of."""
    is_past: bool = False
    """Whether the delivery has gone on since this step."""


class Steps(_Value, frozen=True):
    """What became of messages since a step, oldest first."""

    steps: tuple[Step, ...]
    last: int
    """What to ask for next as `after`. Smaller than it was: this is another journal, an older copy for instance."""
    newest: int
    """The number of the newest step there is; 0 if there is none."""
    not_kept: int = 0
    """How many steps after the asked one are no longer kept. They are before `steps`."""
    unknown: int = 0
    """How many are left out of `steps` since the journal has forgotten their messages, or cannot read their rows."""


class Found(_Value, frozen=True):
    """Messages and edits whose words were looked for, newest first."""

    messages: tuple[Traced, ...]
    """As many of them as were asked for."""
    hits: int
    """How many there are."""
    looked_through: int
    before: int | None
    """What to ask for next; None: there are no older ones that the journal has the words of."""
