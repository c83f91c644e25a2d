"""Looks for words in the messages that the journal still has. On the reader's thread, a page at a time: others read in between."""

from __future__ import annotations

import sqlite3

from bridge.journal.rules.words import has_words
from bridge.journal.sqlite.codec import UNREADABLE, decode_event
from bridge.journal.sqlite.tracing import Tracing
from bridge.journal.tracing import Found

_NEWEST = (
    "SELECT seq, json FROM body WHERE seq < ?1 UNION ALL SELECT seq, json FROM latest WHERE seq < ?1 AND json IS NOT NULL"
    " ORDER BY seq DESC LIMIT ?2"
)
_LAST = 2**63 - 1


def find(connection: sqlite3.Connection, tracing: Tracing, words: str, before: int | None, rows: int, most: int) -> Found:
    """See `contract.TraceStore.find_words`. An edit that waits is in both tables, with the same words. A row that cannot be read
    has none: it is told of as a dead letter."""
    page = connection.execute(_NEWEST, (_LAST if before is None else before, rows)).fetchall()
    seqs = list(dict.fromkeys(seq for seq, json in page if _contains(json, words)))
    before = page[-1][0] if len(page) == rows else None
    # all about a message takes many reads: only of those that are shown
    return Found(messages=tuple(map(tracing.whole, seqs[:most])), hits=len(seqs), looked_through=len(page), before=before)


def _contains(json: bytes, words: str) -> bool:
    try:
        return has_words(decode_event(json), words)
    except UNREADABLE:
        return False
