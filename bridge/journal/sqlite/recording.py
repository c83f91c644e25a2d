"""Executes changes to deliveries, many at once. Runs on the writer's thread.

Changes are gathered into waves: within one wave each kind of change is one statement, and the kinds run in a fixed order. A change
that must come after one already in the wave (same delivery or same part, later kind first) begins a new wave. So the result is that
of carrying them out one by one, and the usual `[PartReceipt, Delivered]` of many lanes is a single wave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import assert_never

from bridge.journal.contract import (
    Answered,
    AttemptStarted,
    Change,
    CopyCameLate,
    Dead,
    Deferred,
    Delivered,
    PartGone,
    PartReceipt,
    PiecesSet,
    PlanSet,
    Skipped,
)
from bridge.journal.rules import states
from bridge.journal.rules.links import LinkKind, no_copies_any_more
from bridge.journal.sqlite import answers
from bridge.journal.sqlite.accepting import follow_late
from bridge.journal.sqlite.bulk import Bulk, Row
from bridge.journal.sqlite.codec import (
    NUMBERS,
    SENDING,
    Packed,
    pack_id,
    pack_marks,
    pack_more,
    pack_optional,
    pack_optional_time,
    pack_text,
    pack_time,
    sql_states,
    sql_transition,
    unpack_more,
)
from bridge.journal.sqlite.ledger import Ledger

_OPEN = sql_states(states.TAKEN_IN[AttemptStarted])
_UNFINISHED = sql_states(states.TAKEN_IN[Delivered])
_AFTER_A_PART = sql_transition(states.AFTER_A_PART)

_PARTS = Bulk(
    "SELECT part.seq, part.lane_end, part.part, part.chat, part.message, part.more FROM (VALUES {rows}) AS v"
    " CROSS JOIN part ON part.seq = v.column1 AND part.lane_end = v.column2 AND part.part = v.column3",
    3,
)
# Columns: seq, lane_end, part, delivery, chat, message, more, thread, data, text, marks.
# An event that is pruned by now takes no more copies.
_PART = Bulk(
    "INSERT INTO part (seq, lane_end, part, chat, message, more, thread, data, text, marks, delivery, edit)"
    " SELECT v.column1, v.column2, v.column3, v.column5, v.column6, v.column7, v.column8, v.column9, v.column10, v.column11,"
    " iif(delivery.event = v.column1, v.column4, NULL), iif(delivery.event = v.column1, NULL, v.column4)"
    " FROM (VALUES {rows}) AS v CROSS JOIN event ON event.seq = v.column1 LEFT JOIN delivery ON delivery.id = v.column4 WHERE true"
    " ON CONFLICT DO UPDATE SET chat = excluded.chat, message = excluded.message, more = excluded.more, thread = excluded.thread,"
    " data = excluded.data, text = excluded.text, marks = excluded.marks,"
    " delivery = coalesce(excluded.delivery, delivery), edit = coalesce(excluded.edit, edit)",
    11,
)
_LINK = Bulk(
    "INSERT OR REPLACE INTO link (chat, message, seq, rank, copy)"
    f" SELECT v.column1, v.column2, v.column3, v.column4, {LinkKind.COPY} FROM (VALUES {{rows}}) AS v"
    " CROSS JOIN event ON event.seq = v.column3",
    4,
)
_UNLINK = (
    f"UPDATE link SET copy = {LinkKind.GONE} WHERE chat = ? AND message = ? AND seq = ? AND copy = {LinkKind.COPY}"
    " RETURNING seq, chat, message"
)
_GONE = "INSERT OR IGNORE INTO gone (seq, chat, message) VALUES (?, ?, ?)"
_NO_PART = "DELETE FROM part WHERE seq = ? AND lane_end = ? AND part = ?"

_NO_PIECES = "DELETE FROM piece WHERE lane_end = ? AND lead = ?"
_PIECE = Bulk(
    "INSERT OR REPLACE INTO piece (seq, lane_end, lead, content) SELECT v.column1, v.column2, v.column3, v.column4"
    " FROM (VALUES {rows}) AS v CROSS JOIN event ON event.seq = v.column1",
    4,
)

_ATTEMPT = Bulk(
    f"UPDATE delivery SET state = {SENDING}, attempt = v.column2, at = v.column3,"
    " first_attempt_at = coalesce(v.column4, first_attempt_at, v.column3), not_before = NULL"
    f" FROM (VALUES {{rows}}) AS v WHERE id = v.column1 AND state {_OPEN} RETURNING id",
    4,
)
# The attempt's outcome is known now, and the next part has none yet.
_PROGRESS = Bulk(
    f"UPDATE delivery SET state = {_AFTER_A_PART}, attempt = 0, base = v.column2"
    f" FROM (VALUES {{rows}}) AS v WHERE id = v.column1 AND state {_UNFINISHED} RETURNING id",
    2,
)
_DEFER = Bulk(
    "UPDATE delivery SET state = v.column2, attempt = v.column3, not_before = v.column4, note = v.column5, at = v.column6,"
    " first_attempt_at = coalesce(v.column7, first_attempt_at)"
    f" FROM (VALUES {{rows}}) AS v WHERE id = v.column1 AND state {_OPEN} RETURNING id",
    7,
)
_FINISH = Bulk(
    "UPDATE delivery SET state = v.column2, at = v.column3, note = v.column4, attempt = NULL, first_attempt_at = NULL,"
    " not_before = NULL, base = NULL, lane_seq = NULL"
    f" FROM (VALUES {{rows}}) AS v WHERE id = v.column1 AND state {_UNFINISHED} RETURNING id, event",
    4,
)
_DIE = Bulk(
    "UPDATE delivery SET state = v.column2, at = v.column3, note = v.column4, not_before = NULL"
    f" FROM (VALUES {{rows}}) AS v WHERE id = v.column1 AND state {_UNFINISHED} RETURNING id",
    4,
)
_PLAN = Bulk(
    "INSERT OR REPLACE INTO plan (delivery, content) SELECT v.column1, v.column2 FROM (VALUES {rows}) AS v"
    f" CROSS JOIN delivery ON delivery.id = v.column1 WHERE delivery.state {_UNFINISHED}",
    2,
)
_NO_PLAN = Bulk("DELETE FROM plan WHERE delivery IN (VALUES {rows})", 1)
_EXISTS = Bulk("SELECT id FROM delivery WHERE id IN (VALUES {rows})", 1)
_CLOSE = Bulk("UPDATE event SET open = open - v.column2 FROM (VALUES {rows}) AS v WHERE seq = v.column1 RETURNING seq, open", 2)
_NO_BODY = Bulk("DELETE FROM body WHERE seq IN (VALUES {rows})", 1)

# The order of kinds within a wave.
_GONE_RANK, _SENT_RANK, _ATTEMPT_RANK, _DEFER_RANK, _FINISH_RANK, _DIE_RANK, _LATE_RANK = range(7)


class _Wave:
    def __init__(self) -> None:
        self._ranks: dict[tuple[object, ...], int] = {}
        self.gone: list[PartGone] = []
        self.sent: list[PartReceipt] = []
        self.pieces: list[PiecesSet] = []
        self.plans: dict[int, Row] = {}
        self.attempts: list[Row] = []
        self.deferred: list[Row] = []
        self.finished: dict[int, Row] = {}
        self.dead: list[Row] = []
        self.late: list[CopyCameLate] = []
        self.answers: list[Answered] = []

    def take(self, change: Change) -> bool:
        """False if the change has to wait for the next wave."""
        rank, keys = _order(change)
        for key in keys:
            last = self._ranks.get(key)
            if last is not None and (last > rank or (last == rank and rank != _SENT_RANK) or (rank == _SENT_RANK and len(key) > 1)):
                return False
        for key in keys:
            self._ranks[key] = rank
        self._add(change)
        return True

    def _add(self, change: Change) -> None:
        match change:
            case AttemptStarted():
                first_at = pack_optional_time(change.first_attempt_at)
                self.attempts.append((change.delivery_id, change.attempt, pack_time(change.at), first_at))
            case PlanSet():
                self.plans[change.delivery_id] = (change.delivery_id, change.content)
            case PartReceipt():
                self.sent.append(change)
            case PartGone():
                self.gone.append(change)
            case PiecesSet():
                self.pieces.append(change)
            case Deferred():
                at, first_at = pack_optional_time(change.at), pack_optional_time(change.first_attempt_at)
                due = pack_time(change.not_before)
                self.deferred.append((change.delivery_id, _after(change), change.attempt, due, change.error, at, first_at))
            case Delivered():
                note = "; ".join(map(str, change.losses)) or None
                self.finished[change.delivery_id] = (change.delivery_id, _after(change), pack_time(change.at), note)
            case Skipped():
                self.finished[change.delivery_id] = (change.delivery_id, _after(change), pack_time(change.at), str(change.rule))
            case Dead():
                self.dead.append((change.delivery_id, _after(change), pack_time(change.at), change.reason))
            case Answered():
                self.answers.append(change)
            case CopyCameLate():
                self.late.append(change)
            case _:
                assert_never(change)


def _after(change: AttemptStarted | Deferred | Delivered | Skipped | Dead) -> int:
    return NUMBERS[states.after(change)]


def _order(change: Change) -> tuple[int, tuple[tuple[object, ...], ...]]:
    """Its place within a wave, and what it touches."""
    match change:
        case PartGone():
            return _GONE_RANK, ((change.event_seq, change.target, change.thread_id, change.part),)
        case PartReceipt():
            return _SENT_RANK, ((change.delivery_id,), (change.event_seq, change.target, change.thread_id, change.part))
        case PiecesSet() | PlanSet() | Answered():
            return _GONE_RANK, ()  # touches nothing that another kind of change does
        case AttemptStarted():
            return _ATTEMPT_RANK, ((change.delivery_id,),)
        case Deferred():
            return _DEFER_RANK, ((change.delivery_id,),)
        case Delivered() | Skipped():
            return _FINISH_RANK, ((change.delivery_id,),)
        case Dead():
            return _DIE_RANK, ((change.delivery_id,),)
        case CopyCameLate():
            return _LATE_RANK, ((change.delivery_id,),)


def record(ledger: Ledger, changes: Iterable[Change]) -> None:
    """Raises ValueError for a change to a delivery that cannot have it: an attempt that is not recorded must not be made."""
    wave = _Wave()
    for change in changes:
        if not wave.take(change):
            _carry_out(ledger, wave)
            wave = _Wave()
            wave.take(change)
    _carry_out(ledger, wave)


def _carry_out(ledger: Ledger, wave: _Wave) -> None:
    connection = ledger.connection
    for gone in wave.gone:
        _remove_part(ledger, gone)
    if wave.sent:
        _record_parts(ledger, wave.sent)
        progress = {sent.delivery_id: sent.event_seq for sent in wave.sent if sent.delivery_id not in wave.finished}
        _PROGRESS.run(connection, list(progress.items()))
    for pieces in wave.pieces:
        _set_pieces(ledger, pieces)
    _PLAN.run(connection, list(wave.plans.values()))
    answers.add(ledger, wave.answers)
    if wave.attempts:
        _must_be_all(wave.attempts, _ATTEMPT.run(connection, wave.attempts), "an attempt at")
    if wave.deferred:
        _must_be_all(wave.deferred, _DEFER.run(connection, wave.deferred), "a delay of")
        ledger.steps += [(delivery, state) for delivery, state, *_ in wave.deferred]
    if wave.finished:
        finish(ledger, list(wave.finished.values()))
    if wave.dead:
        died = _DIE.run(connection, wave.dead)
        _must_exist(ledger, wave.dead, died)
        states_now = {delivery: state for delivery, state, *_ in wave.dead}
        ledger.steps += [(delivery, states_now[delivery]) for (delivery,) in died]
    for late in wave.late:
        follow_late(ledger, late)


def _must_be_all(rows: Sequence[Row], done: Sequence[Row], what: str) -> None:
    missing = {row[0] for row in rows} - {row[0] for row in done}
    if missing:
        raise ValueError(f"{what} deliveries {sorted(missing)}, which are not open")


def _must_exist(ledger: Ledger, rows: Sequence[Row], done: Sequence[Row]) -> None:
    """An outcome of a delivery that has a final one already changes nothing; of one that does not exist it is a mistake."""
    missing = {row[0] for row in rows} - {row[0] for row in done}
    missing -= {number for (number,) in _EXISTS.run(ledger.connection, [(number,) for number in missing])}
    if missing:
        raise ValueError(f"an outcome of deliveries {sorted(missing)}, which do not exist")


def finish(ledger: Ledger, rows: Sequence[Row]) -> None:
    """Rows (delivery, final state, at, note). The event's body is deleted with its last open delivery."""
    connection = ledger.connection
    done = _FINISH.run(connection, rows)
    if len(done) < len(rows):
        _must_exist(ledger, rows, done)
    if done:
        _NO_PLAN.run(connection, [(delivery,) for delivery, _ in done])
        answers.forget(ledger, [delivery for delivery, _ in done])
        states_now = {delivery: state for delivery, state, *_ in rows}
        ledger.steps += [(delivery, states_now[delivery]) for delivery, _ in done]
        closed = _CLOSE.run(connection, list(Counter(seq for _, seq in done).items()))
        _NO_BODY.run(connection, [(seq,) for seq, left in closed if left == 0])


