"""Deliveries that are given up, or set aside, while their next part may have arrived: what is kept of that, with the plan, and how
they continue once the platform was asked. `superseded.doubt_of` reads it."""

from __future__ import annotations

from msgspec.structs import replace

from bridge.delivery.message_plan import Plan, decode_plan, encode_plan
from bridge.delivery.state import DeliveryState
from bridge.journal.contract import Change, OpenDelivery, PlanSet
from bridge.model.clock import Clock
from bridge.model.events import MessageDeleted, MessageEdited


def kept(delivery: DeliveryState, clock: Clock) -> list[Change]:
    """Recorded with the end or the delay. A merged message is not looked for: its deliveries are retried one by one."""
    if not delivery.unknown.is_open or delivery.group.followers:
        return []
    pending = delivery.pending
    since = delivery.unknown.since(clock) or pending.first_attempt_at or pending.event.meta.received_at
    return [PlanSet(delivery_id=pending.delivery_id, content=encode_plan(replace(_plan(delivery), unknown_since=since)))]


def settled(delivery: DeliveryState) -> tuple[OpenDelivery, PlanSet]:
    """The message as it is taken up again, and its plan: what was found continues with the changes made since, and what is not
    there is sent as it is by now."""
    pending, plan = delivery.pending, replace(_plan(delivery), unknown_since=None)
    if not delivery.parts and plan.is_simple and plan.edit is None:
        plan = Plan(parts=())
    elif delivery.parts and isinstance(pending.later, MessageDeleted):
        plan = replace(plan, taken_back=True)
    elif delivery.parts and isinstance(pending.later, MessageEdited):
        plan = replace(plan, edit=replace(pending.later, meta=pending.event.meta, message_id=pending.later.message_id))
    content = encode_plan(plan)
    now = replace(pending, parts=tuple(delivery.parts), plan=content, last_error="")
    return now, PlanSet(delivery_id=pending.delivery_id, content=content)


def _plan(delivery: DeliveryState) -> Plan:
    return delivery.made.plan or decode_plan(delivery.pending.plan) or Plan(parts=())
