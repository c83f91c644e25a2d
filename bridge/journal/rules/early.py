"""Reactions, pins and votes that came before their message, or before its copy: they are stored, and follow it in its lanes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from bridge.journal.contract import DeliveryStatus, PlannedDelivery
from bridge.journal.rules import reactions, states
from bridge.model.events import ChatEvent, EventMeta, MessageCreated, PinsChanged, PollVotesChanged, ReactionsChanged
from bridge.model.outcomes import Skip
from bridge.model.refs import ChatAddress

UNKNOWN = 0
"""Stands for the created event of people's reactions whose message is not known yet."""

_End = tuple[ChatAddress, str | None]

_WITHOUT_COPY = frozenset(map(str, (Skip.REACTION_WITHOUT_COPY, Skip.PIN_WITHOUT_COPY, Skip.VOTES_WITHOUT_COPY)))


@dataclass(slots=True)
class Early:
    """What people did with a message that has not arrived yet."""

    held: dict[tuple[str, str], None] = field(default_factory=dict)
    """(person, emoji), the latest last."""
    reacting_at: set[_End] = field(default_factory=set)
    """Where the reactions were meant to go."""
    pinned: bool = False
    pinning_at: set[_End] = field(default_factory=set)
    voting_at: set[_End] = field(default_factory=set)
    """Where votes on its poll were to be shown."""

    def add(self, event: ReactionsChanged | PinsChanged, deliveries: Iterable[PlannedDelivery]) -> None:
        """One more that came before the message."""
        ends = {(planned.target, planned.thread_id) for planned in deliveries if not planned.skip_rule}
        if isinstance(event, PinsChanged):
            self.pinned = event.pinned
            self.pinning_at |= ends
            return
        self.reacting_at |= ends
        reacting = reactions.of_people(event)
        if reacting is None:
            return
        for emoji in (*reacting.removed, *reacting.added):
            self.held.pop((reacting.person, emoji), None)
        self.held.update(dict.fromkeys((reacting.person, emoji) for emoji in reacting.added))

    def following(
        self, message_id: str, created: MessageCreated, deliveries: Sequence[PlannedDelivery], *, late: int | None = None
    ) -> list[tuple[ChatEvent, tuple[PlannedDelivery, ...]]]:
        """The events that follow the message, each with where it goes: to ends that both it and the message are for. `late`: the
        delivery by which a copy came late; without it, the message itself has come."""
        name = message_id if late is None else f"{message_id}:{late}"
        found: list[tuple[ChatEvent, tuple[PlannedDelivery, ...]]] = []
        emoji = tuple(dict.fromkeys(emoji for _person, emoji in self.held))
        if emoji and (there := _at(self.reacting_at, deliveries)):
            meta = _meta(created, f"reactions:{name}")
            found.append((ReactionsChanged(meta=meta, message_id=message_id, added=emoji), there))
        if self.pinned and (there := _at(self.pinning_at, deliveries)):
            meta = _meta(created, f"pin:{name}")
            found.append((PinsChanged(meta=meta, message_id=message_id, pinned=True), there))
        if there := _at(self.voting_at, deliveries):
            # what is shown is what is known when it is shown
            found.append((PollVotesChanged(meta=_meta(created, f"votes:{name}"), message_id=message_id, votes=()), there))
        return found


def had_no_copy(state: DeliveryStatus, note: str) -> bool:
    """Whether a delivery of a reaction or pin came to nothing, or will, because its message was not known."""
    return state in states.OPEN or came_to_nothing(state, note)


def came_to_nothing(state: DeliveryStatus, note: str) -> bool:
    """Whether it ended since there was no copy."""
    return state is DeliveryStatus.SKIPPED and note in _WITHOUT_COPY


def _at(ends: set[_End], deliveries: Iterable[PlannedDelivery]) -> tuple[PlannedDelivery, ...]:
    here = [planned for planned in deliveries if not planned.skip_rule and (planned.target, planned.thread_id) in ends]
    return tuple(msgspec.structs.replace(planned, prerecorded=False) for planned in here)


_PREFIX = "before:"


def follows_its_message(event: ChatEvent) -> bool:
    """Whether it is one of those that stand for what came before the message."""
    return event.meta.event_key.startswith(_PREFIX)


def _meta(created: MessageCreated, what: str) -> EventMeta:
    """Of several people, so of nobody; the key makes the message's redelivery no second one."""
    return msgspec.structs.replace(
        created.meta, event_key=f"{_PREFIX}{what}:{created.meta.event_key}", author=None, delivery_id="", sent_by_us=False
    )
