"""Invitations to make keys in a browser, with their sessions: reads and writes. Each function runs on its connection's thread."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec

from bridge.journal.contract import Invite, StoredKey
from bridge.journal.sqlite.codec import pack_more, pack_time, unpack_more, unpack_optional_time, unpack_time
from bridge.journal.sqlite.keys import add_key
from bridge.journal.sqlite.ledger import Ledger
from bridge.model.refs import ChatAddress

_chats = msgspec.json.Decoder(tuple[ChatAddress, ...])
_INVITE = "SELECT hash, chats, created_at, valid_until, session_until, keys FROM invite WHERE"


def _invite(row: tuple[bytes, str, int, int, int | None, str | None] | None) -> Invite | None:
    if row is None:
        return None
    link_hash, chats, created_at, valid_until, session_until, made = row
    return Invite(
        hash=link_hash,
        chats=_chats.decode(chats),
        created_at=unpack_time(created_at),
        valid_until=unpack_time(valid_until),
        session_until=unpack_optional_time(session_until),
        keys=unpack_more(made),
    )


def invite(connection: sqlite3.Connection, link_hash: bytes) -> Invite | None:
    return _invite(connection.execute(f"{_INVITE} hash = ?", (link_hash,)).fetchone())


def session(connection: sqlite3.Connection, session_hash: bytes, at: datetime) -> Invite | None:
    found = connection.execute(f"{_INVITE} session = ? AND session_until > ?", (session_hash, pack_time(at)))
    return _invite(found.fetchone())


def add_invite(ledger: Ledger, given: Invite) -> None:
    chats = msgspec.json.encode(given.chats).decode()
    ledger.connection.execute(
        "INSERT INTO invite (hash, chats, created_at, valid_until) VALUES (?, ?, ?, ?)",
        (given.hash, chats, pack_time(given.created_at), pack_time(given.valid_until)),
    )


def begin_session(ledger: Ledger, link_hash: bytes, session_hash: bytes, until: datetime, at: datetime) -> Invite | None:
    begun = ledger.connection.execute(
        "UPDATE invite SET session = ?, session_until = ? WHERE hash = ? AND session IS NULL AND valid_until > ?",
        (session_hash, pack_time(until), link_hash, pack_time(at)),
    )
    return invite(ledger.connection, link_hash) if begun.rowcount else None


def add_invited_key(ledger: Ledger, session_hash: bytes, key: StoredKey, most: int, at: datetime) -> bool:
    found = session(ledger.connection, session_hash, at)
    if found is None or len(found.keys) >= most:
        return False
    add_key(ledger, key)
    made = pack_more((*found.keys, key.key_id))
    ledger.connection.execute("UPDATE invite SET keys = ? WHERE hash = ?", (made, found.hash))
    return True


def prune(ledger: Ledger, before: datetime) -> None:
    """Invitations that were over before that moment, with their sessions."""
    moment = pack_time(before)
    ledger.connection.execute("DELETE FROM invite WHERE valid_until < ? AND coalesce(session_until, 0) < ?", (moment, moment))
