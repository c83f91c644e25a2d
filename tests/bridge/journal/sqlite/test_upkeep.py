"""How large the file gets: a message is small, space is used again, and given back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bridge.journal.contract import Delivered
from bridge.journal.sqlite import SqliteJournal
from tests.bridge.journal.journal_makers import ACCOUNT, A, accept, at, created, deliver, deliver_one


async def test_the_undecodable_are_kept_up_to_a_number(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "bridge.journal", undecodable_limit=3)
    await journal.open()
    for number in range(10):
        await journal.keep_undecodable(journal.lease(ACCOUNT), b"%d" % number, "odd", [], received_at=at(number))
    assert [kept.raw for kept in await journal.undecodable()] == [b"9", b"8", b"7"]
    assert (await journal.figures()).undecodable == 3
    await journal.close()


async def test_a_delivered_message_is_small_on_disk(sqlite: SqliteJournal, tmp_path: Path) -> None:
    """The goal is 700 bytes, with long ids, names and texts; the log beside the file is bounded by itself. Of the steps only so
    many are kept, however many messages there are."""
    count = 3000
    for start in range(0, count, 100):
        accepted = await asyncio.gather(
            *(accept(sqlite, created(f"{1_700_000_000 + n}.{n:06d}", text="word " * 100), A) for n in range(start, start + 100))
        )
        await asyncio.gather(
            *(deliver(sqlite, one, (A, f"{1_300_000_000_000_000_000 + one.event_seq * 7919}")) for one in accepted)
        )
    await sqlite.close()
    assert (tmp_path / "bridge.journal").stat().st_size / count < 405


async def test_space_is_used_again(sqlite: SqliteJournal, tmp_path: Path) -> None:
    """Retention keeps the file bounded: a tenth turn needs hardly more than the second."""
    sizes: list[int] = []
    for turn in range(10):
        for start in range(0, 600, 100):
            numbers = range(turn * 600 + start, turn * 600 + start + 100)
            await asyncio.gather(*(deliver_one(sqlite, number, turn) for number in numbers))
        assert await sqlite.prune(before=at(turn + 0.5), limit=600) == 600
        await sqlite.close()
        sizes.append((tmp_path / "bridge.journal").stat().st_size)
        await sqlite.open()
    assert max(sizes) < sizes[1] * 1.3


async def test_space_is_given_back_after_an_outage(sqlite: SqliteJournal, tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    for start in range(0, 3000, 100):
        await asyncio.gather(*(accept(sqlite, created(f"{n}", text="x" * 5000), A) for n in range(start, start + 100)))
    await sqlite.close()
    full = path.stat().st_size
    await sqlite.open()
    while pending := await sqlite.pending(A, 0, 500):
        await sqlite.record(sqlite.lease(A.account), [Delivered(delivery_id=one.delivery_id, at=at(1)) for one in pending])
    await sqlite.prune(before=at(-1))
    await sqlite.close()
    assert path.stat().st_size < full / 4
    await sqlite.open()
    assert (await sqlite.figures()).events == 3000
