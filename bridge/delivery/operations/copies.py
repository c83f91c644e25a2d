"""One copy of a message changes: its text, and what the journal stores about it. Used by `edit` and `delete`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bridge.delivery import throttled_calls
from bridge.delivery.execution import Execution
from bridge.delivery.operations.tools import Tools
from bridge.journal.contract import Carried, Link, Merged, PartGone, PartReceipt, Piece, PiecesSet
from bridge.model.adapter import Copy, Edits, OutboundEdit, Receipt
from bridge.render.merge import MergedPiece, decode_piece, encode_piece
from bridge.render.message import Part
from bridge.render.original import bare_original


async def edit_copy(
    number: int, copy: Copy, part: Part, carried: Carried, adapter: Edits, run: Execution, tools: Tools
) -> tuple[Receipt, Carried] | None:
    """The receipt to be stored, if it says something new, and what the part contains now."""
    outbound = OutboundEdit(
        token=tools.sender.token(run, number),
        copy=copy,
        text=part.text,
        has_files=carried.files,
        sender=part.sender,
        reply=part.reply,
        mass_mentions=part.mass_mentions,
        previews=part.previews,
        location=part.location,
        contact=part.contact,
        listed_files=part.listed,
        original=part.original or bare_original(run.pending.event.meta),
    )
    receipt = await throttled_calls.edit(adapter, outbound, run)
    now_carried = msgspec.structs.replace(carried, text=part.says and part.alone is None)
    if (not receipt.message_ids or receipt.message_ids == copy.message_ids) and now_carried == carried:
        return None
    kept = receipt.message_ids or copy.message_ids
    data = receipt.adapter_data or copy.adapter_data
    return msgspec.structs.replace(receipt, message_ids=kept, adapter_data=data, thread_id=copy.thread_id), now_carried


def new_receipt(
    link: Link, event_seq: int, number: int, receipt: Receipt, carried: Carried, run: Execution, tools: Tools
) -> PartReceipt:
    """A copy's new receipt, kept where the copy was found."""
    change = tools.sender.receipt_of(run.pending, event_seq, run, number, receipt, carried)
    return msgspec.structs.replace(change, thread_id=link.thread_id)


def part_gone(link: Link, part: int, run: Execution) -> PartGone:
    return PartGone(event_seq=link.event_seq, target=run.pending.target, thread_id=link.thread_id, part=part)


def pieces_of(merged: Merged) -> list[MergedPiece]:
    return [decode_piece(piece.content) for piece in merged.pieces]


def pieces_set(link: Link, merged: Merged, pieces: Sequence[MergedPiece], run: Execution) -> PiecesSet:
    """The same events with new contents."""
    return PiecesSet(
        target=run.pending.target,
        thread_id=link.thread_id,
        lead_seq=merged.lead_seq,
        pieces=tuple(
            Piece(event_seq=piece.event_seq, content=encode_piece(content))
            for piece, content in zip(merged.pieces, pieces, strict=True)
        ),
    )
