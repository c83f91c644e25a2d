"""Carries out one delivery, or several that go out in one message: links resolved, rendered to the target's capabilities, sent part
by part with every attempt recorded before it is made. Decides nothing about failures: they are raised, and `lane` decides.

Created messages are in `operations.create`, those that go out merged and notices here, changes of messages in `operations.change`
and `operations.edit`; one part's way out is in `send`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from bridge.delivery.operations.change import Changes
from bridge.delivery.operations.create import Creating
from bridge.delivery.operations.edit import Editing
from bridge.delivery.send import Sending
from bridge.delivery.state import (
    DeliveryContext,
    DeliveryState,
    ResolvedTarget,
    delivered,
    is_untouched,
    skipped,
    stored_part,
)
from bridge.files.fetch import FileFetcher
from bridge.journal.contract import Change, Delivered, OpenDelivery, Piece
from bridge.model.adapter import Pins
from bridge.model.events import (
    ChatRenamed,
    MembershipChanged,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
    StatusChanged,
    TypingStarted,
)
from bridge.model.outcomes import Skip
from bridge.render.merge import MAX_MERGED, MergedPiece, belong_together, can_merge, encode_piece, have_room, merged_part, piece_of
from bridge.render.message import Part, notice_text, render_notice


class DeliveryExecutor:
    """Stateless but for its collaborators."""

    def __init__(self, sending: Sending, files: FileFetcher) -> None:
        self._sending = sending
        self.posted = sending.posted
        self._changes = Changes(sending, Editing(sending, files))
        self._creating = Creating(sending, files, self._changes)

    async def execute(self, work: DeliveryState, place: ResolvedTarget, steps: DeliveryContext) -> Sequence[Change]:
        """Carry the delivery to its end; returns the changes that make it final, not yet recorded. Raises what the adapter raises.

        A part's receipt is recorded before the next part is begun, except the last one's, which is among the returned changes.
        """
        event = work.pending.event
        match event:
            case MessageCreated() if work.followers:
                return await self._create_merged(work, place, steps)
            case MessageCreated():
                return await self._creating.create(work, event, place, steps)
            case MessageEdited():
                return await self._changes.edit(work, event, place, steps)
            case MessageDeleted():
                return await self._changes.delete(work, event, place, steps)
            case ReactionsChanged():
                return await self._changes.react(work, event, place, steps)
            case PinsChanged() if isinstance(place.adapter, Pins):
                return await self._changes.pin(work, event, place, steps, place.adapter)
            case MembershipChanged() | ChatRenamed() | PinsChanged() | StatusChanged():
                sending = self._sending
                text = notice_text(event, origin=sending.origin_of(event.meta.origin), names=sending.names())
                return await self._notice(work, render_notice(text, target=place.target).parts, place, steps)
            case TypingStarted():
                return [skipped(work, Skip.TYPING_NOT_KEPT, self._sending.clock.now())]
            case _:
                assert_never(event)

    async def _notice(
        self, work: DeliveryState, parts: Sequence[Part], place: ResolvedTarget, steps: DeliveryContext
    ) -> Sequence[Change]:
        """Lines of the bridge's own: send the parts that have no receipt yet."""
        final: list[Change] = []
        for index in range(len(work.parts), len(parts)):
            if final:
                await steps.record(final)
            receipt = await self._sending.send_part(work, place, index, parts[index], steps)
            final = [self._sending.part_sent(work.pending, work.pending.event_seq, place, index, receipt, parts[index])]
            work.parts.append(stored_part(place, index, receipt, parts[index]))
            work.attempt, work.unknown, work.attempted = 0, False, False
        return [*final, delivered(work, self._sending.clock.now())]

    # -- several in one -----------------------------------------------------------------------------------------------------

    def joining(self, work: DeliveryState, place: ResolvedTarget, waiting: Iterable[OpenDelivery]) -> int:
        """How many of the deliveries that wait next can go out in one message with this one."""
        first, now, count = work.pending, self._sending.clock.now(), 0
        if not can_merge(first.event, place.target):
            return 0
        pieces = [self._piece(pending, place) for pending in work.together]
        for pending in waiting:
            here = (pending.route, pending.thread_id) == (first.route, first.thread_id)
            if (
                len(pieces) >= MAX_MERGED
                or not here
                or not is_untouched(pending, now)
                or not can_merge(pending.event, place.target)
            ):
                break
            if not belong_together(first.event, pending.event):
                break
            pieces.append(self._piece(pending, place))
            if not have_room(pieces, place.target):
                break
            count += 1
        return count

    def _piece(self, pending: OpenDelivery, place: ResolvedTarget) -> MergedPiece:
        assert isinstance(pending.event, MessageCreated)
        return piece_of(self._sending.lines(pending.event, place))

    async def _create_merged(self, work: DeliveryState, place: ResolvedTarget, steps: DeliveryContext) -> Sequence[Change]:
        """One message for all; each keeps a receipt and losses of its own."""
        events = [pending.event for pending in work.together]
        lines = [self._sending.lines(event, place) for event in events if isinstance(event, MessageCreated)]
        pieces = [piece_of(one) for one in lines]
        work.pieces = tuple(
            Piece(event_seq=pending.event_seq, content=encode_piece(piece))
            for pending, piece in zip(work.together, pieces, strict=True)
        )
        part = merged_part(pieces)
        receipt = await self._sending.send_part(work, place, 0, part, steps)
        changes: list[Change] = []
        for pending, one in zip(work.together, lines, strict=True):
            losses = tuple(dict.fromkeys((*one.losses, *receipt.losses)))
            changes.append(self._sending.part_sent(pending, pending.event_seq, place, 0, receipt, part))
            changes.append(Delivered(delivery_id=pending.delivery_id, at=self._sending.clock.now(), losses=losses))
        return changes
