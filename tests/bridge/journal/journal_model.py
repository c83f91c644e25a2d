"""The journal as simply as it can be said: dicts in memory, one change after the other. What the state machine compares with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.journal.contract import (
    DeadLetter,
    DeliveryStatus,
    Elsewhere,
    LaneFigures,
    Link,
    Original,
)
from bridge.model.events import MessageCreated
from bridge.model.outcomes import Skip
from bridge.model.refs import ChatAddress, ChatRef, MessageRef
from tests.bridge.journal.journal_model_accepting import Accepting
from tests.bridge.journal.journal_model_delivering import Delivering
from tests.bridge.journal.journal_model_state import DEADS, FINAL, OPEN


class Model(Accepting, Delivering):
    """All of it: beside accepting and delivering, what is asked about messages, and what people do."""

    # links

    def link(self, message: MessageRef, target: ChatAddress, thread_id: str | None = None) -> Link | None:
        link = self.links.get(message)
        if link is None or link.is_gone:
            return None
        event = self.events[link.seq].event
        if not isinstance(event, MessageCreated):
            return None
        copies = self._copies(link.seq, (target, thread_id))
        ends = sorted({end for (seq, end, _) in self.parts if seq == link.seq and end[0] == target}, key=lambda end: end[1] or "")
        return Link(
            event_seq=link.seq,
            original=MessageRef(event.meta.origin, event.message_id),
            is_original=not link.is_copy,
            author_name=event.meta.author.name if event.meta.author else "",
            copies=copies,
            thread_id=thread_id,
            also_ids=event.also_ids,
            original_thread=event.meta.thread_id,
            elsewhere=() if copies else tuple(Elsewhere(thread_id=end[1], copies=self._copies(link.seq, end)) for end in ends),
        )

    def original(self, message: MessageRef) -> Original | None:
        link = self.links.get(message)
        if link is None or link.is_gone or link.is_copy:
            return None
        event = self.events[link.seq].event
        assert isinstance(event, MessageCreated)
        ids = (event.message_id, *event.also_ids)
        found = [self.latest[ref] for one in ids if (ref := MessageRef(event.meta.origin, one)) in self.latest]
        _, edit = max(found, key=lambda change: change[0], default=(0, None))
        return Original(is_deleted=bool(found) and edit is None, edit=edit)

    def ranks(self, chat: ChatRef) -> dict[str, int]:
        return {message.message_id: link.rank for message, link in self.links.items() if message.chat == chat and not link.is_gone}

    def reactions(self, event_seq: int, not_on: Sequence[MessageRef]) -> list[str]:
        latest: dict[str, tuple[int, int]] = {}
        for (seq, message, _person, emoji), when in self.reacted.items():
            if seq == event_seq and message not in not_on:
                latest[emoji] = max(when, latest.get(emoji, when))
        return sorted(latest, key=lambda emoji: latest[emoji], reverse=True)

    # people's side

    def dead_letters(self) -> list[DeadLetter]:
        return [
            DeadLetter(
                delivery_id=number,
                route=delivery.route,
                target=delivery.target,
                state=delivery.state,
                reason=delivery.note,
                attempts=delivery.attempt,
                died_at=delivery.at or self.events[delivery.seq].accepted_at,
                event=self.events[delivery.seq].event,
                parts_sent=len(self._parts_by(number)),
            )
            for number, delivery in sorted(self.deliveries.items())
            if delivery.state in DEADS
        ]

    def retry_dead(self, numbers: Sequence[int]) -> set[ChatAddress]:
        lanes = set()
        for number in numbers:
            delivery = self.deliveries.get(number)
            if delivery is not None and delivery.state in DEADS:
                delivery.state, delivery.attempt, delivery.first_attempt_at, delivery.at = DeliveryStatus.BEHIND, 0, None, None
                if delivery.base is None:
                    self.pieces.pop((delivery.seq, (delivery.target, delivery.thread_id)), None)
                lanes.add(delivery.target)
        return lanes

    def drop_dead(self, numbers: Sequence[int]) -> int:
        dead = {number for number in numbers if number in self.deliveries and self.deliveries[number].state in DEADS}
        for number in dead:
            self.deliveries[number].state, self.deliveries[number].note = DeliveryStatus.SKIPPED, str(Skip.DROPPED_BY_ADMIN)
        return len(dead)

    def lane_figures(self) -> set[LaneFigures]:
        figures = set()
        for lane in self.open_lanes():
            pending = self.pending(lane, OPEN)
            first = next((one for one in pending if one.state is not DeliveryStatus.BEHIND), pending[0])
            figures.add(
                LaneFigures(
                    target=lane,
                    waiting=len(pending),
                    oldest_accepted_at=self.events[first.event_seq].accepted_at,
                    next_attempt_at=first.not_before,
                    attempts=first.attempt,
                    last_error=first.last_error,
                )
            )
        return figures

    def prune(self, before: datetime, limit: int) -> int:
        old = [
            seq
            for seq, event in sorted(self.events.items(), key=lambda item: (item[1].accepted_at, item[0]))
            if event.accepted_at < before and all(self.deliveries[number].state in FINAL for number in event.deliveries)
        ][:limit]
        for seq in old:
            for number in self.events.pop(seq).deliveries:
                del self.deliveries[number]
        gone = set(old)
        self.links = {message: link for message, link in self.links.items() if link.seq not in gone}
        self.parts = {key: part for key, part in self.parts.items() if key[0] not in gone}
        self.pieces = {key: piece for key, piece in self.pieces.items() if key[0] not in gone}
        self.reacted = {
            key: when for key, when in self.reacted.items() if key[0] not in gone and (key[0] or when[0] in self.events)
        }
        self.latest = {message: change for message, change in self.latest.items() if change[0] not in gone}
        return len(old)
