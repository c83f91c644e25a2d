"""Changes of messages that still wait in the same lane. A change follows its message in the line; whoever takes the message up must
know of it before, so that nothing is sent that its author deleted or reworded while it waited. In memory: what a lane reads from
the journal comes with its later change."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from bridge.delivery.state import DeliveryState
from bridge.journal.contract import DeliveryStatus, OpenDelivery
from bridge.journal.rules.changes import LatestChange, combined, is_of_the_whole, messages_of, newest
from bridge.model.clock import Clock
from bridge.model.events import MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import MessageRef

_MOST = 1000
"""Beyond that the earliest are forgotten: they still follow their messages."""


class ChangedSince:
    """Of one lane, as long as it has work."""

    def __init__(self) -> None:
        self._latest: dict[MessageRef, LatestChange] = {}

    def note(self, pending: OpenDelivery) -> None:
        """A delivery enters the line."""
        event = pending.event
        if not isinstance(event, MessageEdited | MessageDeleted) or not is_of_the_whole(event):
            return
        message = MessageRef(event.meta.origin, event.message_id)
        self._latest[message] = combined(self._latest.pop(message, None), event, pending.event_seq)
        if len(self._latest) > _MOST:
            del self._latest[next(iter(self._latest))]

    def applied(self, pending: OpenDelivery) -> OpenDelivery:
        """The delivery of a message, with the newest change that came after it. Edits stay as they are: the change follows."""
        event = pending.event
        if not self._latest or not isinstance(event, MessageCreated):
            return pending
        messages = [MessageRef(event.meta.origin, message_id) for message_id in messages_of(event)]
        found = [self._latest[message] for message in messages if message in self._latest]
        later = newest(event, [one for one in found if one.event_seq > pending.event_seq])
        return pending if later is None else replace(pending, later=later)

    def taken_up_anew(self, delivery: DeliveryState, clock: Clock, *, is_asked: bool = False) -> OpenDelivery | None:
        """For work that had to wait: its delivery as it is to be taken up again, since it, or one that goes together with it, was
        changed meanwhile. None: none was, or something of it is there, or may be. `is_asked`: the platform said that nothing is,
        or nobody can tell."""
        if not self._latest and not is_asked:
            return None
        pending, unknown = delivery.pending, delivery.unknown
        is_interrupted = pending.state is DeliveryStatus.SENDING and not delivery.is_prerecorded
        may_be_there = not is_asked and (unknown.is_open or is_interrupted)
        if may_be_there or unknown.is_of_letter or delivery.parts or delivery.is_beside_line:
            return None
        # what a process left when it stopped was taken up as it was, whatever the journal knew of it
        known = [None if is_interrupted else one.later for one in delivery.together]
        if [self.applied(one).later for one in delivery.together] == known:
            return None
        now, spent_s = clock.now(), delivery.time.spent_s(clock.monotonic_s())
        return replace(
            self.applied(pending),
            state=DeliveryStatus.WAITING,
            attempt=delivery.attempts.number,
            first_attempt_at=now - timedelta(seconds=spent_s) if delivery.time.is_counted else None,
            recorded_at=now,
            not_before=None,
            lead_seq=None,
        )
