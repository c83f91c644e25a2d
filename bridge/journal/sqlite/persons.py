"""Decisions about people, linked accounts, claims, the audit, and dead letters shown at their origin."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from bridge.journal.contract import (
    Audited,
    Claim,
    Claimant,
    ClaimStep,
    Decision,
    DecisionKind,
    DeliveryStatus,
    LinkedUser,
    UserKey,
)
from bridge.journal.rules import states
from bridge.journal.sqlite import erasing
from bridge.journal.sqlite.codec import (
    NUMBERS,
    pack_id,
    pack_optional_time,
    pack_time,
    sql_states,
    unpack_id,
    unpack_optional_time,
    unpack_time,
)
from bridge.journal.sqlite.ledger import Ledger
from bridge.journal.sqlite.reading import Queries
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef

T = TypeVar("T")

AUDIT_KEPT = 10_000
_BLANKED_AT_ONCE = 100
"""Messages in one transaction: the daemon writes in between."""
_KINDS = tuple(DecisionKind)
_STEPS = tuple(ClaimStep)
_UNSHOWN = (
    f"SELECT id FROM delivery WHERE state {sql_states(states.GIVEN_UP)}"
    " AND NOT EXISTS (SELECT 1 FROM shown_dead WHERE shown_dead.delivery = delivery.id) ORDER BY id LIMIT ?"
)
_RECOVERED = (
    "SELECT shown_dead.delivery FROM shown_dead JOIN delivery ON delivery.id = shown_dead.delivery"
    f" WHERE delivery.state = {NUMBERS[DeliveryStatus.DELIVERED]} ORDER BY shown_dead.delivery LIMIT ?"
)


class Write(Protocol):
    def __call__(self, write: Callable[[Ledger], T], /) -> Coroutine[Any, Any, T]: ...


class Read(Protocol):
    def __call__(self, read: Callable[[Queries], T], /) -> Coroutine[Any, Any, T]: ...


class SqlitePersons:
    """See `contract.PersonStore`."""

    def __init__(self, write: Write, read: Read) -> None:
        self._write = write
        self._read = read

    async def decide(self, decision: Decision) -> None:
        user = decision.user
        row = (
            *(user.account, user.user_id, _KINDS.index(decision.kind), decision.name),
            *(pack_time(decision.at), decision.by, pack_optional_time(decision.until)),
        )
        await self._write(lambda ledger: _run(ledger, "INSERT OR REPLACE INTO decision VALUES (?, ?, ?, ?, ?, ?, ?)", row))

    async def undecide(self, user: UserKey, kind: DecisionKind) -> bool:
        row = (user.account, user.user_id, _KINDS.index(kind))
        return await self._write(
            lambda ledger: _run(ledger, "DELETE FROM decision WHERE account = ? AND user = ? AND kind = ?", row) > 0
        )

    async def decisions(self) -> Sequence[Decision]:
        rows = await self._rows("SELECT account, user, kind, name, at, by, until FROM decision ORDER BY at, account, user")
        return [
            Decision(
                user=UserKey(account=AccountName(account), user_id=user),
                kind=_KINDS[kind],
                name=name,
                at=unpack_time(at),
                by=by,
                until=unpack_optional_time(until),
            )
            for account, user, kind, name, at, by, until in rows
        ]

    async def linked(self) -> Sequence[LinkedUser]:
        rows = await self._rows("SELECT account, user, person, name, username, at FROM linked ORDER BY person, at, account, user")
        return [
            LinkedUser(
                user=UserKey(account=AccountName(account), user_id=user),
                person=person,
                name=name,
                username=username,
                at=unpack_time(at),
            )
            for account, user, person, name, username, at in rows
        ]

    async def link_users(self, one: LinkedUser, other: LinkedUser) -> None:
        await self._write(lambda ledger: _link(ledger, one, other))

    async def unlink_user(self, user: UserKey) -> bool:
        return await self._write(lambda ledger: _unlink(ledger, user))

    async def put_claim(self, claim: Claim) -> None:
        user, others = claim.asker.user, b"" if claim.other is None else msgspec.json.encode(claim.other)
        row = (
            *(user.account, user.user_id, msgspec.json.encode(claim.asker), _STEPS.index(claim.step), claim.code_hash),
            *(pack_time(claim.created_at), pack_time(claim.valid_until), others),
        )
        await self._write(lambda ledger: _run(ledger, "INSERT OR REPLACE INTO claim VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row))

    async def claims(self, *, at: datetime) -> Sequence[Claim]:
        rows = await self._rows("SELECT * FROM claim WHERE valid_until > ? ORDER BY created_at", pack_time(at))
        return [_claim(row) for row in rows]

    async def drop_claim(self, user: UserKey) -> bool:
        row = (user.account, user.user_id)
        return await self._write(lambda ledger: _run(ledger, "DELETE FROM claim WHERE account = ? AND user = ?", row) > 0)

    async def mark_of(self, chat: ChatAddress, who: str, looks: Sequence[tuple[str, str]], *, at: datetime) -> str:
        return await self._write(lambda ledger: _mark(ledger.connection, chat, who, looks, pack_time(at)))

    async def audit(self, entry: Audited) -> None:
        await self._write(lambda ledger: _audit(ledger, entry))

    async def audited(self, *, limit: int = 100) -> Sequence[Audited]:
        rows = await self._rows("SELECT number, at, actor, action, subject, result FROM audit ORDER BY number DESC LIMIT ?", limit)
        return [
            Audited(number=number, at=unpack_time(at), actor=actor, action=action, subject=subject, result=result)
            for number, at, actor, action, subject, result in rows
        ]

    async def unshown_dead(self, *, limit: int = 100) -> Sequence[int]:
        return [number for (number,) in await self._rows(_UNSHOWN, limit)]

    async def dead_shown(self, delivery_ids: Sequence[int], *, at: datetime) -> None:
        rows = [(number, pack_time(at)) for number in delivery_ids]
        await self._write(
            lambda ledger: ledger.connection.executemany("INSERT OR REPLACE INTO shown_dead VALUES (?, ?)", rows) and None
        )

    async def recovered(self, *, limit: int = 100) -> Sequence[int]:
        return [number for (number,) in await self._rows(_RECOVERED, limit)]

    async def forget_shown(self, delivery_ids: Sequence[int]) -> None:
        rows = [(number,) for number in delivery_ids]
        await self._write(lambda ledger: ledger.connection.executemany("DELETE FROM shown_dead WHERE delivery = ?", rows) and None)

    async def messages_of(self, user: UserKey, *, after: int = 0, limit: int = 500) -> Sequence[tuple[int, MessageRef]]:
        rows = await self._rows(
            "SELECT event.seq, chat.chat_id, event.message FROM event JOIN chat ON chat.id = event.origin"
            " WHERE chat.account = ? AND event.author_id = ? AND event.message IS NOT NULL AND event.seq > ?"
            " ORDER BY event.seq LIMIT ?",
            *(user.account, pack_id(user.user_id), after, limit),
        )
        return [(seq, MessageRef(ChatRef(user.account, chat), unpack_id(message))) for seq, chat, message in rows]

    async def blank(self, event_seqs: Sequence[int]) -> None:
        for start in range(0, len(event_seqs), _BLANKED_AT_ONCE):
            seqs = event_seqs[start : start + _BLANKED_AT_ONCE]
            await self._write(partial(erasing.blank, seqs=seqs))

    async def erase(self, user: UserKey, messages: Sequence[MessageRef]) -> None:
        await self._write(lambda ledger: erasing.erase(ledger, user, messages))

    async def _rows(self, sql: str, *values: object) -> list[Any]:
        return await self._read(lambda queries: queries.connection.execute(sql, values).fetchall())


def _run(ledger: Ledger, sql: str, row: Sequence[object]) -> int:
    return ledger.connection.execute(sql, row).rowcount


def _link(ledger: Ledger, one: LinkedUser, other: LinkedUser) -> None:
    connection, person = ledger.connection, one.person
    for user in (one.user, other.user):
        before = connection.execute(
            "SELECT person FROM linked WHERE account = ? AND user = ?", (user.account, user.user_id)
        ).fetchone()
        if before is not None:
            connection.execute("UPDATE linked SET person = ? WHERE person = ?", (person, before[0]))
    for each in (one, other):
        row = (each.user.account, each.user.user_id, person, each.name, each.username, pack_time(each.at))
        connection.execute("INSERT OR REPLACE INTO linked VALUES (?, ?, ?, ?, ?, ?)", row)


def _unlink(ledger: Ledger, user: UserKey) -> bool:
    """Unlink the account; a single account that remains is unlinked too."""
    connection, key = ledger.connection, (user.account, user.user_id)
    found = connection.execute("SELECT person FROM linked WHERE account = ? AND user = ?", key).fetchone()
    if found is None:
        return False
    connection.execute("DELETE FROM linked WHERE account = ? AND user = ?", key)
    connection.execute("DELETE FROM linked WHERE person = ?1 AND (SELECT count(*) FROM linked WHERE person = ?1) < 2", (found[0],))
    return True


def _mark(connection: sqlite3.Connection, chat: ChatAddress, who: str, looks: Sequence[tuple[str, str]], at: int) -> str:
    """The row of the plain look has the mark; that of the marked look reserves it."""
    place, plain = (chat.account, chat.address), looks[0][1]
    found = connection.execute(
        "SELECT mark FROM shown_name WHERE account = ? AND address = ? AND look = ? AND who = ?", (*place, plain, who)
    ).fetchone()
    mark, look = (found[0], dict(looks).get(found[0], plain)) if found else _free(connection, place, who, looks)
    rows = [(*place, plain, who, mark, at)] + ([(*place, look, who, "", at)] if look != plain else [])
    connection.executemany("INSERT OR REPLACE INTO shown_name VALUES (?, ?, ?, ?, ?, ?)", rows)
    return str(mark)


def _free(connection: sqlite3.Connection, place: tuple[str, str], who: str, looks: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The first free mark; the last one if none is free."""
    for mark, look in looks:
        taken = connection.execute(
            "SELECT 1 FROM shown_name WHERE account = ? AND address = ? AND look = ? AND who <> ? AND (mark = '' OR ?)",
            (*place, look, who, mark == ""),
        ).fetchone()
        if taken is None:
            return mark, look
    return looks[-1]


