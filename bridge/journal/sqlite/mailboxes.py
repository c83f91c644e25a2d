"""Mailboxes of who fetches: reads and writes. Each function runs on the thread of its connection."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bridge.journal.sqlite.codec import pack_time, unpack_time
from bridge.journal.sqlite.ledger import Ledger
from bridge.model.account_store import MAILBOX_KEPT, Mail, MailPage
from bridge.model.refs import AccountName

_MOST_BYTES = 1024**2
"""A page ends with the message that reaches this."""


def put_mail(ledger: Ledger, account: AccountName, chat: str, name: str, content: bytes, at: datetime) -> None:
    connection = ledger.connection
    connection.execute("INSERT OR IGNORE INTO mailbox (account, chat) VALUES (?, ?)", (account, chat))
    mailbox, last = _mailbox(connection, account, chat) or (0, 0)
    row = (mailbox, last + 1, pack_time(at), name, content)
    if connection.execute("INSERT OR IGNORE INTO mail (mailbox, number, at, name, content) VALUES (?, ?, ?, ?, ?)", row).rowcount:
        connection.execute("UPDATE mailbox SET last = ? WHERE id = ?", (last + 1, mailbox))
        connection.execute("DELETE FROM mail WHERE mailbox = ? AND number <= ?", (mailbox, last + 1 - MAILBOX_KEPT))


def mail(connection: sqlite3.Connection, account: AccountName, chat: str, after: int, limit: int) -> MailPage:
    found = _mailbox(connection, account, chat)
    if found is None:
        return MailPage(mail=())
    mailbox, last = found
    after = after if 0 <= after <= last else 0
    rows = connection.execute(
        "SELECT number, name, at, content FROM mail WHERE mailbox = ? AND number > ? ORDER BY number LIMIT ?",
        (mailbox, after, limit),
    )
    page: list[Mail] = []
    size_bytes = 0
    for number, name, at, content in rows:
        page.append(Mail(number=number, name=name, at=unpack_time(at), content=content))
        size_bytes += len(content)
        if size_bytes >= _MOST_BYTES:
            break
    first = page[0].number if page else last + 1
    return MailPage(mail=tuple(page), missed=first - after - 1, last=last)


def _mailbox(connection: sqlite3.Connection, account: AccountName, chat: str) -> tuple[int, int] | None:
    found: tuple[int, int] | None = connection.execute(
        "SELECT id, last FROM mailbox WHERE account = ? AND chat = ?", (account, chat)
    ).fetchone()
    return found


def prune(ledger: Ledger, before: datetime) -> None:
    ledger.connection.execute("DELETE FROM mail WHERE at < ?", (pack_time(before),))
