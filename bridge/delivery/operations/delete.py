"""A deletion: the message's copies are deleted in the target. If a copy is part of a merged message, only its piece is removed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bridge.delivery import throttled_calls
from bridge.delivery.copies import first_id
from bridge.delivery.execution import Execution
from bridge.delivery.operations.copies import edit_copy, new_receipt, part_gone, pieces_of, pieces_set
from bridge.delivery.operations.tools import Tools
from bridge.delivery.places import stay_with
from bridge.journal.contract import Change, Link, Merged, StoredPart
from bridge.model.adapter import Copy, Edits, Receipt, Reply
from bridge.model.adapter import Deletes as CanDelete
from bridge.model.errors import ChangeRefused, MessageGone, Rejected
from bridge.model.events import MessageDeleted
from bridge.model.outcomes import Skip
from bridge.model.rich_text import Mark
from bridge.policy.routing import OWN_ROUTE, Deletes
from bridge.render.merge import merged_part
from bridge.render.notice_message import render_notice
from bridge.render.notices import line

DELETED_THERE = "🗑️ This message was deleted where it was written."


async def delete(event: MessageDeleted, run: Execution, tools: Tools) -> Sequence[Change]:
    link = await tools.link(event.message_id, run)
    if event.everywhere and link is not None and not link.copies and link.original.chat == run.target.chat:
        return await _delete_original(link, run, tools)
    if link is None or not link.copies:
        return [run.skipped(Skip.DELETE_WITHOUT_COPY)]
    if not link.is_original:
        return [run.skipped(Skip.COPY_DELETED)]
    if run.target.options.deletes is Deletes.MARK and run.pending.route != OWN_ROUTE:
        return await _mark(link, run, tools)
    adapter = run.target.adapter
    if not isinstance(adapter, CanDelete):
        return [run.skipped(Skip.CANNOT_DELETE)]
    run.delivery.at_former_chat = link.copies[0].copy.chat_id != run.target.chat.chat_id
    merged = await tools.journal.merged(link.event_seq, run.pending.target, link.thread_id)
    if merged is not None and len(merged.pieces) > 1 and not isinstance(adapter, Edits):
        return [run.skipped(Skip.MERGED_AND_CANNOT_EDIT)]
    await tools.sender.begin(run)
    gone, refused = await _delete_copies(link, merged, adapter, run, tools)
    if isinstance(refused, ChangeRefused):
        return [*gone, run.refused(Skip.DELETE_REFUSED, refused)]
    if refused is not None:
        await run.context.record(gone)
        raise refused
    return [*gone, run.delivered()]


async def _mark(link: Link, run: Execution, tools: Tools) -> Sequence[Change]:
    """The copies stay; below them a line says that the original is gone."""
    if run.delivery.parts:
        return [run.delivered()]
    copy = link.copies[0].copy
    is_here = copy.chat_id == run.target.chat.chat_id
    (part, *_) = render_notice(line(DELETED_THERE, Mark.ITALIC), target=run.target.rendering).parts
    part = msgspec.structs.replace(part, reply=Reply(message_id=first_id(copy) if is_here else "", thread_id=copy.thread_id))
    run.delivery.posts_further = True
    stay_with(copy, run)
    receipt = await tools.sender.send(run, 0, part)
    return [tools.sender.receipt(run.pending, run, 0, receipt, part), run.delivered()]


async def _delete_original(link: Link, run: Execution, tools: Tools) -> Sequence[Change]:
    """What a person wrote, for a moderator: where the bot may. Where it may not, the rule says why."""
    adapter = run.target.adapter
    if not isinstance(adapter, CanDelete):
        return [run.skipped(Skip.CANNOT_DELETE)]
    await tools.sender.begin(run)
    ids = (link.original.message_id, *link.also_ids)
    try:
        await throttled_calls.delete(adapter, Copy(chat_id=link.original.chat.chat_id, message_ids=ids), run)
    except MessageGone:
        pass
    except Rejected as error:
        return [run.refused(Skip.DELETE_REFUSED, error)]
    return [run.delivered()]


async def _delete_copies(
    link: Link, merged: Merged | None, adapter: CanDelete, run: Execution, tools: Tools
) -> tuple[list[Change], Rejected | None]:
    """Delete all that can be deleted; returns what is deleted, and why the rest is not."""
    gone: list[Change] = []
    refused: Rejected | None = None
    for sent in (*link.copies, *(one for one in (link.tally, link.votes) if one is not None)):
        try:
            if sent.part == 0 and merged is not None:
                gone += await _take_out(sent, merged, link, adapter, run, tools)
            else:
                await throttled_calls.delete(adapter, sent.copy, run)
                gone.append(part_gone(link, sent.part, run))
        except MessageGone:
            gone.append(part_gone(link, sent.part, run))
        except Rejected as error:
            if refused is None or isinstance(refused, ChangeRefused):
                refused = error  # a cause that a human can fix is reported before one that nobody can fix
    return gone, refused


async def _take_out(sent: StoredPart, merged: Merged, link: Link, adapter: CanDelete, run: Execution, tools: Tools) -> list[Change]:
    """One piece is removed from a merged message; with the last one the message is deleted."""
    gone: Change = part_gone(link, 0, run)
    left = Merged(lead_seq=merged.lead_seq, pieces=tuple(piece for piece in merged.pieces if piece.event_seq != link.event_seq))
    if not left.pieces:
        await throttled_calls.delete(adapter, sent.copy, run)
        return [gone, pieces_set(link, left, (), run)]
    assert isinstance(adapter, Edits)
    pieces, copy = pieces_of(left), sent.copy
    edited = await edit_copy(0, copy, merged_part(pieces), sent.carried, adapter, run, tools)
    if edited is None:
        # the message was linked to the removed piece: link it to one that stays
        receipt = Receipt(message_ids=copy.message_ids, thread_id=copy.thread_id, adapter_data=copy.adapter_data)
        edited = receipt, sent.carried
        sharing = left.pieces[-1:]
    else:
        sharing = left.pieces
    kept = [new_receipt(link, piece.event_seq, 0, *edited, run, tools) for piece in sharing]
    return [gone, *kept, pieces_set(link, left, pieces, run)]
