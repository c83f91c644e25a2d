"""Passes events to the core, together with the read position and what else was learned. Used by `receiver`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bridge.model.adapter import Cursor, Intake
from bridge.model.events import ChatEvent

TRIES = 5
"""How often an event may make its acceptance fail, each time with a new connection, until it is set aside."""
_BUGS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, AssertionError)
"""Errors caused by an unforeseen value, as opposed to a full disk or a lost connection."""


async def hand_over(intake: Intake, events: Sequence[ChatEvent], cursors: Sequence[Cursor], failed: Counter[str]) -> None:
    """Returns once all of it is on disk. `failed`: events that made somebody fail, by their keys, with how often; one that has
    failed `TRIES` times is set aside."""
    try:
        await intake.accept(events, cursors=cursors)
    except _BUGS:
        await _one_by_one(intake, events, failed)
        await intake.accept([], cursors=cursors)


async def _one_by_one(intake: Intake, events: Sequence[ChatEvent], failed: Counter[str]) -> None:
    """One of them makes somebody fail: the others go on, and that one is set aside when it has failed often enough."""
    for event in events:
        try:
            await intake.accept([event])
        except _BUGS as error:
            failed[event.meta.event_key] += 1
            if failed[event.meta.event_key] < TRIES:
                raise
            raw = repr(event).encode("utf-8", "replace")
            await intake.undecodable(raw, f"failed {TRIES} times: {type(error).__name__}")
            del failed[event.meta.event_key]
