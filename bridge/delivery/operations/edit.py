"""Edits onto the copies: new words first, then files that came with the edit, then those that it took away.

In this order a crash in between repeats nothing that can be seen: a file that was posted has its receipt, and the copies that lead
here are there until the end. A copy may be a merged message: then its piece changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import msgspec

from bridge.delivery import throttled_calls
from bridge.delivery.message_plan import parts_without_files
from bridge.delivery.operations.edit_files import FileChanges, How, Removal, Standing, file_changes, is_wordless, removals, standing
from bridge.delivery.send import Sending
from bridge.delivery.state import (
    DeliveryContext,
    DeliveryState,
    NotNow,
    ResolvedTarget,
    can_reconcile,
    carried_by,
    delivered,
    file_mark,
    skipped,
)
from bridge.files.fetch import FileFetcher, most_bytes
from bridge.journal.contract import Carried, Change, DeliveryStatus, Link, Merged, PartGone, PartReceipt, Piece, PiecesSet
from bridge.model.adapter import Copy, Deletes, Edits, OutboundEdit, Receipt, RemovesFiles, Reply
from bridge.model.errors import FileRejected, Rejected
from bridge.model.events import Content, MessageCreated, MessageEdited
from bridge.model.outcomes import Loss, LossOf, Skip
from bridge.model.rich_text import RichText, text_of
from bridge.render.degrade import Losses, degrade
from bridge.render.long_text import cut_line, is_whole_text
from bridge.render.merge import MergedPiece, decode_piece, encode_piece, with_edit
from bridge.render.message import FetchResult, Part, why_missing, why_unsendable
from bridge.render.notices import added_line, removed_line

_EXCERPT = 200


class Editing:
    """Stateless but for its collaborators."""

    def __init__(self, sending: Sending, files: FileFetcher) -> None:
        self._sending = sending
        self._journal = sending.journal
        self._files = files

    async def edit(
        self, work: DeliveryState, event: MessageEdited, link: Link, place: ResolvedTarget, steps: DeliveryContext
    ) -> Sequence[Change]:
        """The copies that `link` has follow the edit."""
        adapter = place.adapter
        if not isinstance(adapter, Edits):
            return [skipped(work, Skip.CANNOT_EDIT, self._sending.clock.now())]
        copies = standing(link)
        work.elsewhere = copies[0].copy.chat_id != place.chat.chat_id
        event = await self._with_whole_text(event, place, copies)
        changed = file_changes(event, link, copies)
        if _says_nothing(event) and not changed:
            return [skipped(work, Skip.NOTHING_CHANGED, self._sending.clock.now())]
        work.losses, work.posts = [], False
        if changed.unknown:
            work.losses.append(Loss.FILES_NOT_COMPARED)
        unknown, unknown_since = work.unknown, work.last_unknown_at
        async with AsyncExitStack() as stack:
            held = {mark for one in copies for mark in one.carried.marks}
            settled = await self._settled(work, event, place, changed, held, stack)
            edit = _Edit(self, work, event, link, place, adapter, steps, copies, changed, settled)
            await self._sending.begin(work, 0, steps)
            final = await edit.words()
            work.unknown, work.last_unknown_at = unknown, unknown_since
            await edit.rest()
            await edit.new_files()
            final += await edit.removed_files()
            late = next((one for one in settled if one.late), None)
        if late is not None:
            await steps.record(final)
            raise NotNow(late.problem, after_s=late.after_s)  # all but the file is done, and nothing waits for that
        work.losses = list(dict.fromkeys(work.losses))
        return [*final, delivered(work, self._sending.clock.now())]

    async def _with_whole_text(self, event: MessageEdited, place: ResolvedTarget, copies: Sequence[Standing]) -> MessageEdited:
        """The edit with the file that holds its whole text, if the copies cannot show all of it."""
        if event.album_item or any(one.carried.files and not one.carried.marks for one in copies):
            return event
        settled = [FetchResult(attachment=attachment) for attachment in event.content.attachments]
        shown = [one.carried.files for one in copies]
        rendered = await self._sending.render(event, place, settled, None, existing=shown)
        return await self._sending.with_whole_text(event) if rendered.left_out else event

    async def _settled(
        self,
        work: DeliveryState,
        event: MessageEdited,
        place: ResolvedTarget,
        changed: FileChanges,
        held: Collection[str],
        stack: AsyncExitStack,
    ) -> list[FetchResult]:
        """The edit's files: new ones fetched, or why not. What the copies hold is there, whatever became of the originals."""
        attachments = event.content.attachments
        wanted = {number for number in changed.added if not why_unsendable(attachments[number], place.target)}
        if wanted:
            settled = await self._files.settle(
                stack,
                event_seq=work.pending.event_seq,
                origin=event.meta.origin,
                content=event.content,
                most_bytes=most_bytes(place.target.capabilities.limits, place.options),
                patience=work.patience,
                within_s=work.file_wait_s,
                only=wanted,
            )
        else:
            settled = [FetchResult(attachment=attachment) for attachment in attachments]
        return [
            replace(one, attachment=msgspec.structs.replace(one.attachment, problem="", size_bytes=None))
            if file_mark(one.attachment) in held
            else one
            for one in settled
        ]

    async def edit_copy(
        self,
        work: DeliveryState,
        place: ResolvedTarget,
        steps: DeliveryContext,
        adapter: Edits,
        number: int,
        copy: Copy,
        part: Part,
        carried: Carried,
    ) -> tuple[Receipt, Carried] | None:
        """The receipt to be kept, if it says something new, and what the part carries now."""
        outbound = OutboundEdit(
            token=self._sending.token(work, number),
            copy=copy,
            text=part.text,
            has_files=carried.files,
            sender=part.sender,
            reply=part.reply,
            mass_mentions=part.mass_mentions,
            previews=part.previews,
        )
        receipt = await throttled_calls.edit(adapter, outbound, place, steps)
        now_carried = msgspec.structs.replace(carried, text=bool(part.text))
        if (not receipt.message_ids or receipt.message_ids == copy.message_ids) and now_carried == carried:
            return None
        kept = receipt.message_ids or copy.message_ids
        data = receipt.adapter_data or copy.adapter_data
        return msgspec.structs.replace(receipt, message_ids=kept, adapter_data=data, thread_id=copy.thread_id), now_carried

    def part_is(
        self,
        work: DeliveryState,
        link: Link,
        event_seq: int,
        place: ResolvedTarget,
        number: int,
        receipt: Receipt,
        carried: Carried,
    ) -> PartReceipt:
        """A copy's new receipt, kept where the copy was found."""
        change = self._sending.part_is(work.pending, event_seq, place, number, receipt, carried)
        return msgspec.structs.replace(change, thread_id=link.thread_id)


