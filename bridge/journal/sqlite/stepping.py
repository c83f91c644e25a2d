"""Reads what became of messages since a step: the numbers of `steps`, with what the journal knows of them now. On the reader's
thread."""

from __future__ import annotations

import sqlite3
from typing import Any

from bridge.journal.rules import states
from bridge.journal.sqlite import steps
from bridge.journal.sqlite.codec import STATES, UNREADABLE, unpack_author, unpack_id
from bridge.journal.sqlite.names import Names
from bridge.journal.sqlite.tracing import Tracing
from bridge.journal.tracing import Step, StepKind, Steps, TracedEvent
from bridge.model.refs import MessageRef

_KINDS = {
    **dict.fromkeys(states.OPEN, StepKind.WAITING),
    **dict.fromkeys(states.GIVEN_UP, StepKind.DEAD),
    **{state: StepKind(state.value) for state in states.FINAL},
}


class Stepping:
    """One instance per connection."""

    def __init__(self, connection: sqlite3.Connection, names: Names, tracing: Tracing) -> None:
        self._connection = connection
        self._names = names
        self._tracing = tracing

    def after(self, number: int, limit: int) -> Steps:
        """Of one moment: nothing of it is committed while it is read."""
        self._connection.execute("BEGIN")
        try:
            return self._after(number, limit)
        finally:
            self._connection.execute("ROLLBACK")

    def _after(self, number: int, limit: int) -> Steps:
        told = steps.written(self._connection)
        newest = told.last + sum(1 for _ in steps.pending(self._connection, told.event))
        if number >= newest:
            return Steps(steps=(), last=newest, newest=newest)
        found = list(steps.after(self._connection, number, limit))
        events: dict[int, Any] = {}
        read = [step for row in found if (step := self._whole_or_none(events, *row)) is not None]
        last = found[-1][0] if found else number
        not_kept = max(0, steps.oldest(self._connection) - 1 - number)
        return Steps(steps=tuple(read), last=last, newest=newest, not_kept=not_kept, unknown=len(found) - len(read))

    def _whole_or_none(self, events: dict[int, Any], number: int, subject: int, kind: int) -> Step | None:
        """A message that is forgotten by now, or a row that cannot be read, costs its own step."""
        try:
            return self._came(events, number, subject) if kind == steps.CAME else self._outcome(events, number, subject, kind)
        except UNREADABLE:
            return None

    def _came(self, events: dict[int, Any], number: int, seq: int) -> Step:
        about, event = self._event(events, seq)
        return Step(number=number, kind=StepKind.CAME, deliveries=event.deliveries, **about)

    def _outcome(self, events: dict[int, Any], number: int, delivery: int, kind: int) -> Step:
        row = self._connection.execute("SELECT event FROM delivery WHERE id = ?", (delivery,)).fetchone()
        if row is None:
            raise LookupError(f"there is no delivery {delivery}")
        about, event = self._event(events, row[0])
        (mine,) = [one for one in event.deliveries if one.delivery_id == delivery]
        state = STATES[kind]
        return Step(number=number, kind=_KINDS[state], deliveries=(mine,), is_past=mine.state is not state, **about)

    def _event(self, events: dict[int, Any], seq: int) -> tuple[dict[str, Any], TracedEvent]:
        """`events`: those of the same call."""
        if seq in events:
            found: tuple[dict[str, Any], TracedEvent] = events[seq]
            return found
        event = self._tracing.event(seq)
        origin, message, *author = self._connection.execute(
            "SELECT origin, message, author, author_id, username FROM event WHERE seq = ?", (seq,)
        ).fetchone()
        chat = self._names.chat_of(origin)
        about = {
            "event_seq": seq,
            "accepted_at": event.accepted_at,
            "origin": chat,
            "message": None if message is None else MessageRef(chat, unpack_id(message)),
            "author_name": str(unpack_author(*author)),
            "change": event.change,
            "of": event.of,
        }
        events[seq] = about, event
        return about, event