# -- parts and links --------------------------------------------------------------------------------------------------------


def _record_parts(ledger: Ledger, sent: Sequence[PartReceipt]) -> None:
    names, rank = ledger.names, ledger.last_seq
    parts: list[Row] = []
    links: dict[tuple[int, Packed], Row] = {}
    for change in sent:
        receipt, chat = change.receipt, names.chat(change.chat)
        ids = [pack_id(message) for message in receipt.message_ids]
        parts.append(
            (
                change.event_seq,
                names.end(change.target, change.thread_id),
                change.part,
                change.delivery_id,
                chat,
                ids[0] if ids else None,
                pack_more(receipt.message_ids[1:]),
                pack_optional(receipt.thread_id),
                pack_id(receipt.adapter_data) if receipt.adapter_data else None,
                pack_text(change.carried),
                pack_marks(change.carried),
            )
        )
        for message in ids:
            links[chat, message] = (chat, message, change.event_seq, rank)
    now = {row[:3]: (row[5], row[6]) for row in parts}
    for *key, chat, message, more in _PARTS.run(ledger.connection, [row[:3] for row in parts]):
        _unlink(ledger, key[0], chat, no_copies_any_more(_ids(message, more), _ids(*now[tuple(key)])))
    _PART.run(ledger.connection, parts)
    _LINK.run(ledger.connection, list(links.values()))


