"""What a lane reads of a file: both kinds of open deliveries, each through an index of its own, and rows that are harmed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bridge.journal.contract import Damaged, Deferred
from bridge.journal.sqlite import SqliteJournal
from tests.bridge.journal.journal_makers import A, B, accept, at, created, kill, lane


async def test_a_lane_is_open_by_its_line_or_by_what_is_behind_and_named_once(tmp_path: Path) -> None:
    journal, both = SqliteJournal(tmp_path / "bridge.journal"), lane("C")
    await journal.open()
    for number, targets in enumerate([(A,), (B,), (both,), (both,)]):
        accepted = await accept(journal, created(f"{number}"), *targets)
        if number in (1, 3):
            (delivery,) = accepted.delivery_ids
            await journal.record(
                journal.lease(A.account),
                [Deferred(delivery_id=delivery, attempt=1, not_before=at(9), error="no file", behind=True)],
            )
    await kill(journal, (await accept(journal, created("dead"), lane("D"))).delivery_ids[0])
    assert sorted(await journal.open_lanes()) == [A, B, both]
    await journal.close()


async def test_a_harmed_row_has_its_place_in_the_lane_all_the_same(tmp_path: Path) -> None:
    """What was read behind it is not read again because of it."""
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    for number in range(3):
        await accept(journal, created(f"{number}"), A)
    await journal.close()
    with sqlite3.connect(tmp_path / "bridge.journal") as connection:
        connection.execute("UPDATE body SET json = x'00' WHERE seq = 2")
    connection.close()
    await journal.open()
    found = await journal.pending(A, 0, 10)
    assert [(type(one) is Damaged, one.lane_seq) for one in found] == [(False, 1), (True, 2), (False, 3)]
    await journal.close()
