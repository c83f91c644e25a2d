"""What arrived by keys, for who connects a sender: reads and writes. Each function runs on the thread of its connection."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

import msgspec

from bridge.journal.contract import Arrival, NewArrival
from bridge.journal.contract.keys import ARRIVAL_BODY_BYTES, ARRIVALS_KEPT
from bridge.journal.sqlite.codec import pack_time, unpack_optional_time, unpack_time
from bridge.journal.sqlite.ledger import Ledger

_COLUMNS = "number, key, at, method, query, headers, body, whole, status, answer, replay_at, replay_status, replay_answer"
_ADD = f"INSERT INTO arrival ({_COLUMNS}) VALUES (NULL, {', '.join('?' * 9)}, NULL, NULL, NULL)"
_ASKED = "replay_at IS NOT NULL AND replay_status IS NULL"
_headers = msgspec.json.Decoder(tuple[tuple[str, str], ...])

TAKEN = 0
"""`replay_status` of a replay that a daemon took up, and has no answer of yet."""


def arrivals(connection: sqlite3.Connection, key_id: str, after: int) -> list[Arrival]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM arrival WHERE key = ? AND number > ? ORDER BY number", (key_id, after))
    return [_arrival(row) for row in rows.fetchall()]


def is_replay_asked(connection: sqlite3.Connection) -> bool:
    return connection.execute(f"SELECT 1 FROM arrival WHERE {_ASKED} LIMIT 1").fetchone() is not None


def _arrival(row: tuple[Any, ...]) -> Arrival:
    number, key, at, method, query, headers, body, whole, status, answer, replay_at, replay_status, replay_answer = row
    return Arrival(
        number=number,
        key_id=key,
        arrived_at=unpack_time(at),
        method=method,
        query=query,
        headers=_headers.decode(headers),
        body=body,
        is_whole=bool(whole),
        status=status,
        answer=answer,
        replay_asked_at=unpack_optional_time(replay_at),
        replay_status=replay_status or None,
        replay_answer=replay_answer or "",
    )


def listen_to_key(ledger: Ledger, key_id: str, until: datetime) -> None:
    ledger.connection.execute("UPDATE access_key SET listened_until = ? WHERE id = ?", (pack_time(until), key_id))


def keep_arrival(ledger: Ledger, one: NewArrival) -> None:
    body = one.body[:ARRIVAL_BODY_BYTES]
    row = (
        *(one.key_id, pack_time(one.arrived_at), one.method, one.query, msgspec.json.encode(one.headers), body),
        *(int(one.is_whole and len(body) == len(one.body)), one.status, one.answer),
    )
    ledger.connection.execute(_ADD, row)
    ledger.connection.execute(
        "DELETE FROM arrival WHERE key = ?1 AND number <= (SELECT number FROM arrival WHERE key = ?1 ORDER BY number DESC"
        " LIMIT 1 OFFSET ?2)",
        (one.key_id, ARRIVALS_KEPT),
    )


def ask_replay(ledger: Ledger, key_id: str, since: datetime, at: datetime) -> list[int]:
    found = ledger.connection.execute(
        "UPDATE arrival SET replay_at = ?, replay_status = NULL, replay_answer = NULL"
        " WHERE key = ? AND at >= ? AND whole = 1 RETURNING number",
        (pack_time(at), key_id, pack_time(since)),
    )
    return sorted(number for (number,) in found.fetchall())


def take_replay(ledger: Ledger) -> Arrival | None:
    oldest = f"(SELECT number FROM arrival WHERE {_ASKED} ORDER BY number LIMIT 1)"
    taken = f"UPDATE arrival SET replay_status = {TAKEN} WHERE number = {oldest} RETURNING {_COLUMNS}"
    row = ledger.connection.execute(taken).fetchone()
    return None if row is None else _arrival(row)


def replayed(ledger: Ledger, number: int, status: int, answer: str) -> None:
    ledger.connection.execute("UPDATE arrival SET replay_status = ?, replay_answer = ? WHERE number = ?", (status, answer, number))


def prune(ledger: Ledger, before: datetime) -> None:
    ledger.connection.execute("DELETE FROM arrival WHERE at < ? OR key NOT IN (SELECT id FROM access_key)", (pack_time(before),))
