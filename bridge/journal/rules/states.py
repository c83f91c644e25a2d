"""Which changes a delivery accepts, and its state after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from bridge.journal.contract import AttemptStarted, Dead, Deferred, Delivered, DeliveryStatus, PartReceipt, PlanSet, Skipped

IN_LINE = frozenset({DeliveryStatus.WAITING, DeliveryStatus.SENDING})
"""The states that its lane executes in order."""
OPEN = IN_LINE | {DeliveryStatus.BEHIND}
GIVEN_UP = frozenset({DeliveryStatus.HELD, DeliveryStatus.DEAD})
FINAL = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED})
"""Nothing changes it any more; its event's body is not needed for it."""
UNFINISHED = frozenset(DeliveryStatus) - FINAL

RETRIED = DeliveryStatus.BEHIND
"""A dead letter that is retried: nothing waits for it."""

TAKEN_IN: Mapping[type, frozenset[DeliveryStatus]] = {
    AttemptStarted: OPEN,
    Deferred: OPEN,
    PlanSet: UNFINISHED,
    PartReceipt: UNFINISHED,
    Delivered: UNFINISHED,
    Skipped: UNFINISHED,
    Dead: UNFINISHED,
}
"""In which states a delivery takes a change. An attempt or a delay of one that is not open is a mistake, and nothing is recorded:
an attempt that is not recorded must not be made. An outcome of one that has its final one already changes nothing."""

AFTER_A_PART = {state: DeliveryStatus.WAITING if state is DeliveryStatus.SENDING else state for state in UNFINISHED}
"""The state of a delivery after a part was sent: the attempt's outcome is known, and the next part has no attempt yet."""


def after(change: AttemptStarted | Deferred | Delivered | Skipped | Dead) -> DeliveryStatus:
    """The state of a delivery after a change that it accepts."""
    match change:
        case AttemptStarted():
            return DeliveryStatus.SENDING
        case Deferred(behind=behind):
            return DeliveryStatus.BEHIND if behind else DeliveryStatus.WAITING
        case Delivered():
            return DeliveryStatus.DELIVERED
        case Skipped():
            return DeliveryStatus.SKIPPED
        case Dead(held=held):
            return DeliveryStatus.HELD if held else DeliveryStatus.DEAD
        case _:
            assert_never(change)
