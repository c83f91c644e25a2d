"""The journal as simply as it can be said: dicts in memory, one change after the other. What the state machine compares with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from bridge.journal.contract import (
    AcceptRequest,
    AcceptResult,
    AttemptStarted,
    Carried,
    Change,
    Dead,
    DeadLetter,
    Deferred,
    Delivered,
    DeliveryStatus,
    Elsewhere,
    Following,
    LaneFigures,
    Link,
    Merged,
    OpenDelivery,
    PartGone,
    PartReceipt,
    Piece,
    PiecesSet,
    PlannedDelivery,
    PlanSet,
    Skipped,
    StoredPart,
    Verdict,
)
from bridge.model.adapter import Copy, Cursor
from bridge.model.events import ChatEvent, MessageCreated, MessageDeleted, MessageEdited, ReactionsChanged, as_edited
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef

End = tuple[ChatAddress, str | None]
OPEN = (DeliveryStatus.WAITING, DeliveryStatus.SENDING, DeliveryStatus.BEHIND)
DEADS = (DeliveryStatus.DEAD, DeliveryStatus.HELD)
FINAL = (DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED)


@dataclass
class _Delivery:
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
class _Part:
    copy: Copy
    chat: ChatRef
    senders: set[int]
    carried: Carried


@dataclass
class _Event:
    event: ChatEvent
    accepted_at: datetime
    deliveries: list[int]


@dataclass
class _Link:
    seq: int
    rank: int
    is_copy: bool
    is_gone: bool = False


@dataclass
class Model:
    events: dict[int, _Event] = field(default_factory=dict)
    deliveries: dict[int, _Delivery] = field(default_factory=dict)
    parts: dict[tuple[int, End, int], _Part] = field(default_factory=dict)
    links: dict[MessageRef, _Link] = field(default_factory=dict)
    pieces: dict[tuple[int, End], tuple[int, bytes]] = field(default_factory=dict)
    reacted: dict[tuple[int, MessageRef, str, str], tuple[int, int]] = field(default_factory=dict)
    cursors: dict[tuple[AccountName, str], str] = field(default_factory=dict)
    latest: dict[MessageRef, tuple[int, MessageEdited | None]] = field(default_factory=dict)
    last_seq: int = 0
    last_delivery: int = 0
    last_in_lane: dict[ChatAddress, int] = field(default_factory=dict)

    # accepting

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
        self.events[seq] = _Event(event, received_at, [])
        if isinstance(event, MessageDeleted):
            self.latest[MessageRef(chat, event.message_id)] = (seq, None)
        elif isinstance(event, MessageEdited) and not event.album_item:
            self._edited(MessageRef(chat, event.message_id), event, seq)
        if isinstance(event, MessageCreated):
            for message in ids:
                self.links[MessageRef(chat, message)] = _Link(seq, seq, is_copy=False)
        elif isinstance(event, ReactionsChanged):
            self._react(event, seq)
        for planned in entry.deliveries:
            self.last_delivery += 1
            delivery = _Delivery(seq, planned.route, planned.target, planned.thread_id)
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
        self.events[self.last_seq] = _Event(change, received_at, [])
        for one in planned:
            self.last_delivery += 1
            lane_seq = self.last_in_lane[one.target] = self.last_in_lane.get(one.target, 0) + 1
            self.deliveries[self.last_delivery] = _Delivery(self.last_seq, one.route, one.target, one.thread_id, lane_seq)
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

    def _later(self, event: ChatEvent, seq: int) -> ChatEvent | None:
        if not isinstance(event, MessageCreated | MessageEdited):
            return None
        ids = (event.message_id, *(event.also_ids if isinstance(event, MessageCreated) else ()))
        found = [self.latest[ref] for one in ids if (ref := MessageRef(event.meta.origin, one)) in self.latest]
        newest = max((change for change in found if change[0] > seq), key=lambda change: change[0], default=None)
        if newest is None:
            return None
        return newest[1] or MessageDeleted(meta=event.meta, message_id=event.message_id)

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

    # delivering

    def record(self, changes: Sequence[Change]) -> None:
        """Raises ValueError half-way: the caller goes back to a copy made before."""
        for change in changes:
            self._change(change)

    def _change(self, change: Change) -> None:
        match change:
            case PartGone():
                key = (change.event_seq, (change.target, change.thread_id), change.part)
                self._forget_part(key)
                self.parts.pop(key, None)
                return
            case PartReceipt():
                self._part_sent(change)
                return
            case PiecesSet():
                self._set_pieces(change)
                return
            case PlanSet():
                if change.delivery_id in self.deliveries and self.deliveries[change.delivery_id].state not in FINAL:
                    self.deliveries[change.delivery_id].plan = change.content
                return
        delivery = self.deliveries.get(change.delivery_id)
        if delivery is None or (isinstance(change, AttemptStarted | Deferred) and delivery.state not in OPEN):
            raise ValueError
        match change:
            case AttemptStarted():
                delivery.state, delivery.attempt, delivery.not_before = DeliveryStatus.SENDING, change.attempt, None
                delivery.first_attempt_at = change.first_attempt_at or delivery.first_attempt_at or change.at
                delivery.at = change.at
            case Deferred():
                delivery.state, delivery.attempt = (
                    DeliveryStatus.BEHIND if change.behind else DeliveryStatus.WAITING,
                    change.attempt,
                )
                delivery.not_before, delivery.note, delivery.at = change.not_before, change.error, change.at
                delivery.first_attempt_at = change.first_attempt_at or delivery.first_attempt_at
            case _ if delivery.state in FINAL:
                pass
            case Delivered():
                delivery.state = DeliveryStatus.DELIVERED
            case Skipped():
                delivery.state, delivery.note = DeliveryStatus.SKIPPED, str(change.rule)
            case Dead():
                delivery.state, delivery.note, delivery.at = (
                    DeliveryStatus.HELD if change.held else DeliveryStatus.DEAD,
                    change.reason,
                    change.at,
                )
                delivery.not_before = None

    def _part_sent(self, change: PartReceipt) -> None:
        delivery = self.deliveries.get(change.delivery_id)
        if delivery is not None and delivery.state not in FINAL:
            delivery.attempt, delivery.base = 0, change.event_seq
            if delivery.state is DeliveryStatus.SENDING:
                delivery.state = DeliveryStatus.WAITING
        if change.event_seq not in self.events:
            return
        key = (change.event_seq, (change.target, change.thread_id), change.part)
        self._forget_part(key)
        own = delivery is not None and delivery.seq == change.event_seq
        before = self.parts[key].senders if key in self.parts else set()
        kept = {sender for sender in before if (self._is_own(sender, change.event_seq)) != own}
        receipt = change.receipt
        copy = Copy(
            chat_id=change.chat.chat_id,
            message_ids=receipt.message_ids,
            thread_id=receipt.thread_id,
            adapter_data=receipt.adapter_data,
        )
        self.parts[key] = _Part(copy, change.chat, kept | {change.delivery_id}, change.carried)
        for message in receipt.message_ids:
            self.links[MessageRef(change.chat, message)] = _Link(change.event_seq, self.last_seq, is_copy=True)

    def _is_own(self, delivery: int, seq: int) -> bool:
        return delivery in self.deliveries and self.deliveries[delivery].seq == seq

    def _forget_part(self, key: tuple[int, End, int]) -> None:
        part = self.parts.get(key)
        for message in part.copy.message_ids if part is not None else ():
            assert part is not None
            link = self.links.get(MessageRef(part.chat, message))
            if link is not None and link.seq == key[0] and link.is_copy:
                link.is_gone = True

    def _set_pieces(self, change: PiecesSet) -> None:
        end = (change.target, change.thread_id)
        here = (end, change.lead_seq)
        self.pieces = {key: piece for key, piece in self.pieces.items() if (key[1], piece[0]) != here}
        for piece in change.pieces:
            if piece.event_seq in self.events:
                self.pieces[piece.event_seq, end] = (change.lead_seq, piece.content)

    def merged(self, seq: int, target: ChatAddress, thread_id: str | None = None) -> Merged | None:
        end = (target, thread_id)
        lead, _ = self.pieces.get((seq, end), (None, b""))
        if lead is None:
            return None
        pieces = [
            Piece(event_seq=key[0], content=content)
            for key, (group, content) in sorted(self.pieces.items(), key=lambda item: item[0][0])
            if (key[1], group) == (end, lead)
        ]
        return Merged(lead_seq=lead, pieces=tuple(pieces))

    def open_lanes(self) -> set[ChatAddress]:
        return {delivery.target for delivery in self.deliveries.values() if delivery.state in OPEN}

    def behind(self, lane: ChatAddress) -> list[OpenDelivery]:
        def due(one: OpenDelivery) -> tuple[float, int]:
            return (one.not_before.timestamp() if one.not_before else 0.0, one.delivery_id)

        return sorted(self.pending(lane, (DeliveryStatus.BEHIND,)), key=due)

    def pending(
        self, lane: ChatAddress, states: Sequence[DeliveryStatus] = (DeliveryStatus.WAITING, DeliveryStatus.SENDING)
    ) -> list[OpenDelivery]:
        return [
            OpenDelivery(
                delivery_id=number,
                lane_seq=delivery.lane_seq,
                event_seq=delivery.seq,
                route=delivery.route,
                target=lane,
                thread_id=delivery.thread_id,
                event=self.events[delivery.seq].event,
                state=delivery.state,
                attempt=delivery.attempt,
                first_attempt_at=delivery.first_attempt_at,
                not_before=delivery.not_before,
                last_error=delivery.note,
                parts=self._parts_by(number),
                recorded_at=delivery.at,
                plan=delivery.plan,
                later=self._later(self.events[delivery.seq].event, delivery.seq),
                lead_seq=self._lead(delivery) if delivery.state is DeliveryStatus.SENDING else None,
            )
            for number, delivery in sorted(self.deliveries.items())
            if delivery.target == lane and delivery.state in states
        ]

    def _lead(self, delivery: _Delivery) -> int | None:
        lead, _ = self.pieces.get((delivery.seq, (delivery.target, delivery.thread_id)), (None, b""))
        return lead

    def _parts_by(self, number: int) -> tuple[StoredPart, ...]:
        delivery = self.deliveries[number]
        return tuple(
            StoredPart(part=part, copy=sent.copy, carried=sent.carried)
            for (seq, end, part), sent in sorted(self.parts.items(), key=lambda item: item[0][2])
            if seq == delivery.base and end == (delivery.target, delivery.thread_id) and number in sent.senders
        )

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
            elsewhere=() if copies else tuple(Elsewhere(thread_id=end[1], copies=self._copies(link.seq, end)) for end in ends),
        )

    def _copies(self, seq: int, end: End) -> tuple[StoredPart, ...]:
        here = {part: sent for (event, there, part), sent in self.parts.items() if (event, there) == (seq, end)}
        return tuple(StoredPart(part=part, copy=sent.copy, carried=sent.carried) for part, sent in sorted(here.items()))

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
                died_at=delivery.at or received(self.events[delivery.seq]),
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


def received(event: _Event) -> datetime:
    return event.accepted_at
