"""What happens to messages that are there: edits (carried out in `operations.edit`), deletes, reactions, pins, onto the copies that
links lead to. A copy may be a merged message: a delete then takes its piece out."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bridge.delivery import throttled_calls
from bridge.delivery.operations.edit import Editing, part_gone, pieces_of, pieces_set
from bridge.delivery.send import Sending
from bridge.delivery.state import DeliveryContext, DeliveryState, ResolvedTarget, copy_here, delivered, skipped
from bridge.journal.contract import Change, Link, Merged, StoredPart
from bridge.model.adapter import Deletes, Edits, OutboundReaction, Pins, Reacts, Receipt
from bridge.model.errors import ChangeRefused, MessageGone, Rejected
from bridge.model.events import MessageDeleted, MessageEdited, PinsChanged, ReactionsChanged
from bridge.model.outcomes import NamedSkip, Skip
from bridge.model.refs import AccountName, ChatRef, MessageRef
from bridge.render.merge import merged_part


class Changes:
    """Stateless; each method carries out one delivery, as `DeliveryExecutor.execute` says."""

    def __init__(self, sending: Sending, editing: Editing) -> None:
        self._sending = sending
        self._editing = editing
        self._journal = sending.journal

    async def edit(
        self, work: DeliveryState, event: MessageEdited, place: ResolvedTarget, steps: DeliveryContext
    ) -> Sequence[Change]:
        link = await self._link(work, event.message_id)
        if link is None or not link.copies:
            return [self._skip(work, Skip.EDIT_WITHOUT_COPY)]
        try:
            return await self._editing.edit(work, event, link, place, steps)
        except MessageGone:
            return [self._skip(work, Skip.COPY_GONE)]
        except ChangeRefused as error:
            return [self._refused(work, Skip.EDIT_REFUSED, error)]

    # -- deletes ------------------------------------------------------------------------------------------------------------

    async def delete(
        self, work: DeliveryState, event: MessageDeleted, place: ResolvedTarget, steps: DeliveryContext
    ) -> Sequence[Change]:
        link = await self._link(work, event.message_id)
        if link is None or not link.copies:
            return [self._skip(work, Skip.DELETE_WITHOUT_COPY)]
        if not link.is_original:
            return [self._skip(work, Skip.COPY_DELETED)]
        if not isinstance(place.adapter, Deletes):
            return [self._skip(work, Skip.CANNOT_DELETE)]
        work.elsewhere = link.copies[0].copy.chat_id != place.chat.chat_id
        merged = await self._journal.merged(link.event_seq, work.pending.target, link.thread_id)
        if merged is not None and len(merged.pieces) > 1 and not isinstance(place.adapter, Edits):
            return [self._skip(work, Skip.MERGED_AND_CANNOT_EDIT)]
        await self._sending.begin(work, 0, steps)
        refused: Rejected | None = None
        gone: list[Change] = []
        for sent in link.copies:
            try:
                if sent.part == 0 and merged is not None:
                    gone += await self._take_out(work, place, steps, sent, merged, link)
                else:
                    await throttled_calls.delete(place.adapter, sent.copy, place, steps)
                    gone.append(part_gone(work, link, sent.part))
            except MessageGone:
                gone.append(part_gone(work, link, sent.part))
            except Rejected as error:
                if refused is None or isinstance(refused, ChangeRefused):
                    refused = error  # what a human can mend is worth more than what nobody can
        if isinstance(refused, ChangeRefused):
            return [*gone, self._refused(work, Skip.DELETE_REFUSED, refused)]
        if refused is not None:
            await steps.record(gone)
            raise refused
        return [*gone, delivered(work, self._sending.clock.now())]

    async def _take_out(
        self,
        work: DeliveryState,
        place: ResolvedTarget,
        steps: DeliveryContext,
        sent: StoredPart,
        merged: Merged,
        link: Link,
    ) -> list[Change]:
        """One piece leaves a merged message; the last one takes the message with it."""
        gone: Change = part_gone(work, link, 0)
        left = Merged(lead_seq=merged.lead_seq, pieces=tuple(piece for piece in merged.pieces if piece.event_seq != link.event_seq))
        if not left.pieces:
            assert isinstance(place.adapter, Deletes)
            await throttled_calls.delete(place.adapter, sent.copy, place, steps)
            return [gone, pieces_set(work, link, left, ())]
        assert isinstance(place.adapter, Edits)
        pieces = pieces_of(left)
        part = merged_part(pieces)
        copy = sent.copy
        edited = await self._editing.edit_copy(work, place, steps, place.adapter, 0, copy, part, sent.carried)
        if edited is None:
            # the message led to the piece that goes, and shall lead to one that stays
            receipt = Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=copy.adapter_data)
            edited = receipt, sent.carried
            sharing = left.pieces[-1:]
        else:
            sharing = left.pieces
        kept = [self._editing.part_is(work, link, piece.event_seq, place, 0, *edited) for piece in sharing]
        return [gone, *kept, pieces_set(work, link, left, pieces)]

    # -- reactions and pins -------------------------------------------------------------------------------------------------

    async def react(
        self, work: DeliveryState, event: ReactionsChanged, place: ResolvedTarget, steps: DeliveryContext
    ) -> Sequence[Change]:
        link = await self._link(work, event.message_id)
        copy = copy_here(link, place)
        if link is None or copy is None:
            return [self._skip(work, Skip.REACTION_WITHOUT_COPY)]
        if not isinstance(place.adapter, Reacts):
            return [self._skip(work, Skip.CANNOT_REACT)]
        work.elsewhere = copy.chat_id != place.chat.chat_id
        merged = await self._journal.merged(link.event_seq, work.pending.target, link.thread_id) if link.copies else None
        wanted: dict[str, None] = {}
        here = _messages_here(link, work.pending.target.account)
        for seq in (link.event_seq, *(piece.event_seq for piece in (merged.pieces if merged else ()))):
            wanted.update(dict.fromkeys(await self._journal.reactions(seq, not_on=here)))
        await self._sending.begin(work, 0, steps)
        outbound = OutboundReaction(
            copy=copy,
            wanted=tuple(wanted),
            added=tuple(emoji for emoji in event.added if emoji in wanted),
            removed=tuple(emoji for emoji in event.removed if emoji not in wanted),
        )
        try:
            await throttled_calls.react(place.adapter, outbound, place, steps)
        except Rejected as error:
            return [self._refused(work, Skip.REACTION_REFUSED, error)]
        return [delivered(work, self._sending.clock.now())]

    async def pin(
        self, work: DeliveryState, event: PinsChanged, place: ResolvedTarget, steps: DeliveryContext, adapter: Pins
    ) -> Sequence[Change]:
        copy = copy_here(await self._link(work, event.message_id), place)
        if copy is None:
            return [self._skip(work, Skip.PIN_WITHOUT_COPY)]
        work.elsewhere = copy.chat_id != place.chat.chat_id
        await self._sending.begin(work, 0, steps)
        try:
            await throttled_calls.pin(adapter, copy, event.pinned, place, steps)
        except Rejected as error:
            return [self._refused(work, Skip.PIN_REFUSED, error)]
        return [delivered(work, self._sending.clock.now())]

    async def _link(self, work: DeliveryState, message_id: str) -> Link | None:
        """With copies in another thread of the target if this one has none, and no route leads there any more: nobody else sees to
        them."""
        target, thread_id = work.pending.target, work.pending.thread_id
        link = await self._journal.link(MessageRef(work.pending.event.meta.origin, message_id), target, thread_id)
        if link is None:
            return None
        for other in link.elsewhere:
            if not self._sending.has_end(target, other.thread_id):
                return msgspec.structs.replace(link, copies=other.copies, thread_id=other.thread_id)
        return link

    def _skip(self, work: DeliveryState, rule: Skip) -> Change:
        return skipped(work, rule, self._sending.clock.now())

    def _refused(self, work: DeliveryState, rule: Skip, error: Rejected) -> Change:
        """No dead letter: the message itself is there, and a retry by hand would be of no use or not worth it."""
        return skipped(work, NamedSkip(rule, f"{rule}: {error.reason}"), self._sending.clock.now())


def _messages_here(link: Link, account: AccountName) -> list[MessageRef]:
    """The native messages that are the copy, or the original itself where there is none."""
    ids = [(sent.copy.chat_id, message_id) for sent in link.copies for message_id in sent.copy.message_ids]
    if not link.copies:
        ids = [(link.original.chat.chat_id, message_id) for message_id in (link.original.message_id, *link.also_ids)]
    return [MessageRef(ChatRef(account, chat_id), message_id) for chat_id, message_id in ids]
