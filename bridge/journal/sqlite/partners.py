"""Threads of different chats that are one conversation: reads and writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bridge.identity.names import title_line
from bridge.journal.contract import Made, Partner, PartnerState
from bridge.journal.sqlite.codec import pack_id, pack_time, unpack_id, unpack_time
from bridge.journal.sqlite.ledger import Ledger
from bridge.journal.sqlite.persons import Read, Write
from bridge.journal.sqlite.reading import Queries
from bridge.model.events import ThreadChange, ThreadChanged, ThreadDeleted, ThreadEvent
from bridge.model.refs import AccountName, ChatRef, ThreadRef

_STATES = tuple(PartnerState)
_MADE = tuple(Made)
_COLUMNS = (
    "chat.account, chat.chat_id, partner.thread, partner.title, partner.state, partner.at, partner.made, partner.closed,"
    " partner.titled_by"
)
_JOINED = "partner JOIN chat ON chat.id = partner.chat"
_OPEN, _WANTED, _REFUSED, _ENDED = range(4)
_REVIVE = f"UPDATE partner SET state = {_OPEN} WHERE bond = ? AND chat = ? AND state = {_ENDED} AND thread IS NOT NULL"
_ADD = (
    "INSERT OR REPLACE INTO partner (bond, chat, thread, title, state, at, made, closed, titled_by)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class SqlitePartners:
    """See `contract.PartnerStore`."""

    def __init__(self, write: Write, read: Read) -> None:
        self._write = write
        self._read = read

    async def partner(self, thread: ThreadRef, chat: ChatRef) -> Partner | None:
        found = await self.partners(thread)
        return next((one for one in found if one.chat == chat), None)

    async def partners(self, thread: ThreadRef) -> Sequence[Partner]:
        return await self._read(lambda queries: _partners(queries, thread))

    async def wanted_in(self, chat: ChatRef) -> Sequence[Partner]:
        return await self._read(
            lambda queries: _read(
                queries.connection,
                f"SELECT {_COLUMNS} FROM {_JOINED} WHERE chat.account = ? AND chat.chat_id = ? AND state = {_WANTED}",
                (chat.account, chat.chat_id),
            )
        )

    async def want_partner(self, thread: ThreadRef, chat: ChatRef, *, title: str, at: datetime) -> Partner:
        return await self._write(lambda ledger: _want(ledger, thread, chat, title, at))

    async def set_partner(
        self,
        thread: ThreadRef,
        chat: ChatRef,
        partner_id: str,
        *,
        title: str,
        at: datetime,
        made: Made = Made.THERE,
        titled_by: int | None = None,
        state: PartnerState = PartnerState.REFUSED,
    ) -> bool:
        def record(ledger: Ledger) -> bool:
            known = next((one for one in _bonded(ledger, thread) if one.chat == chat), None)
            partner = Partner(
                chat=chat,
                thread_id=partner_id,
                title=title,
                state=PartnerState.OPEN if partner_id and state is not PartnerState.ENDED else state,
                at=at,
                made=known.made if known is not None and state is PartnerState.ENDED else made,
                titled_by=known.titled_by if known is not None and known.titled_by is not None else titled_by,
            )
            return _set(ledger, thread, partner)

        return await self._write(record)

    async def use_partner(self, thread: ThreadRef, chat: ChatRef, *, at: datetime) -> None:
        def use(ledger: Ledger) -> None:
            bond, number = _bond(ledger, thread), ledger.names.find_chat(chat)
            row = (pack_time(at), bond, number)
            ledger.connection.execute("UPDATE partner SET at = max(at, ?) WHERE bond = ? AND chat = ?", row)

        await self._write(use)

    async def forget_thread(self, thread: ThreadRef) -> None:
        def forget(ledger: Ledger) -> None:
            row = (ledger.names.find_chat(thread.chat), pack_id(thread.thread_id or ""))
            ledger.connection.execute("DELETE FROM partner WHERE chat = ? AND thread = ?", row)

        await self._write(forget)


def prune(connection: sqlite3.Connection, before: datetime) -> None:
    """Conversations none of whose threads was used since."""
    connection.execute(
        "DELETE FROM partner WHERE bond IN (SELECT bond FROM partner GROUP BY bond HAVING max(at) < ?)", (pack_time(before),)
    )


def _partners(queries: Queries, thread: ThreadRef) -> list[Partner]:
    return _read(
        queries.connection,
        f"SELECT {_COLUMNS} FROM {_JOINED} WHERE partner.bond ="
        " (SELECT mine.bond FROM partner AS mine JOIN chat AS there ON there.id = mine.chat"
        " WHERE there.account = ? AND there.chat_id = ? AND mine.thread = ?)",
        (thread.chat.account, thread.chat.chat_id, pack_id(thread.thread_id or "")),
    )


def _read(connection: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> list[Partner]:
    return [_made(*row) for row in connection.execute(sql, values).fetchall()]


def _made(
    account: str, chat_id: str, thread: Any, title: str, state: int, at: int, made: int, closed: int, titled_by: int | None
) -> Partner:
    return Partner(
        chat=ChatRef(AccountName(account), chat_id),
        thread_id="" if thread is None else unpack_id(thread),
        title=title,
        state=_STATES[state],
        at=unpack_time(at),
        made=_MADE[made],
        is_closed=bool(closed),
        titled_by=titled_by,
    )


def _bond(ledger: Ledger, thread: ThreadRef) -> int | None:
    row = ledger.connection.execute(
        "SELECT bond FROM partner WHERE chat = ? AND thread = ?",
        (ledger.names.find_chat(thread.chat), pack_id(thread.thread_id or "")),
    ).fetchone()
    return None if row is None else int(row[0])


def _bonded(ledger: Ledger, thread: ThreadRef) -> list[Partner]:
    """All threads of that one's conversation."""
    sql = f"SELECT {_COLUMNS} FROM {_JOINED} WHERE partner.bond = ?"
    return _read(ledger.connection, sql, (_bond(ledger, thread),))


