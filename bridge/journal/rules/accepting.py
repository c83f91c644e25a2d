"""Decides what becomes of an accepted event: duplicate, echo, or stored; and with what."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import msgspec

from bridge.journal.contract import AcceptRequest, DeliveryStatus, PlannedDelivery, Verdict
from bridge.journal.rules import changes, reactions
from bridge.journal.rules.changes import LatestChange
from bridge.journal.rules.early import UNKNOWN, Early
from bridge.journal.rules.links import KnownMessage, LinkKind
from bridge.journal.rules.reactions import Reacting
from bridge.model.events import (
    AlbumItem,
    ChatEvent,
    MessageChange,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    PollVotesChanged,
    ReactionsChanged,
    as_edited,
)
from bridge.model.outcomes import Skip, SkipRule

K = TypeVar("K", bound=Hashable)
"""A native message, and an event's key, as a storage names them."""


@dataclass(slots=True)
class Known(Generic[K]):
    """What is known about the events of a group: read before, and kept current while they are accepted one after the other."""

    event_keys: set[bytes] = field(default_factory=set)
    messages: dict[K, KnownMessage] = field(default_factory=dict)
    latest: dict[K, LatestChange] = field(default_factory=dict)
    """Only those that can be read: a damaged row counts as missing, so that it does not affect new events."""
    early: dict[K, Early] = field(default_factory=dict)
    """The same for messages that are not known yet."""


class NewDelivery(msgspec.Struct, frozen=True):
    planned: PlannedDelivery
    state: DeliveryStatus
    rule: SkipRule | None = None
    """By which it is skipped."""


class Stored(msgspec.Struct, Generic[K], frozen=True):
    """What to write for an accepted event."""

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
    """For people's reactions: the created event; `UNKNOWN` while the message is not known."""
    reacting: Reacting | None = None
    poll_of: int | None = None
    """For votes: the created event whose poll they are on."""
    latest: LatestChange | None = None
    """The new state of the first of the event's messages."""
    message: K | None = None
    """The message that this is a change of."""
    claims: Sequence[K] = ()
    """Messages whose reactions of before are this event's from now on."""
    following: Sequence[Stored[K]] = ()
    """What came before the message and is applied after it: the bridge's own events, right after it in its lanes."""

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
    """Of an album: the content of each of its messages; of an edit of one of its messages: that message's new content."""
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
    """What to store, or why nothing. `messages`: the event's, named as `known` names them."""
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
    message = messages[0] if messages else None
    match event:
        case MessageCreated():
            return _created(known, entry, event, messages, seq, take_seq)
        case ReactionsChanged() | PinsChanged() if first is None:
            known.early.setdefault(messages[0], Early()).add(event, entry.deliveries)
            reacting = reactions.of_people(event) if isinstance(event, ReactionsChanged) else None
            return Stored(seq, event, None, _planned(entry), reacts_to=UNKNOWN, reacting=reacting, message=message)
        case ReactionsChanged():
            reacting = reactions.of_people(event)
            return Stored(seq, event, None, _planned(entry), reacts_to=first, reacting=reacting, message=message)
        case PollVotesChanged():
            return Stored(seq, event, None, _planned(entry), poll_of=first, message=message)
        case MessageEdited(item=AlbumItem()):
            return Stored(seq, event, None, _planned(entry), item_of=first, latest=latest, message=message)
        case _:
            return Stored(seq, event, None, _planned(entry), latest=latest, message=message)


def _is_echo(event: ChatEvent, found: Sequence[KnownMessage | None]) -> bool:
    """Our own copies come back as messages; so do the edits and deletions that we make of them. Reactions on a copy, and pins, are
    people's."""
    return event.traits.echoes and any(message is not None and message.kind is not LinkKind.ORIGINAL for message in found)


def _created(
    known: Known[K],
    entry: AcceptRequest,
    event: MessageCreated,
    messages: Sequence[K],
    seq: int,
    take_seq: Callable[[], int],
) -> Stored[K]:
    later = changes.newest(event, [known.latest[message] for message in messages if message in known.latest])
    new = [message for message in dict.fromkeys(messages) if message not in known.messages]
    for message in messages:
        known.messages[message] = KnownMessage(seq, LinkKind.ORIGINAL)
    if isinstance(later, MessageEdited):
        event = as_edited(event, later)
    rule = Skip.DELETED_BEFORE if isinstance(later, MessageDeleted) else None
    early = {message: known.early.pop(message) for message in new if message in known.early}
    following: list[Stored[K]] = []
    if rule is None:
        names = dict(zip(messages, messages_of(event), strict=True))
        for message, before in early.items():
            for change, planned in before.following(names[message], event, entry.deliveries):
                deliveries = tuple(_delivery(one, None) for one in planned)
                following.append(Stored(take_seq(), change, None, deliveries, message=message))
    return Stored(seq, event, later, _planned(entry, rule), originals=messages, claims=tuple(early), following=tuple(following))


def _planned(entry: AcceptRequest, rule: SkipRule | None = None) -> tuple[NewDelivery, ...]:
    return tuple(_delivery(planned, planned.skip_rule or rule) for planned in entry.deliveries)


def _delivery(planned: PlannedDelivery, rule: SkipRule | None) -> NewDelivery:
    if rule:
        return NewDelivery(planned, DeliveryStatus.SKIPPED, rule)
    return NewDelivery(planned, DeliveryStatus.SENDING if planned.prerecorded else DeliveryStatus.WAITING)
