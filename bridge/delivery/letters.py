"""Retried dead letters that were one merged message are looked up, and sent again, as one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bridge.delivery.superseded import as_it_is_now, doubt_of, together_of
from bridge.journal.contract import Damaged, OpenDelivery
from bridge.model.outcomes import Skip


def of_one_message(
    pending: OpenDelivery, beside: Iterable[OpenDelivery | Damaged], is_due: Callable[[OpenDelivery], bool]
) -> list[OpenDelivery]:
    """This letter, and those of its message that are to be tried now, in the message's order. `beside`: what is beside the line."""
    message = together_of(pending)
    if message is None:
        return [pending]
    known = (message.delivery_ids, doubt_of(pending))
    found = {pending.delivery_id: pending}
    for one in beside:
        if isinstance(one, Damaged) or not is_due(one) or (one.route, one.thread_id) != (pending.route, pending.thread_id):
            continue
        theirs = together_of(one)
        if theirs is not None and (theirs.delivery_ids, doubt_of(one)) == known:
            found[one.delivery_id] = one
    return [found[number] for number in message.delivery_ids if number in found] or [pending]


def as_they_are_now(letters: Iterable[OpenDelivery]) -> list[OpenDelivery]:
    """The letters that are still to be sent. The others are handled in their own turn."""
    return [now for now in map(as_it_is_now, letters) if not isinstance(now, Skip)]
