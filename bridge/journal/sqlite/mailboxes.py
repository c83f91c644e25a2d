"""Mailboxes of who fetches: reads and writes. Each function runs on the thread of its connection.

The newest of those that are no longer kept stays as a row without content: a reader who has it is known by it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from bridge.journal.sqlite.codec import pack_time, unpack_time
from bridge.journal.sqlite.ledger import Ledger
from bridge.model.account_store import MAILBOX_KEPT, Mail, MailPage, mark_of
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
        gone = last + 1 - MAILBOX_KEPT
        connection.execute("UPDATE mail SET content = x'' WHERE mailbox = ? AND number = ?", (mailbox, gone))
        connection.execute("DELETE FROM mail WHERE mailbox = ? AND number < ?", (mailbox, gone))


def rewrite_mail(ledger: Ledger, account: AccountName, chat: str, holding: bytes, rewrite: Callable[[bytes], bytes]) -> None:
    connection = ledger.connection
    found = connection.execute(
        "SELECT mail.mailbox, mail.number, mail.content FROM mailbox JOIN mail ON mail.mailbox = mailbox.id"
        " WHERE mailbox.account = ? AND mailbox.chat = ? AND instr(mail.content, ?)",
        (account, chat, holding),
    ).fetchall()
    rows = [(rewrite(content), mailbox, number) for mailbox, number, content in found]
    connection.executemany("UPDATE mail SET content = ? WHERE mailbox = ? AND number = ?", rows)


def mail(connection: sqlite3.Connection, account: AccountName, chat: str, after: int, limit: int, mark: str = "") -> MailPage:
    found = _mailbox(connection, account, chat)
    if found is None:
        return MailPage(mail=())
    mailbox, last = found
    is_anew = not 0 <= after <= last or not _is_right(mark, _mark(connection, mailbox, after))
    after = 0 if is_anew else after
    rows = connection.execute(
        "SELECT number, name, at, content FROM mail WHERE mailbox = ? AND number > ? AND content != x'' ORDER BY number LIMIT ?",
        (mailbox, after, limit),
    )
    page: list[Mail] = []
    size_bytes = 0
    for number, name, at, content in rows:
        page.append(Mail(number=number, name=name, at=unpack_time(at), content=content))
        size_bytes += len(content)
        if size_bytes >= _MOST_BYTES:
            break
    missed = (page[-1].number if page else last) - after - len(page)
    return MailPage(mail=tuple(page), missed=missed, last=last, last_mark=_mark(connection, mailbox, last) or "", is_anew=is_anew)


def _is_right(mark: str, known: str | None) -> bool:
    """Nothing is known of a number that was given up long ago: who has it missed what came since, and is told so."""
    return not mark or known is None or mark == known


def _mark(connection: sqlite3.Connection, mailbox: int, number: int) -> str | None:
    found = connection.execute("SELECT name, at FROM mail WHERE mailbox = ? AND number = ?", (mailbox, number)).fetchone()
    return None if found is None else mark_of(found[0], unpack_time(found[1]))


def _mailbox(connection: sqlite3.Connection, account: AccountName, chat: str) -> tuple[int, int] | None:
    found: tuple[int, int] | None = connection.execute(
        "SELECT id, last FROM mailbox WHERE account = ? AND chat = ?", (account, chat)
    ).fetchone()
    return found


def prune(ledger: Ledger, before: datetime) -> None:
    connection = ledger.connection
    old = pack_time(before)
    newest = connection.execute("SELECT mailbox, max(number) FROM mail WHERE at < ? GROUP BY mailbox", (old,)).fetchall()
    for mailbox, gone in newest:
        connection.execute("UPDATE mail SET content = x'' WHERE mailbox = ? AND number = ? AND content != x''", (mailbox, gone))
        connection.execute("DELETE FROM mail WHERE at < ? AND mailbox = ? AND number < ?", (old, mailbox, gone))
