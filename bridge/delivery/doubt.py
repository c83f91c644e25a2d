"""Deliveries that are given up, or set aside, while their next part may have arrived: what is kept of that, with the plan, and how
they continue once the platform was asked. `superseded.doubt_of` reads it. A merged message is looked for as a whole (`letters`)."""

from __future__ import annotations

from msgspec.structs import replace

from bridge.delivery.message_plan import Plan, decode_plan, encode_plan
from bridge.delivery.state import DeliveryState
from bridge.journal.contract import Change, OpenDelivery, PlanSet
from bridge.model.clock import Clock
from bridge.model.events import MessageDeleted, MessageEdited


def kept(delivery: DeliveryState, clock: Clock) -> list[Change]:
    """Recorded with the end or the delay, of all that go together."""
    if not delivery.unknown.is_open:
        return []
    pending = delivery.pending
    since = delivery.unknown.since(clock) or pending.first_attempt_at or pending.event.meta.received_at
    whole = delivery.as_one
    plan = replace(_plan(delivery), unknown_since=since) if whole is None else Plan(parts=(), unknown_since=since, together=whole)
    return [PlanSet(delivery_id=one.delivery_id, content=encode_plan(plan)) for one in delivery.together]


def settled(delivery: DeliveryState) -> tuple[list[OpenDelivery], list[PlanSet]]:
    """The message as it is taken up again, and its plan: what was found continues with the changes made since, and what is not
    there is sent as it is by now. If it was one message with others, they are told as well, those included that are not retried:
    what is sent now must not be taken for what they were in."""
    pending, plan = delivery.pending, replace(_plan(delivery), unknown_since=None)
    if delivery.parts:
        plan = as_found(pending, plan)
    elif delivery.group.asked is not None:
        plan = Plan(parts=(), together=delivery.group.asked)
    elif plan.is_simple and plan.edit is None:
        plan = Plan(parts=())
    content = encode_plan(plan)
    again = [replace(one, plan=content, last_error="") for one in delivery.together]
    again[0] = replace(again[0], parts=tuple(delivery.parts))
    told = delivery.group.asked.delivery_ids if delivery.group.asked is not None else (pending.delivery_id,)
    return again, [PlanSet(delivery_id=number, content=content) for number in told]


def as_found(pending: OpenDelivery, plan: Plan | None = None) -> Plan:
    """The plan of a message that was found: it goes on with the changes made since."""
    plan = replace(plan or decode_plan(pending.plan) or Plan(parts=()), unknown_since=None, together=None)
    if isinstance(pending.later, MessageDeleted):
        return replace(plan, taken_back=True)
    if isinstance(pending.later, MessageEdited):
        return replace(plan, edit=replace(pending.later, meta=pending.event.meta, message_id=pending.later.message_id))
    return plan


def _plan(delivery: DeliveryState) -> Plan:
    return delivery.made.plan or decode_plan(delivery.pending.plan) or Plan(parts=())
