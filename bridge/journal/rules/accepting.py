"""What becomes of an event that is accepted: duplicate, echo, or stored; and with what."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from bridge.journal.contract import AcceptRequest, DeliveryStatus, PlannedDelivery, Verdict
from bridge.journal.rules import changes, reactions
from bridge.journal.rules.changes import LatestChange
from bridge.journal.rules.links import KnownMessage, LinkKind
from bridge.journal.rules.reactions import Reacting
from bridge.model.events import (
    AlbumItem,
    ChatEvent,
    MessageChange,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    ReactionsChanged,
    as_edited,
)
from bridge.model.outcomes import Skip, SkipRule

K = TypeVar("K", bound=Hashable)
"""A native message, and an event's key, as a storage names them."""


@dataclass(slots=True)
class Known(Generic[K]):
    """What is known of the events of a group: read before, and kept current while they are accepted one after the other."""

    event_keys: set[bytes] = field(default_factory=set)
    messages: dict[K, KnownMessage] = field(default_factory=dict)
    latest: dict[K, LatestChange] = field(default_factory=dict)
    """Only those that can be read: a harmed row is taken for none, so that what is accepted does not suffer from it."""


class NewDelivery(msgspec.Struct, frozen=True):
    planned: PlannedDelivery
    state: DeliveryStatus
    rule: SkipRule | None = None
    """By which it is skipped."""


class Stored(msgspec.Struct, Generic[K], frozen=True):
    """What is to be written of an event that is accepted."""

    event_seq: int
    event: ChatEvent
    """As it is stored: a message as it was edited before it came."""
    later: MessageEdited | MessageDeleted | None
    """The change that was accepted before its message."""
    deliveries: tuple[NewDelivery, ...]
    originals: Sequence[K] = ()
    """Native messages that are this event's from now on."""
    item_of: int | None = None
    """Of an edit of one message of an album: the created event whose item it replaces."""
    reacts_to: int | None = None
    """Of people's reactions: the created event."""
    reacting: Reacting | None = None
    latest: LatestChange | None = None
    """What the first of the event's messages has become by it."""

    @property
    def open(self) -> int:
        """Deliveries that are still to be finished."""
        return sum(delivery.state is not DeliveryStatus.SKIPPED for delivery in self.deliveries)


def messages_of(event: ChatEvent) -> tuple[str, ...]:
    """Native messages that an event is about; the first is its `message_id`."""
    match event:
        case MessageCreated():
            return (event.message_id, *event.also_ids)
        case MessageChange():
            return (event.message_id,)
        case _:
            return ()


def items_of(event: ChatEvent) -> tuple[AlbumItem, ...]:
    """Of an album: what each of its messages says; of an edit of one of its messages: what that one says now."""
    match event:
        case MessageCreated():
            return event.items
        case MessageEdited(item=AlbumItem() as item):
            return (item,)
        case _:
            return ()


def accept(
    known: Known[K], entry: AcceptRequest, key: bytes, messages: Sequence[K], take_seq: Callable[[], int]
) -> Stored[K] | Verdict:
    """What is to be stored, or why nothing is. `messages`: the event's, named as `known` names them."""
    event = entry.event
    if key in known.event_keys:
        return Verdict.DUPLICATE
    found = [known.messages.get(message) for message in messages]
    if _is_echo(event, found):
        return Verdict.ECHO
    known.event_keys.add(key)
    seq = take_seq()
    first = found[0].event_seq if found and found[0] is not None else None
    latest = None
    if isinstance(event, MessageEdited | MessageDeleted) and changes.is_of_the_whole(event):
        latest = known.latest[messages[0]] = changes.combined(known.latest.get(messages[0]), event, seq)
    match event:
        case MessageCreated():
            return _created(known, entry, event, messages, seq)
        case ReactionsChanged() if first is not None:
            return Stored(seq, event, None, _planned(entry), reacts_to=first, reacting=reactions.of_people(event))
        case MessageEdited(item=AlbumItem()):
            return Stored(seq, event, None, _planned(entry), item_of=first, latest=latest)
        case _:
            return Stored(seq, event, None, _planned(entry), latest=latest)


def _is_echo(event: ChatEvent, found: Sequence[KnownMessage | None]) -> bool:
    """Our own copies come back as messages; so do the edits and deletions that we make of them. Reactions on a copy, and pins, are
    people's."""
    return event.traits.echoes and any(message is not None and message.kind is not LinkKind.ORIGINAL for message in found)


def _created(known: Known[K], entry: AcceptRequest, event: MessageCreated, messages: Sequence[K], seq: int) -> Stored[K]:
    later = changes.newest(event, [known.latest[message] for message in messages if message in known.latest])
    for message in messages:
        known.messages[message] = KnownMessage(seq, LinkKind.ORIGINAL)
    if isinstance(later, MessageEdited):
        event = as_edited(event, later)
    rule = Skip.DELETED_BEFORE if isinstance(later, MessageDeleted) else None
    return Stored(seq, event, later, _planned(entry, rule), originals=messages)


def _planned(entry: AcceptRequest, rule: SkipRule | None = None) -> tuple[NewDelivery, ...]:
    return tuple(_delivery(planned, planned.skip_rule or rule) for planned in entry.deliveries)


def _delivery(planned: PlannedDelivery, rule: SkipRule | None) -> NewDelivery:
    if rule:
        return NewDelivery(planned, DeliveryStatus.SKIPPED, rule)
    return NewDelivery(planned, DeliveryStatus.SENDING if planned.begun else DeliveryStatus.WAITING)