def _audit(ledger: Ledger, entry: Audited) -> None:
    row = (pack_time(entry.at), entry.actor, entry.action, entry.subject, entry.result)
    done = ledger.connection.execute("INSERT INTO audit (at, actor, action, subject, result) VALUES (?, ?, ?, ?, ?)", row)
    ledger.connection.execute("DELETE FROM audit WHERE number <= ?", ((done.lastrowid or 0) - AUDIT_KEPT,))


def _claim(row: Sequence[Any]) -> Claim:
    _account, _user, asker, step, code, created, until, other = row
    return Claim(
        asker=msgspec.json.decode(asker, type=Claimant),
        step=_STEPS[step],
        code_hash=code,
        created_at=unpack_time(created),
        valid_until=unpack_time(until),
        other=msgspec.json.decode(other, type=Claimant) if other else None,
    )


def prune(connection: sqlite3.Connection, before: datetime) -> None:
    """Delete expired claims and mutes, marks of deliveries that no longer exist, and old lines of the audit."""
    moment = pack_time(before)
    connection.execute("DELETE FROM shown_name WHERE at < ?", (moment,))
    connection.execute("DELETE FROM claim WHERE valid_until < ?", (moment,))
    connection.execute("DELETE FROM decision WHERE until < ?", (moment,))
    connection.execute("DELETE FROM audit WHERE at < ?", (moment,))
    connection.execute("DELETE FROM shown_dead WHERE delivery NOT IN (SELECT id FROM delivery)")
