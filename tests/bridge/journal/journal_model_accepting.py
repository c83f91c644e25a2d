"""The model of the journal, what it accepts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from bridge.journal.contract import (
    AcceptRequest,
    AcceptResult,
    DeliveryStatus,
    Following,
    PlannedDelivery,
    Verdict,
)
from bridge.model.adapter import Cursor
from bridge.model.events import ChatEvent, MessageCreated, MessageDeleted, MessageEdited, ReactionsChanged, as_edited
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, MessageRef
from tests.bridge.journal.journal_model_state import OPEN, End, KnownDelivery, KnownEvent, KnownLink, State


class Accepting(State):
    def accept(
        self, account: AccountName, entries: Sequence[AcceptRequest], cursors: Sequence[Cursor], received_at: datetime
    ) -> list[AcceptResult]:
        for cursor in cursors:
            self.cursors[account, cursor.name] = cursor.value
        return [self._accept(entry, received_at) for entry in entries]

    def _accept(self, entry: AcceptRequest, received_at: datetime) -> AcceptResult:
        event, chat = entry.event, entry.event.meta.origin
        if self.is_known(event.meta.event_key):
            return AcceptResult(verdict=Verdict.DUPLICATE)
        if isinstance(event, MessageCreated | MessageEdited | MessageDeleted):
            ids = (event.message_id, *(event.also_ids if isinstance(event, MessageCreated) else ()))
            found = [self.links.get(MessageRef(chat, message)) for message in ids]
            if any(link is not None and link.is_copy for link in found):
                return AcceptResult(verdict=Verdict.ECHO)
        self.last_seq += 1
        seq = self.last_seq
        later, became = self._changed_before(event), None
        early: list[MessageRef] = []
        if isinstance(event, MessageCreated):
            refs = [MessageRef(chat, message) for message in dict.fromkeys((event.message_id, *event.also_ids))]
            early = [ref for ref in refs if ref not in self.links]
        if isinstance(event, MessageCreated) and isinstance(later, MessageEdited):
            event = became = as_edited(event, later)
        self.events[seq] = KnownEvent(event, received_at, [])
        if isinstance(event, MessageDeleted):
            self.latest[MessageRef(chat, event.message_id)] = (seq, None)
        elif isinstance(event, MessageEdited) and not event.album_item:
            self._edited(MessageRef(chat, event.message_id), event, seq)
        if isinstance(event, MessageCreated):
            for message in ids:
                self.links[MessageRef(chat, message)] = KnownLink(seq, seq, is_copy=False)
        elif isinstance(event, ReactionsChanged):
            self._react(event, seq)
        for planned in entry.deliveries:
            self.last_delivery += 1
            delivery = KnownDelivery(seq, planned.route, planned.target, planned.thread_id)
            if planned.skip_rule:
                delivery.state, delivery.note = DeliveryStatus.SKIPPED, str(planned.skip_rule)
            elif isinstance(later, MessageDeleted):
                delivery.state, delivery.note = DeliveryStatus.SKIPPED, str(Skip.DELETED_BEFORE)
            else:
                delivery.lane_seq = self.last_in_lane[planned.target] = self.last_in_lane.get(planned.target, 0) + 1
            self.deliveries[self.last_delivery] = delivery
            self.events[seq].deliveries.append(self.last_delivery)
        numbers = tuple(self.events[seq].deliveries)
        following = []
        for ref in early:
            there = self._early_ends(ref, seq)
            mine = sorted((when, key) for key, when in self.reacted.items() if key[:2] == (0, ref))
            for when, (_, _, person, emoji) in mine:
                del self.reacted[0, ref, person, emoji]
                self.reacted[seq, ref, person, emoji] = when
            both = tuple(one for one in entry.deliveries if not one.skip_rule and (one.target, one.thread_id) in there)
            if mine and both and not isinstance(later, MessageDeleted):
                assert isinstance(event, MessageCreated)
                following.append(self._follow(event, ref, tuple(dict.fromkeys(key[3] for _, key in mine)), both, received_at))
        return AcceptResult(
            verdict=Verdict.ACCEPTED,
            event_seq=seq,
            delivery_ids=numbers,
            lane_seqs=tuple(self.deliveries[number].lane_seq for number in numbers),
            event=became,
            later=later,
            following=tuple(following),
        )

    def _early_ends(self, message: MessageRef, before: int) -> set[End]:
        """Where reactions that came before were to go, and did not come to something."""
        rule = str(Skip.REACTION_WITHOUT_COPY)
        return {
            (delivery.target, delivery.thread_id)
            for seq, known in self.events.items()
            if seq < before and isinstance(known.event, ReactionsChanged)
            if MessageRef(known.event.meta.origin, known.event.message_id) == message
            for delivery in map(self.deliveries.__getitem__, known.deliveries)
            if delivery.state in OPEN or (delivery.state is DeliveryStatus.SKIPPED and delivery.note == rule)
        }

    def _follow(
        self,
        event: MessageCreated,
        ref: MessageRef,
        emoji: tuple[str, ...],
        planned: tuple[PlannedDelivery, ...],
        received_at: datetime,
    ) -> Following:
        self.last_seq += 1
        key = f"before:reactions:{ref.message_id}:{event.meta.event_key}"
        meta = msgspec.structs.replace(event.meta, event_key=key, author=None)
        change = ReactionsChanged(meta=meta, message_id=ref.message_id, added=emoji)
        self.events[self.last_seq] = KnownEvent(change, received_at, [])
        for one in planned:
            self.last_delivery += 1
            lane_seq = self.last_in_lane[one.target] = self.last_in_lane.get(one.target, 0) + 1
            self.deliveries[self.last_delivery] = KnownDelivery(self.last_seq, one.route, one.target, one.thread_id, lane_seq)
            self.events[self.last_seq].deliveries.append(self.last_delivery)
        numbers = tuple(self.events[self.last_seq].deliveries)
        return Following(
            event=change,
            event_seq=self.last_seq,
            deliveries=planned,
            delivery_ids=numbers,
            lane_seqs=tuple(self.deliveries[number].lane_seq for number in numbers),
        )

    def _edited(self, message: MessageRef, event: MessageEdited, seq: int) -> None:
        """A deletion stays; files that an edit does not tell are those that an earlier one told."""
        before = self.latest.get(message)
        if before is not None and before[1] is None:
            return
        if before is not None and before[1] is not None and before[1].attachments_known and not event.attachments_known:
            content = msgspec.structs.replace(event.content, attachments=before[1].content.attachments)
            event = msgspec.structs.replace(event, content=content, attachments_known=True)
        self.latest[message] = (seq, event)

    def _changed_before(self, event: ChatEvent) -> ChatEvent | None:
        return self._later(event, 0) if isinstance(event, MessageCreated) else None

    def _react(self, event: ReactionsChanged, seq: int) -> None:
        message = MessageRef(event.meta.origin, event.message_id)
        link = self.links.get(message)
        if event.meta.sent_by_us:
            return
        belongs_to = link.seq if link is not None else 0
        person = event.meta.author.user_id if event.meta.author else ""
        for emoji in event.removed:
            self.reacted.pop((belongs_to, message, person, emoji), None)
        for position, emoji in enumerate(event.added):
            self.reacted[belongs_to, message, person, emoji] = (seq, position)

    def is_known(self, key: str) -> bool:
        return any(known.event.meta.event_key == key for known in self.events.values())
