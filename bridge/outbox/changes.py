"""What happens to messages that are there: edits, deletes, reactions, pins, onto the copies that links lead to.

A copy may be a merged message: an edit of one original then changes its piece, a delete takes its piece out."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bridge.contract import Copy, Deletes, Edits, OutboundDelete, OutboundEdit, OutboundReaction, Pins, Reacts, Receipt
from bridge.errors import Rejected
from bridge.events import MessageDeleted, MessageEdited, PinsChanged, ReactionsChanged
from bridge.journal.contract import Change, Link, Merged, PartGone, PartSent, Piece, PiecesSet
from bridge.merge import MergedPiece, decode_piece, encode_piece, merged_part, with_edit
from bridge.outbox.sending import Sending
from bridge.outbox.work import Carried, Place, Steps, Work, carried_by, copy_here, delivered, skipped, unwrap
from bridge.refs import AccountName, ChatRef, MessageRef
from bridge.render import Part, Settled


class Changes:
    """Stateless; each method carries out one delivery, as `Courier.carry` says."""

    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._journal = sending.journal

    # -- edits --------------------------------------------------------------------------------------------------------------

    async def edit(self, work: Work, event: MessageEdited, place: Place, steps: Steps) -> Sequence[Change]:
        link = await self._link(work, event.message_id)
        if link is None or not link.copies:
            return [self._skip(work, "the edited message has no copy here")]
        if not isinstance(place.adapter, Edits):
            return [self._skip(work, "this platform cannot edit")]
        copies = [(sent.part, *unwrap(sent.copy)) for sent in link.copies]
        work.elsewhere = copies[0][1].chat_id != place.chat.chat_id
        # an edit leaves files as they are: `render` keeps the lines of those that the target never got, the others are there
        settled = [Settled(attachment=attachment) for attachment in event.content.attachments]
        merged = await self._journal.merged(link.event_seq, work.pending.target, link.thread_id)
        changes: list[Change] = []
        if merged is not None and copies[0][0] == 0:
            parts, pieces = self._edited_piece(work, event, place, settled, merged, link)
            changes.append(pieces)
            parts += [Part(surplus=True)] * (len(copies) - len(parts))
        else:
            merged = None
            reply = await self._sending.reply(event.content.reply_to, event.meta.origin, work, place)
            rendered = self._sending.render(event, place, settled, reply, existing=[carried.files for _, _, carried in copies])
            work.losses = list(rendered.losses)
            parts = list(rendered.parts)
        await self._sending.begin(work, 0, steps)
        for (number, copy, carried), part in zip(copies, parts, strict=False):
            if part.surplus:
                if isinstance(place.adapter, Deletes):
                    await place.adapter.delete(OutboundDelete(copy=copy))
                    changes.append(_part_gone(work, link, number))
                continue
            if part.unchanged or not (part.text or carried.text):
                continue
            receipt = await self._edit_copy(work, place, place.adapter, number, copy, part, carried)
            if receipt is not None:
                sharing = [piece.event_seq for piece in merged.pieces] if merged and number == 0 else [link.event_seq]
                changes += [self._part_is(work, link, seq, place, number, receipt) for seq in sharing]
        await self._send_rest(work, link, place, parts[len(copies) :], copies[-1][0] + 1, steps)
        return [*changes, delivered(work, self._sending.clock.now())]

    async def _edit_copy(
        self, work: Work, place: Place, adapter: Edits, number: int, copy: Copy, part: Part, carried: Carried
    ) -> Receipt | None:
        """The receipt to be kept, if it says something new."""
        receipt = await adapter.edit(
            OutboundEdit(
                token=self._sending.token(work, number),
                copy=copy,
                text=part.text,
                has_files=carried.files,
                sender=part.sender,
                reply=part.reply,
                mass_mentions=part.mass_mentions,
                previews=part.previews,
            )
        )
        now_carried = Carried(text=bool(part.text), files=carried.files)
        if (not receipt.message_ids or receipt.message_ids == copy.message_ids) and now_carried == carried:
            return None
        kept = receipt.message_ids or copy.message_ids
        return msgspec.structs.replace(
            receipt, message_ids=kept, via=now_carried.wrap(receipt.via or copy.via), thread_id=copy.thread_id
        )

    async def _send_rest(self, work: Work, link: Link, place: Place, parts: Sequence[Part], first: int, steps: Steps) -> None:
        """The edit made the text longer than its parts hold: the rest follows as further messages."""
        for number, part in enumerate(parts, start=first):
            receipt = await self._sending.send_part(work, place, number, part, steps)
            kept = msgspec.structs.replace(receipt, via=carried_by(part).wrap(receipt.via))
            await steps.record([self._part_is(work, link, link.event_seq, place, number, kept)])

    def _edited_piece(
        self, work: Work, event: MessageEdited, place: Place, settled: Sequence[Settled], merged: Merged, link: Link
    ) -> tuple[list[Part], PiecesSet]:
        lines = self._sending.lines(event, place, settled)
        work.losses = list(lines.losses)
        pieces, index = _pieces(merged), [piece.event_seq for piece in merged.pieces].index(link.event_seq)
        pieces[index], parts = with_edit(pieces, index, lines, place.target)
        return parts, _pieces_set(work, link, merged, pieces)

    # -- deletes ------------------------------------------------------------------------------------------------------------

    async def delete(self, work: Work, event: MessageDeleted, place: Place, steps: Steps) -> Sequence[Change]:
        link = await self._link(work, event.message_id)
        if link is None or not link.copies:
            return [self._skip(work, "the deleted message has no copy here")]
        if not link.is_original:
            return [self._skip(work, "only a copy was deleted")]
        if not isinstance(place.adapter, Deletes):
            return [self._skip(work, "this platform cannot delete")]
        work.elsewhere = link.copies[0].copy.chat_id != place.chat.chat_id
        merged = await self._journal.merged(link.event_seq, work.pending.target, link.thread_id)
        if merged is not None and len(merged.pieces) > 1 and not isinstance(place.adapter, Edits):
            return [self._skip(work, "its copy holds other messages too, and this platform cannot edit")]
        await self._sending.begin(work, 0, steps)
        refused: Rejected | None = None
        gone: list[Change] = []
        for sent in link.copies:
            try:
                if sent.part == 0 and merged is not None:
                    gone += await self._take_out(work, place, place.adapter, unwrap(sent.copy), merged, link)
                else:
                    await place.adapter.delete(OutboundDelete(copy=unwrap(sent.copy)[0]))
                    gone.append(_part_gone(work, link, sent.part))
            except Rejected as error:
                refused = error
        if refused is not None:
            await steps.record(gone)
            raise refused
        return [*gone, delivered(work, self._sending.clock.now())]

    async def _take_out(
        self, work: Work, place: Place, adapter: Deletes, copy: tuple[Copy, Carried], merged: Merged, link: Link
    ) -> list[Change]:
        """One piece leaves a merged message; the last one takes the message with it."""
        gone: Change = _part_gone(work, link, 0)
        left = Merged(lead_seq=merged.lead_seq, pieces=tuple(piece for piece in merged.pieces if piece.event_seq != link.event_seq))
        if not left.pieces:
            await adapter.delete(OutboundDelete(copy=copy[0]))
            return [gone, _pieces_set(work, link, left, ())]
        assert isinstance(place.adapter, Edits)
        pieces = _pieces(left)
        part = merged_part(pieces)
        receipt = await self._edit_copy(work, place, place.adapter, 0, copy[0], part, copy[1])
        if receipt is None:
            receipt = Receipt(
                message_ids=copy[0].message_ids, thread_id=copy[0].thread_id, via=copy[1].wrap(copy[0].via)
            )  # the message led to the piece that goes, and shall lead to one that stays
            sharing = left.pieces[-1:]
        else:
            sharing = left.pieces
        kept = [self._part_is(work, link, piece.event_seq, place, 0, receipt) for piece in sharing]
        return [gone, *kept, _pieces_set(work, link, left, pieces)]

    # -- reactions and pins -------------------------------------------------------------------------------------------------

    async def react(self, work: Work, event: ReactionsChanged, place: Place, steps: Steps) -> Sequence[Change]:
        link = await self._link(work, event.message_id)
        copy = copy_here(link, place)
        if link is None or copy is None:
            return [self._skip(work, "the message reacted to has no copy here")]
        if not isinstance(place.adapter, Reacts):
            return [self._skip(work, "this platform cannot react")]
        work.elsewhere = copy.chat_id != place.chat.chat_id
        merged = await self._journal.merged(link.event_seq, work.pending.target, link.thread_id) if link.copies else None
        wanted: dict[str, None] = {}
        here = _messages_here(link, work.pending.target.account)
        for seq in (link.event_seq, *(piece.event_seq for piece in (merged.pieces if merged else ()))):
            wanted.update(dict.fromkeys(await self._journal.reactions(seq, not_on=here)))
        await self._sending.begin(work, 0, steps)
        await place.adapter.react(
            OutboundReaction(
                copy=copy,
                wanted=tuple(wanted),
                added=tuple(emoji for emoji in event.added if emoji in wanted),
                removed=tuple(emoji for emoji in event.removed if emoji not in wanted),
            )
        )
        return [delivered(work, self._sending.clock.now())]

    async def pin(self, work: Work, event: PinsChanged, place: Place, steps: Steps, adapter: Pins) -> Sequence[Change]:
        copy = copy_here(await self._link(work, event.message_id), place)
        if copy is None:
            return [self._skip(work, "the pinned message has no copy here")]
        work.elsewhere = copy.chat_id != place.chat.chat_id
        await self._sending.begin(work, 0, steps)
        await adapter.pin(copy, event.pinned)
        return [delivered(work, self._sending.clock.now())]

    async def _link(self, work: Work, message_id: str) -> Link | None:
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

    def _part_is(self, work: Work, link: Link, event_seq: int, place: Place, number: int, receipt: Receipt) -> PartSent:
        """A copy's new receipt, kept where the copy was found."""
        change = self._sending.part_is(work.pending, event_seq, place, number, receipt)
        return msgspec.structs.replace(change, thread_id=link.thread_id)

    def _skip(self, work: Work, rule: str) -> Change:
        return skipped(work, rule, self._sending.clock.now())


def _part_gone(work: Work, link: Link, part: int) -> PartGone:
    return PartGone(event_seq=link.event_seq, target=work.pending.target, thread_id=link.thread_id, part=part)


def _messages_here(link: Link, account: AccountName) -> list[MessageRef]:
    """The native messages that are the copy, or the original itself where there is none."""
    ids = [(sent.copy.chat_id, message_id) for sent in link.copies for message_id in sent.copy.message_ids]
    if not link.copies:
        ids = [(link.original.chat.chat_id, message_id) for message_id in (link.original.message_id, *link.also_ids)]
    return [MessageRef(ChatRef(account, chat_id), message_id) for chat_id, message_id in ids]


def _pieces(merged: Merged) -> list[MergedPiece]:
    return [decode_piece(piece.content) for piece in merged.pieces]


def _pieces_set(work: Work, link: Link, merged: Merged, pieces: Sequence[MergedPiece]) -> PiecesSet:
    """The same events with new contents."""
    return PiecesSet(
        target=work.pending.target,
        thread_id=link.thread_id,
        lead_seq=merged.lead_seq,
        pieces=tuple(
            Piece(event_seq=piece.event_seq, content=encode_piece(content))
            for piece, content in zip(merged.pieces, pieces, strict=True)
        ),
    )