def _remove_part(ledger: Ledger, gone: PartGone) -> None:
    end = ledger.names.find_end(gone.target, gone.thread_id)
    if end is None:
        return
    key = (gone.event_seq, end, gone.part)
    for seq, _lane, _part, chat, message, more in _PARTS.run(ledger.connection, [key]):
        _unlink(ledger, seq, chat, no_copies_any_more(_ids(message, more)))
    ledger.connection.execute(_NO_PART, key)


def _set_pieces(ledger: Ledger, change: PiecesSet) -> None:
    end = ledger.names.end(change.target, change.thread_id)
    ledger.connection.execute(_NO_PIECES, (end, change.lead_seq))
    _PIECE.run(ledger.connection, [(piece.event_seq, end, change.lead_seq, piece.content) for piece in change.pieces])


def _ids(message: Packed | None, more: str | None) -> list[Packed]:
    return [] if message is None else [message, *map(pack_id, unpack_more(more))]


def _unlink(ledger: Ledger, seq: int, chat: int, messages: Sequence[Packed]) -> None:
    """The messages are no copies any more, but that they were is remembered: see `LinkKind.GONE`."""
    for message in messages:
        rows = ledger.connection.execute(_UNLINK, (chat, message, seq)).fetchall()
        ledger.connection.executemany(_GONE, rows)