class _Edit:
    """One edit on its way."""

    def __init__(
        self,
        editing: Editing,
        work: DeliveryState,
        event: MessageEdited,
        link: Link,
        place: ResolvedTarget,
        adapter: Edits,
        steps: DeliveryContext,
        copies: Sequence[Standing],
        changed: FileChanges,
        settled: Sequence[FetchResult],
    ) -> None:
        self._editing = editing
        self._sending = editing._sending
        self._work, self._event, self._link, self._place = work, event, link, place
        self._adapter, self._steps = adapter, steps
        self._copies, self._changed, self._settled = copies, changed, settled
        self._removals = removals(event, changed, copies, place.adapter)
        going = [removal.standing for removal in self._removals if removal.how is How.WHOLE]
        self._staying = [one for one in copies if one not in going]
        self._left = changed.lost + sum(len(removal.places) for removal in self._removals if removal.how is How.LINE)
        """Removed files that stay to be seen."""
        self._next = copies[-1].number + 1
        self._rest: Sequence[Part] = ()
        self._edited: dict[int, tuple[Receipt, Carried]] = {}
        """By part: the receipts of edits that say something new, and what it carries since."""

    # -- words --------------------------------------------------------------------------------------------------------------

    async def words(self) -> list[Change]:
        """Edit the copies. What does not fit into them is for `rest`."""
        if not self._staying or _says_nothing(self._event):
            return []
        merged = await self._editing._journal.merged(self._link.event_seq, self._work.pending.target, self._link.thread_id)
        if merged is not None and self._staying[0].number == 0:
            return await self._merged_words(merged)
        reply = await self._sending.reply(self._event.content.reply_to, self._event.meta.origin, self._work, self._place)
        rendered = await self._sending.render(
            self._event,
            self._place,
            self._settled,
            reply,
            existing=[one.carried.files for one in self._staying],
            notes=[removed_line(self._left)] if self._left else (),
        )
        self._work.losses += rendered.losses
        self._rest = rendered.parts[len(self._staying) :]
        changes: list[Change] = []
        for one, part in zip(self._staying, rendered.parts, strict=False):
            changes += await self._word(one, part, [self._link.event_seq])
        return changes

    async def _merged_words(self, merged: Merged) -> list[Change]:
        lines = self._sending.lines(self._event, self._place, self._settled)
        self._work.losses += lines.losses
        pieces, index = pieces_of(merged), [piece.event_seq for piece in merged.pieces].index(self._link.event_seq)
        pieces[index], parts = with_edit(pieces, index, lines, self._place.target, self._ending)
        changes: list[Change] = [pieces_set(self._work, self._link, merged, pieces)]
        with_text = [one for one in self._staying if not one.carried.files]
        self._rest = parts[len(with_text) :]
        parts += [Part(surplus=True)] * (len(with_text) - len(parts))
        for one, part in zip(with_text, parts, strict=False):
            sharing = [piece.event_seq for piece in merged.pieces] if one.number == 0 else [self._link.event_seq]
            changes += await self._word(one, part, sharing)
        return changes

    def _ending(self, left_out: int) -> RichText:
        whole = next((one for one in self._settled if is_whole_text(one.attachment)), None)
        problem = why_missing(whole, self._place.target) if whole else "the message is too long"
        return degrade(cut_line(left_out, problem=problem), self._place.target.capabilities, {})

    async def _word(self, one: Standing, part: Part, sharing: Sequence[int]) -> list[Change]:
        """The changes that say what became of one copy."""
        if part.surplus:
            if isinstance(self._place.adapter, Deletes):
                await throttled_calls.delete(self._place.adapter, one.copy, self._place, self._steps)
                return [part_gone(self._work, self._link, one.number)]
            return []
        if part.unchanged or not (part.text or one.carried.text):
            return []
        edited = await self._editing.edit_copy(
            self._work, self._place, self._steps, self._adapter, one.number, one.copy, part, one.carried
        )
        if edited is None:
            return []
        self._edited[one.number] = edited
        return [self._editing.part_is(self._work, self._link, seq, self._place, one.number, *edited) for seq in sharing]

    # -- further messages ---------------------------------------------------------------------------------------------------

    async def rest(self) -> None:
        """The edit made the text longer than its parts hold: the rest follows as further messages."""
        await self._post(self._rest)

    async def new_files(self) -> None:
        """Files that the edit brought follow as messages that answer the copy. Those that cannot be there are lines in its text."""
        has_words = bool(self._staying) and not _says_nothing(self._event)
        added = [one for place, one in enumerate(self._settled) if place in self._changed.added]
        new = [one for one in added if one.file is not None or not has_words]
        if not new:
            return
        event = self._event
        content = Content(
            text=added_line(replaces=bool(self._changed.removed or self._changed.lost)),
            attachments=tuple(one.attachment for one in new),
            previews=False,
        )
        created = MessageCreated(meta=event.meta, message_id=event.message_id, content=content)
        rendered = await self._sending.render(created, self._place, new, self._answer())
        self._work.losses += [loss for loss in rendered.losses if loss not in self._work.losses]
        await self._post(rendered.parts)

    def _answer(self) -> Reply | None:
        """What points at the copy."""
        if not self._staying:
            return None
        copy = self._staying[0].copy
        here = copy.chat_id == self._place.chat.chat_id
        author = self._event.meta.author
        return Reply(
            message_id=copy.message_ids[0] if here else "",
            thread_id=copy.thread_id if here else None,
            author_name=self._sending.names().plain_name(self._event.meta.origin.account, author) if author else "",
            excerpt=text_of(self._event.content.text)[:_EXCERPT],
        )

    async def _post(self, parts: Sequence[Part]) -> None:
        work, waiting = self._work, list(parts)
        while waiting:
            part = waiting.pop(0)
            if work.pending.state is DeliveryStatus.SENDING and not work.asked:
                # the process stopped during an attempt, which may have been this one
                work.asked, work.unknown, work.last_unknown_at = True, can_reconcile(self._place.adapter), work.first_attempt_at
            work.posts = True
            try:
                receipt = await self._sending.send_part(work, self._place, self._next, part, self._steps)
            except FileRejected as refused:
                if not part.files:
                    raise
                waiting[:0] = self._without_files(part, refused)
                work.unknown, work.attempt = False, 0
                continue
            carried = carried_by(part)
            change = self._editing.part_is(work, self._link, self._link.event_seq, self._place, self._next, receipt, carried)
            await self._steps.record([change])
            work.posts, work.unknown, work.attempt = False, False, 0
            self._next += 1

    def _without_files(self, part: Part, refused: FileRejected) -> list[Part]:
        places = [at for at in refused.places if at < len(part.files)] or range(len(part.files))
        tail = self._sending.tail(self._event, self._place)
        losses: Losses = {}
        parts = parts_without_files(part, dict.fromkeys(places, refused.reason), tail, self._place.target, losses)
        self._work.losses += [loss for loss in losses if loss not in self._work.losses]
        return parts

    # -- files that are gone ------------------------------------------------------------------------------------------------

    async def removed_files(self) -> list[Change]:
        """Take them out of the copies. Where that is refused, they get the line that says so after all."""
        changes: list[Change] = []
        for removal in self._removals:
            if removal.how is How.LINE:
                continue
            try:
                changes.append(await self._remove(removal))
            except Rejected as refused:
                self._work.losses.append(LossOf(Loss.FILE_STAYS, f"{Loss.FILE_STAYS}: {refused.reason}"))
                self._left += len(removal.places)
                if removal.standing not in self._staying:
                    self._staying = sorted([*self._staying, removal.standing], key=lambda one: one.number)
                await self._steps.record(changes)
                changes = await self.words()
                self._rest = ()
        return changes

    async def _remove(self, removal: Removal) -> Change:
        one, adapter = removal.standing, self._place.adapter
        copy, carried = one.copy, one.carried
        if (edited := self._edited.get(one.number)) is not None:
            receipt, carried = edited
            copy = msgspec.structs.replace(copy, message_ids=receipt.message_ids, adapter_data=receipt.adapter_data)
        left = tuple(mark for place, mark in enumerate(carried.marks) if place not in removal.places)
        carried = msgspec.structs.replace(carried, files=bool(left), marks=left)
        match removal.how:
            case How.WHOLE:
                assert isinstance(adapter, Deletes)
                await throttled_calls.delete(adapter, copy, self._place, self._steps)
                return part_gone(self._work, self._link, one.number)
            case How.SINGLE:
                assert isinstance(adapter, Deletes)
                goes = tuple(copy.message_ids[place] for place in removal.places)
                await throttled_calls.delete(adapter, msgspec.structs.replace(copy, message_ids=goes), self._place, self._steps)
                kept = tuple(message_id for message_id in copy.message_ids if message_id not in goes)
                receipt = Receipt(message_ids=kept, thread_id=copy.thread_id, adapter_data=copy.adapter_data)
            case _:
                assert isinstance(adapter, RemovesFiles)
                receipt = await throttled_calls.remove_files(adapter, copy, removal.places, self._place, self._steps)
        receipt = msgspec.structs.replace(receipt, thread_id=copy.thread_id)
        return self._editing.part_is(self._work, self._link, self._link.event_seq, self._place, one.number, receipt, carried)


def _says_nothing(event: MessageEdited) -> bool:
    """Whether it leaves the words as they are: a file of an album, whose words are at another one."""
    return event.album_item and is_wordless(event)


def part_gone(work: DeliveryState, link: Link, part: int) -> PartGone:
    return PartGone(event_seq=link.event_seq, target=work.pending.target, thread_id=link.thread_id, part=part)


def pieces_of(merged: Merged) -> list[MergedPiece]:
    return [decode_piece(piece.content) for piece in merged.pieces]


def pieces_set(work: DeliveryState, link: Link, merged: Merged, pieces: Sequence[MergedPiece]) -> PiecesSet:
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
