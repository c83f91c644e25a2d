"""Erases what the journal holds of a person: who wrote, the words, and what was recorded about the person. On the writer's thread.

SQLite keeps what was deleted in free pages: `free` gives them back to the disk, and `cut_log` empties the write-ahead log."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote_plus

import msgspec
from msgspec.structs import replace

from bridge.journal.contract import Claimant, UserKey
from bridge.journal.sqlite import answers
from bridge.journal.sqlite.codec import DELIVERED, UNREADABLE, decode_event, encode_event, unpack_id
from bridge.journal.sqlite.database import connect
from bridge.journal.sqlite.ledger import Ledger
from bridge.model.events import (
    Author,
    ChatEvent,
    Content,
    MembershipChanged,
    MessageCreated,
    MessageEdited,
    StatusChanged,
    ThreadChanged,
)
from bridge.model.refs import MessageRef

_LOG_TRIES = 5
_FREED_AT_ONCE = 256
"""Pages in one transaction."""

_NO_TITLE = (
    "UPDATE partner SET title = '…' WHERE bond IN (SELECT mine.bond FROM event"
    " JOIN partner AS mine ON mine.chat = event.origin AND mine.thread IN (event.message, event.thread) WHERE event.seq = ?)"
)
"""A thread that the message stands in, or begins, may be named by its words. Who makes one needs some title."""

# -- messages ---------------------------------------------------------------------------------------------------------------


def blank(ledger: Ledger, seqs: Sequence[int]) -> None:
    """See `contract.PersonStore.blank`."""
    connection, rows = ledger.connection, [(seq,) for seq in seqs]
    for seq in seqs:
        changed = [seq, *_changes(connection, seq)]
        deliveries = [number for each in changed for number in _deliveries(connection, each)]
        connection.executemany("DELETE FROM plan WHERE delivery = ?", [(number,) for number in deliveries])
        connection.executemany(
            f"UPDATE delivery SET note = NULL WHERE id = ? AND state = {DELIVERED}", [(number,) for number in deliveries]
        )
        answers.forget(ledger, deliveries)
        for each in changed:
            _strip(connection, each)
        _empty_mail(connection, seq)
    connection.executemany("UPDATE event SET author = NULL, author_id = NULL, username = NULL WHERE seq = ?", rows)
    connection.executemany("DELETE FROM item WHERE seq = ?", rows)
    connection.executemany("DELETE FROM poll WHERE seq = ?", rows)
    connection.executemany(_NO_TITLE, rows)
    connection.executemany("DELETE FROM piece WHERE seq = ?", rows)  # all pieces of one message are of one author
    connection.executemany(
        "UPDATE latest SET json = NULL WHERE json IS NOT NULL"
        " AND (chat, message) IN (SELECT origin, message FROM event WHERE seq = ?)",
        rows,
    )


def _changes(connection: sqlite3.Connection, seq: int) -> list[int]:
    found = connection.execute(
        "SELECT change.seq FROM event JOIN change ON change.chat = event.origin AND change.message = event.message"
        " WHERE event.seq = ?",
        (seq,),
    )
    return [number for (number,) in found.fetchall()]


def _deliveries(connection: sqlite3.Connection, seq: int) -> range:
    found = connection.execute("SELECT first_delivery, deliveries FROM event WHERE seq = ?", (seq,)).fetchone()
    return range(0) if found is None else range(found[0], found[0] + found[1])


def _strip(connection: sqlite3.Connection, seq: int) -> None:
    """A delivery that is still open needs its event: without words and author. It is followed by the deletion."""
    found = connection.execute("SELECT json FROM body WHERE seq = ?", (seq,)).fetchone()
    if found is None:
        return
    try:
        event = decode_event(found[0])
    except UNREADABLE:
        return  # it is a dead letter, whoever reads it
    connection.execute("UPDATE body SET json = ? WHERE seq = ?", (encode_event(_without_words(event)), seq))


def _without_words(event: ChatEvent) -> ChatEvent:
    meta = replace(event.meta, author=None)
    match event:
        case MessageCreated():
            return replace(event, meta=meta, content=Content(), items=())
        case MessageEdited():
            return replace(event, meta=meta, content=Content(), item=None)
        case StatusChanged():
            return replace(event, meta=meta, text="")
        case ThreadChanged(name=name) if name:
            return replace(event, meta=meta, name="…")
        case _:
            return replace(event, meta=meta)


def _empty_mail(connection: sqlite3.Connection, seq: int) -> None:
    """Of copies that were not deleted: no daemon serves the mailbox just now. Its readers are told that they missed something."""
    copies = connection.execute(
        "SELECT mailbox.id, part.message FROM part JOIN lane_end ON lane_end.id = part.lane_end"
        " JOIN lane ON lane.id = lane_end.lane JOIN chat ON chat.id = part.chat"
        " JOIN mailbox ON mailbox.account = lane.account AND mailbox.chat = chat.chat_id"
        " WHERE part.seq = ? AND part.message IS NOT NULL",
        (seq,),
    ).fetchall()
    for mailbox, message in copies:
        row = (mailbox, f'"{unpack_id(message)}"'.encode())
        connection.execute("UPDATE mail SET content = x'' WHERE mailbox = ? AND instr(content, ?)", row)


# -- the person -------------------------------------------------------------------------------------------------------------


def erase(ledger: Ledger, user: UserKey, messages: Sequence[MessageRef]) -> None:
    """See `contract.PersonStore.erase`."""
    connection, key = ledger.connection, (user.account, user.user_id)
    connection.execute("UPDATE decision SET name = '' WHERE account = ? AND user = ?", key)
    connection.execute("DELETE FROM shown_name WHERE who = ?", (str(user),))
    connection.execute("DELETE FROM claim WHERE account = ? AND user = ?", key)
    for account, asker, other in connection.execute("SELECT account, user, other FROM claim WHERE other != x''").fetchall():
        if msgspec.json.decode(other, type=Claimant).user == user:
            connection.execute("DELETE FROM claim WHERE account = ? AND user = ?", (account, asker))
    connection.execute(
        "DELETE FROM reaction WHERE person = ? AND chat IN (SELECT id FROM chat WHERE account = ?)", (user.user_id, user.account)
    )
    _erase_input(connection, user)
    _strip_others(connection, user, {(one.chat, one.message_id) for one in messages})


def _erase_input(connection: sqlite3.Connection, user: UserKey) -> None:
    """What arrived and names the person: it could not be read as anything, or is kept for who connects a sender."""
    names = _naming(user.user_id)
    inputs = connection.execute("SELECT number, raw FROM undecodable WHERE account = ?", (user.account,))
    gone = [(number,) for number, raw in inputs if names(raw)]
    connection.executemany("DELETE FROM undecodable WHERE number = ?", gone)
    arrivals = connection.execute(
        "SELECT number, body, headers, query FROM arrival WHERE key IN (SELECT id FROM access_key WHERE account = ?)",
        (user.account,),
    )
    gone = [(number,) for number, body, headers, query in arrivals if names(body) or names(headers) or names(query.encode())]
    connection.executemany("DELETE FROM arrival WHERE number = ?", gone)


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([^u]))")


def _naming(user_id: str) -> Callable[[bytes], bool]:
    """Tells whether a text has the id as a whole word: `U1` is in `<@U1>`, and not in `U12`. Escapes of JSON and of URLs count as
    what they stand for."""
    word = re.compile(rf"(?<!\w){re.escape(user_id)}(?!\w)")

    def names(raw: bytes) -> bool:
        text = raw.decode(errors="replace")
        meant = _ESCAPE.sub(_unescaped, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return any(word.search(form) for form in (text, meant, unquote_plus(meant)))

    return names


def _unescaped(found: re.Match[str]) -> str:
    """The short ones for control characters are white space, as far as words go."""
    if found[1]:
        return chr(int(found[1], 16))
    return " " if found[2] in "bfnrt" else found[2]


def _strip_others(connection: sqlite3.Connection, user: UserKey, messages: set[tuple[object, str]]) -> None:
    """What waits to be sent: what the person did or was told of, and what others quote of the person."""
    changed: list[tuple[bytes, int]] = []
    for seq, event in _bodies(connection):
        left = _without_person(event, user, messages) if event.meta.origin.account == user.account else event
        if left != event:
            changed.append((encode_event(left), seq))
    connection.executemany("UPDATE body SET json = ? WHERE seq = ?", changed)
    connection.executemany(
        "DELETE FROM plan WHERE delivery IN (SELECT id FROM delivery WHERE event = ? AND base IS NULL)",
        [(seq,) for _, seq in changed],
    )


def _without_person(event: ChatEvent, user: UserKey, messages: set[tuple[object, str]]) -> ChatEvent:
    author = event.meta.author
    if author is not None and author.user_id == user.user_id:
        event = _without_words(event)
    elif isinstance(event, MessageCreated | MessageEdited):
        event = replace(event, content=_without_quotes(event.content, user, messages, event.meta.origin))
    if isinstance(event, MembershipChanged) and event.member.user_id == user.user_id:
        event = replace(event, member=Author(user_id=user.user_id, name=""))
    return event


def _without_quotes(content: Content, user: UserKey, messages: set[tuple[object, str]], origin: object) -> Content:
    reply, forward = content.reply_to, content.forwarded_from
    if reply is not None and (reply.author_id == user.user_id or (origin, reply.message_id) in messages):
        content = replace(content, reply_to=replace(reply, author_name="", excerpt="", author_id=""))
    if forward is not None and forward.author_id == user.user_id:
        content = replace(content, forwarded_from=replace(forward, author_name="", author_id=""))
    return content


def _bodies(connection: sqlite3.Connection) -> Iterator[tuple[int, ChatEvent]]:
    for seq, json in connection.execute("SELECT seq, json FROM body ORDER BY seq"):
        try:
            yield seq, decode_event(json)
        except UNREADABLE:
            continue


# -- the disk ---------------------------------------------------------------------------------------------------------------


def free(ledger: Ledger) -> bool:
    """One step of giving all free pages back to the disk. False if there is nothing left to do."""
    connection = ledger.connection
    before: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    for _ in range(min(before, _FREED_AT_ONCE)):
        connection.execute("PRAGMA incremental_vacuum(1)")
    left: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return 0 < left < before


def cut_log(path: Path, *, busy_timeout_s: float) -> bool:
    """Copy the write-ahead log into the file, and empty it. False: others read it all the time; it starts over by itself."""
    connection = connect(path, cache_kib=64, busy_timeout_s=busy_timeout_s)
    try:
        return any(not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] for _ in range(_LOG_TRIES))
    finally:
        connection.close()
