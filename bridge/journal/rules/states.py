"""Which changes a delivery takes, and where it stands after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from bridge.journal.contract import AttemptStarted, Dead, Deferred, Delivered, PartSent, PlanSet, Skipped, State

IN_LINE = frozenset({State.WAITING, State.SENDING})
"""What its lane carries out in order."""
OPEN = IN_LINE | {State.BEHIND}
GIVEN_UP = frozenset({State.HELD, State.DEAD})
FINAL = frozenset({State.DELIVERED, State.SKIPPED})
"""Nothing changes it any more; its event's body is not needed for it."""
UNFINISHED = frozenset(State) - FINAL

RETRIED = State.BEHIND
"""A dead letter that is retried: nothing waits for it."""

TAKEN_IN: Mapping[type, frozenset[State]] = {
    AttemptStarted: OPEN,
    Deferred: OPEN,
    PlanSet: UNFINISHED,
    PartSent: UNFINISHED,
    Delivered: UNFINISHED,
    Skipped: UNFINISHED,
    Dead: UNFINISHED,
}
"""In which states a delivery takes a change. An attempt or a delay of one that is not open is a mistake, and nothing is recorded:
an attempt that is not recorded must not be made. An outcome of one that has its final one already changes nothing."""

AFTER_A_PART = {state: State.WAITING if state is State.SENDING else state for state in UNFINISHED}
"""Where a delivery stands once a part of it was sent: the attempt's outcome is known, and the next part has none yet."""


def after(change: AttemptStarted | Deferred | Delivered | Skipped | Dead) -> State:
    """Where a delivery stands after a change that it takes."""
    match change:
        case AttemptStarted():
            return State.SENDING
        case Deferred(behind=behind):
            return State.BEHIND if behind else State.WAITING
        case Delivered():
            return State.DELIVERED
        case Skipped():
            return State.SKIPPED
        case Dead(held=held):
            return State.HELD if held else State.DEAD
        case _:
            assert_never(change)