def _bound(ledger: Ledger, thread: ThreadRef, title: str, at: datetime) -> int:
    """The thread's conversation, a new one if it has none."""
    known = _bond(ledger, thread)
    if known is not None:
        return known
    bond: int = ledger.connection.execute("SELECT coalesce(max(bond), 0) + 1 FROM partner").fetchone()[0]
    row = (bond, ledger.names.chat(thread.chat), pack_id(thread.thread_id or ""), title, _OPEN, pack_time(at), 0, 0, None)
    ledger.connection.execute(_ADD, row)
    return bond


def _want(ledger: Ledger, thread: ThreadRef, chat: ChatRef, title: str, at: datetime) -> Partner:
    """One that could not be made is tried anew, as if it had never been wanted."""
    bond, number = _bound(ledger, thread, title, at), ledger.names.chat(chat)
    ledger.connection.execute(
        "INSERT INTO partner (bond, chat, thread, title, state, at) VALUES (?, ?, NULL, ?, ?, ?)"
        f" ON CONFLICT DO UPDATE SET state = excluded.state, title = excluded.title, at = excluded.at WHERE state = {_REFUSED}",
        (bond, number, title, _WANTED, pack_time(at)),
    )
    sql = f"SELECT {_COLUMNS} FROM {_JOINED} WHERE partner.bond = ? AND partner.chat = ?"
    return _read(ledger.connection, sql, (bond, number))[0]


def _set(ledger: Ledger, thread: ThreadRef, partner: Partner) -> bool:
    there = ThreadRef(partner.chat, partner.thread_id)
    if partner.thread_id and (owner := _bond(ledger, there)) is not None and owner != _bond(ledger, thread):
        return False
    bond = _bound(ledger, thread, partner.title, partner.at)
    closed = ledger.connection.execute("SELECT max(closed) FROM partner WHERE bond = ?", (bond,)).fetchone()[0]
    row = (
        bond,
        ledger.names.chat(partner.chat),
        pack_id(partner.thread_id) if partner.thread_id else None,
        partner.title,
        _STATES.index(partner.state),
        pack_time(partner.at),
        _MADE.index(partner.made),
        closed,
        partner.titled_by,
    )
    ledger.connection.execute(_ADD, row)
    return True


# -- what is told of threads ----------------------------------------------------------------------------------------------------


def is_told(ledger: Ledger, event: ThreadEvent) -> bool:
    """Record what the conversation is like from now on. False: it is so already, and the event is an echo."""
    bond, chat = _bond(ledger, ThreadRef(event.meta.origin, event.meta.thread_id or "")), ledger.names.find_chat(event.meta.origin)
    if bond is None:
        return True
    here, connection = (bond, chat), ledger.connection
    title, closed, made = connection.execute("SELECT title, closed, made FROM partner WHERE bond = ? AND chat = ?", here).fetchone()
    match event:
        case ThreadChanged(change=ThreadChange.RENAMED):
            name = title_line(event.name)
            if not name or name == title:
                return False
            # one that is being made is looked for by the name that it was to have
            connection.execute(f"UPDATE partner SET title = ? WHERE bond = ? AND state != {_WANTED}", (name, bond))
        case ThreadChanged():
            is_closed = event.change is ThreadChange.CLOSED
            if not is_closed:  # it takes messages again
                connection.execute(_REVIVE, here)
            if bool(closed) == is_closed:
                return False
            connection.execute("UPDATE partner SET closed = ? WHERE bond = ?", (int(is_closed), bond))
        case ThreadDeleted() if _MADE[made] is not Made.THERE:
            # a copy: the conversation goes on without it
            connection.execute("DELETE FROM partner WHERE bond = ? AND chat = ?", here)
    return True
