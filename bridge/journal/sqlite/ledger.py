"""What the writer keeps in memory between transactions: the connection, the numbers of names, and the next numbers to assign."""

from __future__ import annotations

import sqlite3

from bridge.journal.sqlite import steps
from bridge.journal.sqlite.bulk import Bulk
from bridge.journal.sqlite.names import Names

_LANES_REMEMBERED = 50_000
_AT_ONCE = 64
"""Numbers of a lane that are set aside by one write of its row, which no message needs to wait for then."""
_LANE_SEQS = Bulk("UPDATE lane SET last_seq = v.column2 FROM (VALUES {rows}) AS v WHERE lane.id = v.column1", 2)


class Ledger:
    """The writer's state. What it remembers is what is committed: `forget` after anything else."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.names = Names(connection)
        self._known = False
        self._version = -1
        self._next_seq = 0
        self._next_delivery = 0
        self._lane_seqs: dict[int, int] = {}
        """By lane: the last one given out. Forgotten with the names."""
        self._set_aside: dict[int, int] = {}
        """By lane: the last one that may be given out before the row is written again."""
        self._lanes_before: dict[int, tuple[int, int] | None] = {}
        """By lane that this transaction has taken numbers of: both of these as they were; None: it was not known yet."""
        self._lanes_grown: set[int] = set()
        self.came: list[steps.Step] = []
        """Of whose coming no row tells, in order. Those of this transaction are added."""
        self.steps: list[steps.Step] = []
        """What else became of messages in this transaction, in order; `keep_steps` belongs to it."""
        self._next_step = 1

    def begin(self) -> None:
        """At the start of each transaction: another process may have written since the last one."""
        self.steps.clear()
        version = self.connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version or not self._known:
            self.names.clear()
            if version != self._version:
                self._forget_lanes()
            self._load()
            self._version = version
            self._known = True

    def committed(self) -> None:
        """After each transaction that was."""
        self._lanes_before.clear()

    def forget(self) -> None:
        """After a rollback: names and numbers given out in it do not exist."""
        self._known = False
        self._lanes_grown.clear()
        for lane, before in self._lanes_before.items():
            if before is None:
                self._lane_seqs.pop(lane, None)
                self._set_aside.pop(lane, None)
            else:
                self._lane_seqs[lane], self._set_aside[lane] = before
        self._lanes_before.clear()

    def _load(self) -> None:
        marks = dict(self.connection.execute("SELECT name, value FROM meta"))
        seq = self.connection.execute("SELECT max(seq) FROM event").fetchone()[0] or 0
        delivery = self.connection.execute("SELECT max(id) FROM delivery").fetchone()[0] or 0
        self._next_seq = max(seq, marks.get("last_event", 0)) + 1
        self._next_delivery = max(delivery, marks.get("last_delivery", 0)) + 1
        told = steps.written(self.connection)
        self._next_step = told.last + 1
        self.came = list(steps.pending(self.connection, told.event))

    @property
    def last_seq(self) -> int:
        return self._next_seq - 1

    @property
    def next_delivery(self) -> int:
        """The number that the next delivery gets."""
        return self._next_delivery

    def take_seq(self) -> int:
        seq = self._next_seq
        self._next_seq += 1
        return seq

    def take_deliveries(self, count: int) -> int:
        """The first of `count` numbers in a row."""
        first = self._next_delivery
        self._next_delivery += count
        return first

    def take_lane_seq(self, lane: int) -> int:
        """The next one of the lane; `keep_lane_seqs` belongs to the same transaction."""
        last = self._lane_seqs.get(lane)
        self._lanes_before.setdefault(lane, None if last is None else (last, self._set_aside[lane]))
        if last is None:
            if len(self._lane_seqs) >= _LANES_REMEMBERED:
                self.keep_lane_seqs()
                self.give_back_lane_seqs()
            (last,) = self.connection.execute("SELECT last_seq FROM lane WHERE id = ?", (lane,)).fetchone()
            self._set_aside[lane] = last
        self._lane_seqs[lane] = last + 1
        if last + 1 > self._set_aside[lane]:
            self._set_aside[lane] = last + _AT_ONCE
            self._lanes_grown.add(lane)
        return last + 1

    def keep_lane_seqs(self) -> None:
        _LANE_SEQS.run(self.connection, [(lane, self._set_aside[lane]) for lane in self._lanes_grown])
        self._lanes_grown.clear()

    def give_back_lane_seqs(self) -> None:
        """Write down what was given out, and forget the lanes: what was set aside beyond it is given out later. Inside a
        transaction. Without it, after a crash, some numbers are left out."""
        unused = [(lane, last) for lane, last in self._lane_seqs.items() if last < self._set_aside[lane]]
        _LANE_SEQS.run(self.connection, unused)
        self._forget_lanes()
        self._lanes_before = dict.fromkeys(self._lanes_before)

    def _forget_lanes(self) -> None:
        self._lane_seqs.clear()
        self._set_aside.clear()
        self._lanes_grown.clear()

    def keep_steps(self) -> None:
        """At the end of each transaction."""
        if self.steps or len(self.came) >= steps.MOST_PENDING:
            self._write_steps()

    def tell_coming(self) -> None:
        """Before events are deleted: `steps.pending` would not find them any more."""
        if self.came:
            self._write_steps()

    def _write_steps(self) -> None:
        told = self.came + self.steps
        steps.keep(self.connection, self._next_step, self.last_seq, told)
        self._next_step += len(told)
        self.came.clear()
        self.steps.clear()

    def raise_marks(self, *, last_event: int, last_delivery: int, pruned: int) -> None:
        """Before rows are deleted: numbers are never given out twice, and figures count without counting."""
        self.connection.executemany(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
            [("last_event", last_event), ("last_delivery", last_delivery)],
        )
        self.connection.execute(
            "INSERT INTO meta (name, value) VALUES ('pruned', ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
            (pruned,),
        )
