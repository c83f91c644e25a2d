"""All writes other than accepting and recording: dead letters, undecodable input, addresses, waits, pruning. On the writer's
thread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.journal.rules import states
from bridge.journal.rules.early import UNKNOWN
from bridge.journal.sqlite import arrivals, invites, keys, mailboxes, partners, persons
from bridge.journal.sqlite.accepting import write_cursors
from bridge.journal.sqlite.bulk import Bulk
from bridge.journal.sqlite.codec import (
    BEHIND,
    NUMBERS,
    SKIPPED,
    Packed,
    pack_id,
    pack_time,
    sql_states,
    unpack_more,
    unpack_optional,
)
from bridge.journal.sqlite.ledger import Ledger
from bridge.journal.sqlite.recording import finish
from bridge.model.adapter import Cursor
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatAddress, ChatRef

RAW_LIMIT_BYTES = 64 * 1024

_HURRY = tuple(
    Bulk(f"UPDATE delivery SET not_before = NULL WHERE lane IN (VALUES {{rows}}) AND {condition} RETURNING id", 1)
    for condition in (f"state {sql_states(states.IN_LINE)}", f"state = {BEHIND}")
)

_GIVEN_UP = sql_states(states.GIVEN_UP)
_RETRY = Bulk(
    f"UPDATE delivery SET state = {NUMBERS[states.RETRIED]}, attempt = 0, first_attempt_at = NULL, not_before = NULL, at = NULL"
    f" WHERE id IN (VALUES {{rows}}) AND state {_GIVEN_UP} RETURNING id, lane, event, thread, base",
    1,
)
_NO_PIECE = "DELETE FROM piece WHERE seq = ? AND lane_end = ?"
_DEAD = Bulk(f"SELECT id FROM delivery WHERE id IN (VALUES {{rows}}) AND state {_GIVEN_UP}", 1)


def retry_dead(ledger: Ledger, deliveries: Sequence[int]) -> list[ChatAddress]:
    """A delivery that was to be merged with others is no piece of that message, unless it was found to be there."""
    rows = _RETRY.run(ledger.connection, [(number,) for number in deliveries])
    alone = [
        (event, ledger.names.find_end(ledger.names.lane_of(lane), unpack_optional(thread)))
        for _id, lane, event, thread, base in rows
        if base is None
    ]
    ledger.connection.executemany(_NO_PIECE, alone)
    ledger.steps += [(delivery, NUMBERS[states.RETRIED]) for delivery, *_ in rows]
    return sorted(map(ledger.names.lane_of, {lane for _id, lane, *_ in rows}))


def drop_dead(ledger: Ledger, deliveries: Sequence[int], at: datetime) -> int:
    dead = {number for (number,) in _DEAD.run(ledger.connection, [(number,) for number in deliveries])}
    finish(ledger, [(number, SKIPPED, pack_time(at), str(Skip.DROPPED_BY_ADMIN)) for number in dead])
    return len(dead)


def keep_undecodable(
    ledger: Ledger, account: AccountName, raw: bytes, reason: str, cursors: Sequence[Cursor], received_at: datetime, limit: int
) -> None:
    """The newest `limit` are kept."""
    number = ledger.connection.execute(
        "INSERT INTO undecodable (account, reason, received_at, raw) VALUES (?, ?, ?, ?)",
        (account, reason, pack_time(received_at), raw[:RAW_LIMIT_BYTES]),
    ).lastrowid
    assert number is not None
    ledger.connection.execute("DELETE FROM undecodable WHERE number <= ?", (number - limit,))
    write_cursors(ledger, [(account, cursors)])


def set_note(ledger: Ledger, name: str, value: str) -> None:
    ledger.connection.execute(
        "INSERT INTO note (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value)
    )


def set_native_id(ledger: Ledger, address: ChatAddress, chat_id: str) -> None:
    ledger.connection.execute(
        "INSERT INTO native_id (account, address, chat_id) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET chat_id = excluded.chat_id",
        (address.account, address.address, chat_id),
    )


def chat_moved(ledger: Ledger, old: ChatRef, new: ChatRef) -> None:
    ledger.connection.execute(
        "UPDATE native_id SET chat_id = ? WHERE account = ? AND chat_id = ?", (new.chat_id, old.account, old.chat_id)
    )


def set_wait(ledger: Ledger, name: str, until: datetime, at: datetime) -> None:
    ledger.connection.execute(
        "INSERT INTO wait (name, until, at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until, at = excluded.at",
        (name, pack_time(until), pack_time(at)),
    )


def hurry(
    ledger: Ledger, account: AccountName, lanes: Sequence[ChatAddress], waits: Sequence[str], everything: bool, at: datetime
) -> int:
    numbers = [(number,) for lane in lanes if (number := ledger.names.find_lane(lane)) is not None]
    opened = sum(len(bulk.run(ledger.connection, numbers)) for bulk in _HURRY)
    ledger.connection.executemany("DELETE FROM wait WHERE name = ?", [(name,) for name in waits])
    wishes = [(account, None)] if everything else [(lane.account, lane.address) for lane in lanes]
    ledger.connection.executemany(
        "INSERT INTO wish (account, address, at) VALUES (?, ?, ?)", [(*wish, pack_time(at)) for wish in wishes]
    )
    return opened


def take_hurried(ledger: Ledger) -> list[tuple[AccountName, ChatAddress | None]]:
    wishes = ledger.connection.execute("SELECT DISTINCT account, address FROM wish ORDER BY account, address").fetchall()
    ledger.connection.execute("DELETE FROM wish")
    return [
        (AccountName(account), None if address is None else ChatAddress(AccountName(account), address))
        for account, address in wishes
    ]


# -- pruning ----------------------------------------------------------------------------------------------------------------

_UNLINK = Bulk(
    "DELETE FROM link WHERE (chat, message, seq) IN (SELECT l.chat, l.message, l.seq FROM (VALUES {rows}) AS v"
    " CROSS JOIN link AS l ON l.chat = v.column1 AND l.message = v.column2 AND l.seq = v.column3)",
    3,
)
_PARTS = Bulk("SELECT chat, message, more, seq FROM part WHERE seq IN (VALUES {rows})", 1)
_GONE = Bulk("SELECT chat, message, seq FROM gone WHERE seq IN (VALUES {rows})", 1)
_BY_EVENT = tuple(
    Bulk(f"DELETE FROM {table} WHERE seq IN (VALUES {{rows}})", 1)
    for table in ("part", "piece", "gone", "reaction", "poll", "vote", "item", "latest", "change", "event")
)
_DELIVERIES = "DELETE FROM delivery WHERE id BETWEEN ? AND ?"


def prune(ledger: Ledger, before: datetime, limit: int) -> int:
    """One step of pruning: at most `limit` events. Those with a dead or open delivery are not finished, so they stay."""
    moment = pack_time(before)
    connection = ledger.connection
    events = connection.execute(
        "SELECT seq, origin, message, also, first_delivery, deliveries FROM event WHERE open = 0 AND accepted_at < ?"
        " ORDER BY accepted_at LIMIT ?",
        (moment, limit),
    ).fetchall()
    if not events:
        return 0
    ledger.tell_coming()
    seqs = [(seq,) for seq, *_ in events]
    links: list[tuple[int, Packed, int]] = []
    for seq, origin, message, also, _first, _count in events:
        links += _links(origin, message, also, seq)
    for chat, message, more, seq in _PARTS.run(connection, seqs):
        links += _links(chat, message, more, seq)
    for chat, message, seq in _GONE.run(connection, seqs):
        links.append((chat, message, seq))
    ledger.raise_marks(
        last_event=max(seq for (seq,) in seqs),
        last_delivery=max(first + count - 1 for *_, first, count in events),
        pruned=len(events),
    )
    _UNLINK.run(connection, links)
    connection.executemany(_DELIVERIES, [(first, first + count - 1) for *_, first, count in events if count])
    for bulk in _BY_EVENT:
        bulk.run(connection, seqs)
    return len(events)


def _links(chat: int, message: Packed | None, more: str | None, seq: int) -> list[tuple[int, Packed, int]]:
    """A message that belongs to another event by now keeps its link: hence the event's number with it."""
    return [] if message is None else [(chat, packed, seq) for packed in (message, *map(pack_id, unpack_more(more)))]


