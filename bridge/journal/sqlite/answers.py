"""What failed attempts of a delivery were answered: reads and writes. Each function runs on the thread of its connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from bridge.journal.contract import Answered, StoredAnswer
from bridge.journal.contract.changes import ANSWER_BODY_CHARS, ANSWERS_KEPT
from bridge.journal.rules import states
from bridge.journal.sqlite.bulk import Bulk
from bridge.journal.sqlite.codec import pack_time, sql_states, unpack_time
from bridge.journal.sqlite.ledger import Ledger
from bridge.model.errors import Answer

_ADD = (
    "INSERT INTO answer (delivery, number, at, took, status, body)"
    " SELECT id, 1 + coalesce((SELECT max(number) FROM answer WHERE delivery = id), 0), ?2, ?3, ?4, ?5 FROM delivery"
    f" WHERE id = ?1 AND state {sql_states(states.UNFINISHED)}"
)
_FORGET_OLD = (
    f"DELETE FROM answer WHERE delivery = ?1 AND number <= (SELECT max(number) - {ANSWERS_KEPT} FROM answer WHERE delivery = ?1)"
)
_FORGET = Bulk("DELETE FROM answer WHERE delivery IN (VALUES {rows})", 1)


def add(ledger: Ledger, changes: Sequence[Answered]) -> None:
    for change in changes:
        answer = change.answer
        row = (change.delivery_id, pack_time(change.at), round(answer.took_s * 1e6), answer.status, answer.body[:ANSWER_BODY_CHARS])
        ledger.connection.execute(_ADD, row)
        ledger.connection.execute(_FORGET_OLD, (change.delivery_id,))


def forget(ledger: Ledger, deliveries: Sequence[int]) -> None:
    _FORGET.run(ledger.connection, [(delivery,) for delivery in deliveries])


def of(connection: sqlite3.Connection, delivery: int) -> tuple[StoredAnswer, ...]:
    rows = connection.execute(
        "SELECT at, took, status, body FROM answer WHERE delivery = ? ORDER BY number", (delivery,)
    ).fetchall()
    return tuple(
        StoredAnswer(at=unpack_time(at), answer=Answer(status=status, took_s=took / 1e6, body=body))
        for at, took, status, body in rows
    )
