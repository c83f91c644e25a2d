"""What became of messages, as a list that only grows at its end: numbers of events and of deliveries, and nothing of what they say.

A row holds the steps of one transaction. It is written in that transaction: none is missing after a crash, and none is there of
what was rolled back. That an event came, and what it skipped at once, is not written with it: for events behind the last one that
a row tells of, both follow from the event's own rows (`pending`). The next row with outcomes tells of them, in the same order, so
that the numbers stay as they are. So a message costs one row, of a few bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bridge.journal.contract import STEPS_KEPT
from bridge.journal.sqlite.codec import SKIPPED

Step = tuple[int, int]
"""The number of a delivery and its state then; or of an event, and CAME."""

CAME = 7
"""Beside the states of deliveries (codec.py)."""

MOST_PENDING = 256
"""Steps that no row tells of. More are written, so that no reader has to gather many."""

_KINDS = 8
_FORGOTTEN_AT_ONCE = 1024
"""Old ones are deleted once in so many."""

_LAST_ROW = "SELECT first, event, what FROM step WHERE first = (SELECT max(first) FROM step)"
_COMING = "SELECT seq, first_delivery, deliveries FROM event WHERE seq > ? ORDER BY seq"
_SKIPPED_AT_ONCE = f"SELECT id FROM delivery WHERE id BETWEEN ? AND ? AND state = {SKIPPED} ORDER BY id"


class Written(NamedTuple):
    """What rows tell: up to which step, and of the coming of which events."""

    last: int
    event: int


# -- rows -------------------------------------------------------------------------------------------------------------------


def written(connection: sqlite3.Connection) -> Written:
    row = connection.execute(_LAST_ROW).fetchone()
    return Written(0, 0) if row is None else Written(row[0] + _count(row[2]) - 1, row[1])


def oldest(connection: sqlite3.Connection) -> int:
    """The number of the oldest step that is kept; 0 if no row tells of any."""
    return connection.execute("SELECT min(first) FROM step").fetchone()[0] or 0


def pending(connection: sqlite3.Connection, event: int) -> Iterator[Step]:
    """The steps of events behind that one, of whose coming no row tells."""
    for seq, first, count in connection.execute(_COMING, (event,)).fetchall():
        yield seq, CAME
        for (delivery,) in connection.execute(_SKIPPED_AT_ONCE, (first, first + count - 1)).fetchall():
            yield delivery, SKIPPED


def keep(connection: sqlite3.Connection, first: int, event: int, steps: Sequence[Step]) -> None:
    """On the writer's thread. `first`: the number of the first of them."""
    row = (first, event, _pack(event, steps))
    connection.execute("INSERT OR REPLACE INTO step (first, event, what) VALUES (?, ?, ?)", row)
    last = first + len(steps) - 1
    if last // _FORGOTTEN_AT_ONCE != (first - 1) // _FORGOTTEN_AT_ONCE:
        # the row that the oldest kept step is in stays whole
        connection.execute(
            "DELETE FROM step WHERE first < (SELECT max(first) FROM step WHERE first <= ?)", (last - STEPS_KEPT + 1,)
        )


def after(connection: sqlite3.Connection, number: int, limit: int) -> Iterator[tuple[int, int, int]]:
    """The steps that follow, oldest first: the step's number, and what `Step` is."""
    for place, step in _numbered(connection, number):
        if place > number:
            if limit <= 0:
                return
            limit -= 1
            yield place, *step


def _numbered(connection: sqlite3.Connection, number: int) -> Iterator[tuple[int, Step]]:
    """From the row on that the next step is in."""
    begin = connection.execute("SELECT max(first) FROM step WHERE first <= ?", (number + 1,)).fetchone()[0] or 0
    for first, event, what in connection.execute("SELECT first, event, what FROM step WHERE first >= ? ORDER BY first", (begin,)):
        yield from enumerate(_unpack(event, what), first)
    last, event = written(connection)
    yield from enumerate(pending(connection, event), last + 1)


# -- packing ----------------------------------------------------------------------------------------------------------------

# A step is the difference to the number before it (of the same sort; of the first event, to the row's `event`), its sign in the
# lowest bit, times 8, plus its kind; seven bits to a byte, the lowest first, the highest bit set in all bytes but the last.

_CONTINUED = bytes(range(0x80, 0x100))


def _pack(event: int, steps: Iterable[Step]) -> bytes:
    packed = bytearray()
    before = [0, event]
    for number, kind in steps:
        sort = kind == CAME
        difference = number - before[sort]
        before[sort] = number
        value = (abs(difference) << 1 | (difference < 0)) * _KINDS + kind
        while value > 0x7F:
            packed.append(value & 0x7F | 0x80)
            value >>= 7
        packed.append(value)
    return bytes(packed)


def _unpack(event: int, packed: bytes) -> Iterator[Step]:
    before = [0, event]
    value = shift = 0
    for byte in packed:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte <= 0x7F:
            difference, kind = divmod(value, _KINDS)
            sort = kind == CAME
            before[sort] += -(difference >> 1) if difference & 1 else difference >> 1
            yield before[sort], kind
            value = shift = 0


def _count(packed: bytes) -> int:
    return len(packed.translate(None, _CONTINUED))
