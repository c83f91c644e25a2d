"""Keys of the public listener: reads and writes. Each function runs on the thread of its connection."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from bridge.journal.contract import KeySecret, StoredKey
from bridge.journal.sqlite.codec import pack_more, pack_optional_time, pack_time, unpack_more, unpack_optional_time, unpack_time
from bridge.journal.sqlite.ledger import Ledger
from bridge.model.refs import AccountName
from bridge.model.web_mount import KeyDirection

_NAMED = "id, account, address, direction, label, form, origins, per_minute, most_bytes"
_KEY_COLUMNS = f"{_NAMED}, created_at, revoked_at, used_day, listened_until"
_ADD_KEY = f"INSERT INTO access_key ({_KEY_COLUMNS}) VALUES ({', '.join('?' * 13)})"
_ADD_SECRET = "INSERT INTO key_secret (hash, key, created_at, valid_until) VALUES (?, ?, ?, ?)"  # noqa: S105 - a statement
_FIRST_DAY = date(1970, 1, 1)


def find_key(connection: sqlite3.Connection, secret_hash: bytes) -> StoredKey | None:
    row = connection.execute(
        f"SELECT {_KEY_COLUMNS} FROM access_key WHERE id = (SELECT key FROM key_secret WHERE hash = ?)", (secret_hash,)
    ).fetchone()
    return None if row is None else _key(connection, row)


def keys(connection: sqlite3.Connection) -> list[StoredKey]:
    rows = connection.execute(f"SELECT {_KEY_COLUMNS} FROM access_key ORDER BY created_at, id").fetchall()
    return [_key(connection, row) for row in rows]


def _key(connection: sqlite3.Connection, row: tuple[object, ...]) -> StoredKey:
    secrets = connection.execute(
        "SELECT hash, created_at, valid_until FROM key_secret WHERE key = ? ORDER BY created_at", (row[0],)
    ).fetchall()
    key_id, account, chat, direction, label, form, origins, per_minute, most_bytes, created_at, revoked_at, day, until = row
    return StoredKey(
        key_id=str(key_id),
        account=AccountName(str(account)),
        chat=str(chat),
        direction=KeyDirection(str(direction)),
        label=str(label),
        is_form=bool(form),
        origins=unpack_more(None if origins is None else str(origins)),
        per_minute=_int(per_minute),
        most_bytes=_int(most_bytes),
        created_at=unpack_time(_int(created_at)),
        revoked_at=None if revoked_at is None else unpack_time(_int(revoked_at)),
        last_used_on=None if day is None else _FIRST_DAY + timedelta(days=_int(day)),
        listened_until=None if until is None else unpack_time(_int(until)),
        secrets=tuple(
            KeySecret(hash=secret, created_at=unpack_time(at), valid_until=unpack_optional_time(end)) for secret, at, end in secrets
        ),
    )


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def add_key(ledger: Ledger, key: StoredKey) -> None:
    row = (
        *(key.key_id, key.account, key.chat, key.direction.value, key.label, int(key.is_form), pack_more(key.origins)),
        *(key.per_minute, key.most_bytes, pack_time(key.created_at), pack_optional_time(key.revoked_at)),
        *(None if key.last_used_on is None else _day(key.last_used_on), pack_optional_time(key.listened_until)),
    )
    try:
        ledger.connection.execute(_ADD_KEY, row)
    except sqlite3.IntegrityError:
        raise ValueError(f"there is a key {key.key_id} already") from None
    for secret in key.secrets:
        _add_secret(ledger, key.key_id, secret)


def _add_secret(ledger: Ledger, key_id: str, secret: KeySecret) -> None:
    row = (secret.hash, key_id, pack_time(secret.created_at), pack_optional_time(secret.valid_until))
    ledger.connection.execute(_ADD_SECRET, row)


def rotate_key(ledger: Ledger, key_id: str, secret: KeySecret, old_until: datetime) -> bool:
    """Which secret is the newest is told by `created_at`, so the new one is never older than those that are there: the clock may
    have been set back since they were made."""
    newest = ledger.connection.execute(  # of a key that is revoked there is none
        "SELECT created_at, valid_until FROM key_secret WHERE key = ? ORDER BY created_at DESC LIMIT 1", (key_id,)
    ).fetchone()
    now, end = pack_time(secret.created_at), pack_time(old_until)
    if newest is None:
        return False
    made_at, ends_at = _int(newest[0]), newest[1]
    if ends_at is not None and ends_at <= now:
        return False
    ledger.connection.execute(
        "UPDATE key_secret SET valid_until = ? WHERE key = ? AND (valid_until IS NULL OR valid_until > ?)", (end, key_id, end)
    )
    ledger.connection.execute(  # what is over already; the newest of what is not stays beside the new one
        "DELETE FROM key_secret WHERE key = ? AND valid_until <= ?", (key_id, now)
    )
    ledger.connection.execute(
        "DELETE FROM key_secret WHERE key = ?1 AND created_at < (SELECT max(created_at) FROM key_secret WHERE key = ?1)", (key_id,)
    )
    made = replace(secret, created_at=unpack_time(max(now, made_at + 1)))
    _add_secret(ledger, key_id, made if ends_at is None else replace(made, valid_until=unpack_time(ends_at)))
    return True


def revoke_key(ledger: Ledger, key_id: str, at: datetime) -> bool:
    done = ledger.connection.execute(
        "UPDATE access_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (pack_time(at), key_id)
    )
    ledger.connection.execute("DELETE FROM key_secret WHERE key = ?", (key_id,))
    return done.rowcount > 0


def mark_key_used(ledger: Ledger, key_id: str, day: date) -> None:
    ledger.connection.execute(
        "UPDATE access_key SET used_day = ?1 WHERE id = ?2 AND coalesce(used_day, 0) < ?1", (_day(day), key_id)
    )


def _day(day: date) -> int:
    return (day - _FIRST_DAY).days


def prune(ledger: Ledger, before: datetime) -> None:
    """Keys that were revoked before that moment."""
    ledger.connection.execute("DELETE FROM access_key WHERE revoked_at < ?", (pack_time(before),))
