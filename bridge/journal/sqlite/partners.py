"""Threads of different chats that are one conversation: reads and writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bridge.journal.contract import Partner, PartnerState
from bridge.journal.sqlite.codec import pack_id, pack_time, unpack_id, unpack_time
from bridge.journal.sqlite.ledger import Ledger
from bridge.journal.sqlite.persons import Read, Write
from bridge.journal.sqlite.reading import Queries
from bridge.model.refs import AccountName, ChatRef, ThreadRef

_STATES = tuple(PartnerState)
_COLUMNS = "chat.account, chat.chat_id, partner.thread, partner.title, partner.state, partner.at"
_JOINED = "partner JOIN chat ON chat.id = partner.chat"
_OPEN, _WANTED, _REFUSED = range(3)


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

    async def set_partner(self, thread: ThreadRef, chat: ChatRef, partner_id: str, *, title: str, at: datetime) -> bool:
        return await self._write(lambda ledger: _set(ledger, thread, chat, partner_id, title, at))

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


def _made(account: str, chat_id: str, thread: Any, title: str, state: int, at: int) -> Partner:
    return Partner(
        chat=ChatRef(AccountName(account), chat_id),
        thread_id="" if thread is None else unpack_id(thread),
        title=title,
        state=_STATES[state],
        at=unpack_time(at),
    )


def _bond(ledger: Ledger, thread: ThreadRef) -> int | None:
    row = ledger.connection.execute(
        "SELECT bond FROM partner WHERE chat = ? AND thread = ?",
        (ledger.names.find_chat(thread.chat), pack_id(thread.thread_id or "")),
    ).fetchone()
    return None if row is None else int(row[0])


def _bound(ledger: Ledger, thread: ThreadRef, title: str, at: datetime) -> int:
    """The thread's conversation, a new one if it has none."""
    known = _bond(ledger, thread)
    if known is not None:
        return known
    bond: int = ledger.connection.execute("SELECT coalesce(max(bond), 0) + 1 FROM partner").fetchone()[0]
    row = (bond, ledger.names.chat(thread.chat), pack_id(thread.thread_id or ""), title, _OPEN, pack_time(at))
    ledger.connection.execute("INSERT INTO partner VALUES (?, ?, ?, ?, ?, ?)", row)
    return bond


def _want(ledger: Ledger, thread: ThreadRef, chat: ChatRef, title: str, at: datetime) -> Partner:
    bond, number = _bound(ledger, thread, title, at), ledger.names.chat(chat)
    ledger.connection.execute(
        "INSERT INTO partner VALUES (?, ?, NULL, ?, ?, ?) ON CONFLICT DO NOTHING", (bond, number, title, _WANTED, pack_time(at))
    )
    sql = f"SELECT {_COLUMNS} FROM {_JOINED} WHERE partner.bond = ? AND partner.chat = ?"
    return _read(ledger.connection, sql, (bond, number))[0]


def _set(ledger: Ledger, thread: ThreadRef, chat: ChatRef, partner_id: str, title: str, at: datetime) -> bool:
    if partner_id and (owner := _bond(ledger, ThreadRef(chat, partner_id))) is not None and owner != _bond(ledger, thread):
        return False
    bond, number = _bound(ledger, thread, title, at), ledger.names.chat(chat)
    row = (bond, number, pack_id(partner_id) if partner_id else None, title, _OPEN if partner_id else _REFUSED, pack_time(at))
    ledger.connection.execute("INSERT OR REPLACE INTO partner VALUES (?, ?, ?, ?, ?, ?)", row)
    return True
