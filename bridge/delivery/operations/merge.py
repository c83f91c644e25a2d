"""Several short messages of one author as one message: which are merged, and how each keeps a receipt of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from bridge.delivery.age import is_too_old
from bridge.delivery.doubt import as_found
from bridge.delivery.execution import AsItIsNow, Execution
from bridge.delivery.message_plan import Plan, encode_plan
from bridge.delivery.operations.tools import Tools
from bridge.delivery.state import DeliveryState
from bridge.delivery.superseded import doubt_of
from bridge.delivery.target import ResolvedTarget
from bridge.journal.contract import Change, Delivered, DeliveryStatus, OpenDelivery, Piece, PiecesSet, PlanSet
from bridge.model.events import MessageCreated
from bridge.render.merge import (
    MAX_MERGED,
    MergedPiece,
    belong_together,
    can_merge,
    decode_piece,
    encode_piece,
    have_room,
    merged_part,
    piece_of,
)


async def create_merged(_event: MessageCreated, run: Execution, tools: Tools) -> Sequence[Change]:
    """One message for all of the group; each keeps a receipt and losses of its own."""
    together = run.delivery.together
    created = [(one.event, one.event_seq) for one in together if isinstance(one.event, MessageCreated)]
    titled = [await tools.places.with_title(event, seq, run) for event, seq in created]
    events = [await tools.renderer.followed(event, run.target) for event in titled]
    parts = [tools.renderer.text_parts(event, run.target) for event in events]
    pieces = [piece_of(one) for one in parts]
    run.delivery.group.pieces = tuple(
        Piece(event_seq=pending.event_seq, content=encode_piece(piece)) for pending, piece in zip(together, pieces, strict=True)
    )
    part = merged_part(pieces)
    receipt = await tools.sender.send(run, 0, part)
    changes: list[Change] = []
    for pending, one in zip(together, parts, strict=True):
        losses = tuple(dict.fromkeys((*one.losses, *receipt.losses)))
        changes.append(tools.sender.receipt(pending, run, 0, receipt, part))
        changes.append(Delivered(delivery_id=pending.delivery_id, at=run.clock.now(), losses=losses))
    return changes


async def find_merged(_event: MessageCreated, run: Execution, tools: Tools) -> Sequence[Change]:
    """Dead letters that were given up as one message, which may be there: the platform is asked for that message. If it is there,
    each of its messages has its copy, those included that are not retried. Raises AsItIsNow if it is not there, or nobody can
    tell."""
    delivery, asked = run.delivery, run.delivery.group.asked
    assert asked is not None
    together, ids = delivery.together, asked.delivery_ids
    pieces = _stored(asked.pieces)
    if not pieces:
        ids = tuple(one.delivery_id for one in together)
        pieces = [(one.event_seq, _piece(one, run.target, tools)) for one in together]
    part = merged_part([piece for _, piece in pieces])
    receipt = await tools.sender.ask_for(run, part, sent_for=asked.delivery_ids[0])
    if receipt is None:
        raise AsItIsNow
    content = tuple(Piece(event_seq=seq, content=encode_piece(piece)) for seq, piece in pieces)
    pending = run.pending
    changes: list[Change] = [
        PiecesSet(target=pending.target, thread_id=pending.thread_id, lead_seq=content[0].event_seq, pieces=content)
    ]
    for delivery_id, (event_seq, _) in zip(ids, pieces, strict=True):
        changes.append(tools.sender.receipt(replace(pending, delivery_id=delivery_id, event_seq=event_seq), run, 0, receipt, part))
        changes.append(PlanSet(delivery_id=delivery_id, content=encode_plan(Plan(parts=()))))
    await run.context.record(changes)
    losses = tuple(receipt.losses)
    changed = [one for one in together if one.later is not None]
    return [
        *(PlanSet(delivery_id=one.delivery_id, content=encode_plan(as_found(one))) for one in changed),
        *(Delivered(delivery_id=one.delivery_id, at=run.clock.now(), losses=losses) for one in together if one not in changed),
    ]


def _stored(pieces: Sequence[Piece]) -> list[tuple[int, MergedPiece]]:
    """None if they are not kept, or not in a form that this version can read."""
    try:
        return [(piece.event_seq, decode_piece(piece.content)) for piece in pieces]
    except msgspec.MsgspecError:
        return []


def joining(delivery: DeliveryState, target: ResolvedTarget, waiting: Iterable[OpenDelivery], now: datetime, tools: Tools) -> int:
    """How many of the deliveries that wait next can go out in one message with this one."""
    first, count = delivery.pending, 0
    if not can_merge(first.event, target.rendering) or _is_too_old(first, target, now):
        return 0
    pieces = [_piece(pending, target, tools) for pending in delivery.together]
    for pending in waiting:
        if len(pieces) >= MAX_MERGED or not _may_follow(pending, first, target, now):
            break
        pieces.append(_piece(pending, target, tools))
        if not have_room(pieces, target.rendering):
            break
        count += 1
    return count


def _may_follow(pending: OpenDelivery, first: OpenDelivery, target: ResolvedTarget, now: datetime) -> bool:
    return (
        (pending.route, pending.thread_id) == (first.route, first.thread_id)
        and _is_untouched(pending, now)
        and not _is_too_old(pending, target, now)
        and can_merge(pending.event, target.rendering)
        and belong_together(first.event, pending.event)
    )


def _is_too_old(pending: OpenDelivery, target: ResolvedTarget, now: datetime) -> bool:
    return isinstance(pending.event, MessageCreated) and is_too_old(pending.event, target.options, now)


def _is_untouched(pending: OpenDelivery, now: datetime) -> bool:
    """Whether nothing of it was sent, and nothing may have been, nor was it changed since, and it is due."""
    is_due = pending.not_before is None or pending.not_before <= now
    is_new = pending.later is None or pending.state is DeliveryStatus.BEHIND
    return is_new and pending.state is not DeliveryStatus.SENDING and doubt_of(pending) is None and not pending.parts and is_due


def _piece(pending: OpenDelivery, target: ResolvedTarget, tools: Tools) -> MergedPiece:
    assert isinstance(pending.event, MessageCreated)
    return piece_of(tools.renderer.text_parts(pending.event, target))
