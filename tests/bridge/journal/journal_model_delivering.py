"""The model of the journal: what becomes of deliveries."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.journal.contract import (
    AttemptStarted,
    Change,
    Dead,
    Deferred,
    Delivered,
    DeliveryStatus,
    Merged,
    OpenDelivery,
    PartGone,
    PartReceipt,
    Piece,
    PiecesSet,
    PlanSet,
    Skipped,
)
from bridge.model.adapter import Copy
from bridge.model.refs import ChatAddress, MessageRef
from tests.bridge.journal.journal_model_state import FINAL, OPEN, End, KnownDelivery, KnownLink, KnownPart, State


class Delivering(State):
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
        self.parts[key] = KnownPart(copy, change.chat, kept | {change.delivery_id}, change.carried)
        for message in receipt.message_ids:
            self.links[MessageRef(change.chat, message)] = KnownLink(change.event_seq, self.last_seq, is_copy=True)

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

    def _lead(self, delivery: KnownDelivery) -> int | None:
        lead, _ = self.pieces.get((delivery.seq, (delivery.target, delivery.thread_id)), (None, b""))
        return lead