def prune_rest(ledger: Ledger, before: datetime) -> None:
    """Old entries that belong to no event; and reactions that came before their message, with their event."""
    moment = pack_time(before)
    ledger.connection.execute("DELETE FROM undecodable WHERE received_at < ?", (moment,))
    ledger.connection.execute(f"DELETE FROM reaction WHERE seq = {UNKNOWN} AND event NOT IN (SELECT seq FROM event)")
    ledger.connection.execute("DELETE FROM wait WHERE until < ?", (moment,))
    ledger.connection.execute("DELETE FROM wish WHERE at < ?", (moment,))
    keys.prune(ledger, before)
    invites.prune(ledger, before)
    arrivals.prune(ledger, before)
    mailboxes.prune(ledger, before)
    persons.prune(ledger.connection, before)
    partners.prune(ledger.connection, before)


SHRINK_PAGES = 256


def shrink(ledger: Ledger) -> bool:
    """One step of giving free pages back to the disk: when more than half of the file is free, as after a long outage. Below that
    they are kept: they will be used again. False if there is nothing to do."""
    free = ledger.connection.execute("PRAGMA freelist_count").fetchone()[0]
    pages = ledger.connection.execute("PRAGMA page_count").fetchone()[0]
    if free < 2 * SHRINK_PAGES or free * 2 < pages:
        return False
    for _ in range(SHRINK_PAGES):
        ledger.connection.execute("PRAGMA incremental_vacuum(1)")  # sqlite3 runs one step of it, whatever number it is given
    return True
