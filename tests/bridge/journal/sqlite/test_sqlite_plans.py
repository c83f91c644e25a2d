"""No statement walks through a table that grows: with ten million messages that would be seconds instead of microseconds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from bridge.journal.contract import AttemptStarted, Deferred, PartGone, Piece, PiecesSet, PlanSet, Skipped
from bridge.journal.sqlite import SqliteJournal
from bridge.model.adapter import Cursor
from bridge.model.events import AlbumItem
from bridge.model.outcomes import Skip
from tests.bridge.journal.journal_makers import (
    ACCOUNT,
    CHAT,
    A,
    B,
    accept,
    at,
    created,
    deliver,
    edited,
    kill,
    lane,
    message,
    native,
    reacted,
)

GROWING = ("event", "body", "delivery", "part", "piece", "link", "gone", "reaction", "item", "chat", "cursor", "step")
SMALL_INDEXES = ("event_done", "delivery_line", "delivery_behind", "delivery_dead")
"""Partial indexes: what is in them is what is asked for."""


async def everything(journal: SqliteJournal) -> None:
    """Every method of the contract, on something that is there."""
    await journal.accept(journal.lease(ACCOUNT), [], [Cursor(name="a", value="b")], received_at=at(0))
    first = await accept(journal, created("1", also=("2",)), A, B)
    await journal.record(journal.lease(A.account), [AttemptStarted(delivery_id=first.delivery_ids[0], part=0, attempt=1, at=at(0))])
    await journal.record(
        journal.lease(A.account), [Deferred(delivery_id=first.delivery_ids[0], attempt=1, not_before=at(9), error="429")]
    )
    await journal.record(journal.lease(A.account), [PlanSet(delivery_id=first.delivery_ids[0], content=b"{}")])
    await journal.pending(A, 0, 10)
    await journal.behind(A, 10)
    await journal.open_lanes()
    await deliver(journal, first, (A, "70"), (B, "80"))
    await journal.record(journal.lease(A.account), [PartGone(event_seq=first.event_seq, target=A, part=0)])
    await accept(journal, reacted("1", version=1, added=("👍",), removed=("🎉",)))
    for number in range(4):
        edit = await accept(journal, edited("1", version=number), A)
        await kill(journal, edit.delivery_ids[0], held=bool(number % 2))
    items = (AlbumItem(), AlbumItem())
    await accept(journal, msgspec.structs.replace(created("11", also=("12",)), items=items), A)
    await accept(journal, msgspec.structs.replace(edited("12"), item=items[0]), A)
    await journal.album(message(CHAT, "12"))
    await journal.dead_letters(after=1, limit=2)
    await journal.dead_marks(after=1, limit=2)
    await journal.recent("r1", limit=2)
    await journal.dead_letter(edit.delivery_ids[0])
    await journal.retry_dead(edit.delivery_ids)
    await journal.record(
        journal.lease(A.account), [Skipped(delivery_id=edit.delivery_ids[0], rule=Skip.EDIT_WITHOUT_COPY, at=at(1))]
    )
    await journal.drop_dead([edit.delivery_ids[0] - 1], at=at(1))
    await journal.is_known("created:origin/C1:1")
    await journal.link(message(CHAT, "1"), B)
    pieces = (Piece(event_seq=first.event_seq, content=b"x"),)
    await journal.record(journal.lease(A.account), [PiecesSet(target=B, lead_seq=first.event_seq, pieces=pieces)])
    await journal.merged(first.event_seq, B)
    await journal.latest_messages(native(B), 5)
    await journal.reactions(first.event_seq, not_on=[message(native(A), "70")])
    await journal.set_native_id(journal.lease(A.account), A, "x")
    await journal.chat_moved(journal.lease(A.account), native(A), native(B))
    await journal.native_ids(A.account)
    await journal.cursor(ACCOUNT, "a")
    await journal.set_note("n", "v")
    await journal.note("n")
    await journal.set_wait(journal.lease(A.account), "w", at(5), at=at(1))
    await journal.waits()
    await journal.hurry(A.account, [A], ["w"], everything=False, at=at(5))
    await journal.take_hurried()
    await journal.trace(message(CHAT, "1"))
    await journal.trace_anywhere(CHAT.account, "1")
    await journal.trace_delivery(first.delivery_ids[0])
    await journal.steps(after=1, limit=3)
    await journal.find_words("hello", before=None, rows=3, most=3)
    await journal.keep_undecodable(journal.lease(ACCOUNT), b"x", "odd", [], received_at=at(0))
    await journal.undecodable()
    await journal.figures()
    await accept(journal, created("9"), lane("C"), when=50)
    await journal.prune(before=at(10))


async def test_no_statement_scans_a_growing_table(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    statements: list[str] = []
    for thread in (journal._writer, journal._reader):
        assert thread is not None
        assert thread._connection is not None
        thread._connection.set_trace_callback(statements.append)
    await everything(journal)
    await journal.close()
    connection = sqlite3.connect(tmp_path / "bridge.journal")
    explained = 0
    for sql in sorted(set(statements)):
        if not sql.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            continue
        for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {sql}"):
            explained += 1
            words = step.split()
            assert words[0] != "SCAN" or words[1] not in GROWING or words[-1] in SMALL_INDEXES, f"{step}: {sql}"
    connection.close()
    assert explained > 100
