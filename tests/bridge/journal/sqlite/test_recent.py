"""The latest deliveries of a route: newest first, in pages, each of which looks at a bounded number of rows."""

from __future__ import annotations

import pytest

from bridge.journal.contract import DeliveryStatus
from bridge.journal.sqlite import SqliteJournal, recent
from tests.bridge.journal.journal_makers import CHAT, A, accept, at, created, deliver, edited, kill, message


async def test_the_newest_come_first_with_what_they_are_and_became(journal: SqliteJournal) -> None:
    first = await accept(journal, created("1"), A)
    await deliver(journal, first, (A, "70"))
    second = await accept(journal, created("2"), A)
    await kill(journal, second.delivery_ids[0], "chat not found")
    edit = await accept(journal, edited("1"), A)
    page = await journal.recent("r1")
    assert page.before == 0
    assert [(one.delivery_id, one.state, one.message, one.change) for one in page.deliveries] == [
        (edit.delivery_ids[0], DeliveryStatus.WAITING, None, "edit"),
        (second.delivery_ids[0], DeliveryStatus.DEAD, message(CHAT, "2"), None),
        (first.delivery_ids[0], DeliveryStatus.DELIVERED, message(CHAT, "1"), None),
    ]
    waiting, dead, _ = page.deliveries
    assert (waiting.ended_at, dead.ended_at, dead.note, dead.target) == (None, at(3), "chat not found", A)
    assert (await journal.recent("no such route")).deliveries == ()


async def test_pages_go_on_where_the_last_one_ended(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [(await accept(journal, created(f"{number}"), A)).delivery_ids[0] for number in range(5)]
    monkeypatch.setattr(recent, "LOOKED_AT", 3)
    seen: list[int] = []
    before: int | None = None
    while before != 0:
        page = await journal.recent("r1", before=before, limit=2)
        seen += [one.delivery_id for one in page.deliveries]
        assert before is None or page.before < before
        before = page.before
    assert seen == ids[::-1]


async def test_a_call_looks_at_no_more_rows_than_its_bound(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        await accept(journal, created(f"{number}"), A)
    monkeypatch.setattr(recent, "LOOKED_AT", 1)
    page = await journal.recent("r1", limit=50)
    assert len(page.deliveries) == 1
    assert page.before > 0
