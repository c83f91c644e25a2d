"""Which marks a dead letter makes, on a real journal: once, and taken back when all copies have arrived."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.delivery.dead_marks import MARKS, DeadMarks
from bridge.journal.contract import Dead, Delivered, DeliveryStatus, JournalError, OpenDelivery
from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import BridgeSaid
from bridge.model.refs import ChatAddress
from bridge.model.rich_text import text_of
from bridge.policy.routing import OWN_ROUTE, DeadMark, OnDead, Route, RouteEnd, RoutingTable
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, deliver
from tests.support.clock import ManualClock

HOME = ChatAddress(CHAT.account, CHAT.chat_id)
OPS = ChatAddress(A.account, "ops")


class Bench:
    def __init__(self, folder: Path, rules: OnDead, *, route: str) -> None:
        self.journal = SqliteJournal(folder / "bridge.journal")
        self.woken: list[ChatAddress] = []
        self.table = RoutingTable(
            [Route(name=route, ends=(RouteEnd(chat=HOME), RouteEnd(chat=A), RouteEnd(chat=B)), on_dead=rules)]
        )
        self.table.set_native_id(HOME, CHAT.chat_id)
        self.clock = ManualClock()
        self.marks = DeadMarks(self.journal, self.woken.append, lambda: self.table, self.clock)

    async def said(self, address: ChatAddress) -> list[BridgeSaid]:
        found = await self.journal.pending(address, 0, 100)
        return [
            one.event
            for one in found
            if isinstance(one, OpenDelivery) and isinstance(one.event, BridgeSaid) and one.route == OWN_ROUTE
        ]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path, OnDead(mark=DeadMark.REACTION, notify=OPS), route="r1")
    await made.journal.open()
    yield made
    await made.journal.close()


async def test_it_is_shown_once_and_told(bench: Bench) -> None:
    result = await accept(bench.journal, created("1"), A, B)
    first, second = result.delivery_ids
    await bench.journal.record(bench.journal.lease(A.account), [Dead(delivery_id=first, reason="chat\x1b[2J not found", at=at(1))])
    for _ in range(2):
        await bench.marks.show()
    (mark,) = await bench.said(HOME)
    assert (mark.about, mark.marks, mark.unmark) == ("1", MARKS, False)
    assert "\x1b" not in text_of(mark.text)
    (told,) = await bench.said(OPS)
    assert f"dead letter {first}" in text_of(told.text)
    assert text_of(created("1").content.text) not in text_of(told.text)
    assert bench.woken == [HOME, OPS]

    await bench.journal.record(bench.journal.lease(B.account), [Dead(delivery_id=second, reason="too long", at=at(2))])
    await bench.marks.show()
    await bench.journal.retry_dead([first])
    await bench.journal.record(bench.journal.lease(A.account), [Delivered(delivery_id=first, at=at(3))])
    await bench.marks.show()
    assert not [one for one in await bench.said(HOME) if one.unmark], "the other copy is dead still"
    await bench.journal.retry_dead([second])
    await bench.journal.record(bench.journal.lease(B.account), [Delivered(delivery_id=second, at=at(4))])
    await bench.marks.show()
    assert [one.unmark for one in await bench.said(HOME)].count(True) == 1


async def test_what_the_bridge_says_itself_is_not_shown(bench: Bench) -> None:
    """Otherwise a chat that takes nothing would be told of it for ever."""
    result = await accept(bench.journal, created("1"), A)
    await bench.journal.record(bench.journal.lease(A.account), [Dead(delivery_id=result.delivery_ids[0], reason="x", at=at(1))])
    await bench.marks.show()
    rows = [one for one in await bench.journal.pending(OPS, 0, 10) if isinstance(one, OpenDelivery)]
    await bench.journal.record(bench.journal.lease(OPS.account), [Dead(delivery_id=rows[0].delivery_id, reason="x", at=at(2))])
    await bench.marks.show()
    assert len(await bench.said(HOME)) == 1
    assert {letter.state for letter in await bench.journal.dead_letters()} == {DeliveryStatus.DEAD}
    assert await bench.journal.persons.unshown_dead() == []


async def test_a_route_that_wants_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, OnDead(), route="r1")
    await bench.journal.open()
    try:
        result = await accept(bench.journal, created("1"), A)
        await bench.journal.record(bench.journal.lease(A.account), [Dead(delivery_id=result.delivery_ids[0], reason="x", at=at(1))])
        await bench.marks.show()
        await deliver(bench.journal, await accept(bench.journal, created("2"), A), (A, "200"))
        assert await bench.said(HOME) == []
        assert bench.woken == []
    finally:
        await bench.journal.close()


async def test_one_that_meets_a_bug_hides_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = bench.journal.lease(A.account)
    for number in ("1", "2"):
        (dead,) = (await accept(bench.journal, created(number), A)).delivery_ids
        await bench.journal.record(lease, [Dead(delivery_id=dead, reason="gone", at=at(1))])
    whole = bench.journal.dead_letter

    async def broken(number: int) -> object:
        letter = await whole(number)
        if letter is not None and letter.event == created("1"):
            raise KeyError("a bug")
        return letter

    monkeypatch.setattr(bench.journal, "dead_letter", broken)
    await bench.marks.show()
    await bench.marks.show()
    assert [mark.about for mark in await bench.said(HOME)] == ["2"]


@pytest.mark.parametrize("mark", [DeadMark.REACTION, DeadMark.REPLY])
async def test_a_long_outage_is_a_few_lines_and_a_sum(tmp_path: Path, mark: DeadMark) -> None:
    bench = Bench(tmp_path, OnDead(mark=mark, notify=OPS), route="r1")
    await bench.journal.open()
    lease = bench.journal.lease(A.account)
    for number in range(25):
        result = await accept(bench.journal, created(str(number)), A)
        await bench.journal.record(lease, [Dead(delivery_id=result.delivery_ids[0], reason="gone", at=at(1))])
    for _ in range(2):
        await bench.marks.show()
    told = [text_of(one.text) for one in await bench.said(OPS)]
    assert len(told) == 11
    assert told[-1] == "⚠️ 15 more did not arrive: messenger-bridge dead list"
    shown = await bench.said(HOME)
    if mark is DeadMark.REACTION:
        assert {one.about for one in shown} == {str(number) for number in range(25)}, "each is marked"
    else:
        assert [one.about for one in shown] == [*map(str, range(10)), ""], "then a sum"
    await bench.journal.close()


async def test_a_sum_that_cannot_be_kept_is_told_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, OnDead(notify=OPS), route="r1")
    await bench.journal.open()
    for number in range(12):
        result = await accept(bench.journal, created(str(number)), A)
        await bench.journal.record(
            bench.journal.lease(A.account), [Dead(delivery_id=result.delivery_ids[0], reason="gone", at=at(1))]
        )
    whole = bench.journal.accept

    async def full(lease: Any, requests: Any, *rest: Any, **more: Any) -> Any:
        if "more did not arrive" in text_of(requests[0].event.text):
            raise JournalError("the disk is full")
        return await whole(lease, requests, *rest, **more)

    with monkeypatch.context() as broken:
        broken.setattr(bench.journal, "accept", full)
        with pytest.raises(JournalError):
            await bench.marks.show()
    bench.clock.forward(601)
    await bench.marks.show()
    assert text_of((await bench.said(OPS))[-1].text) == "⚠️ 2 more did not arrive: messenger-bridge dead list"
    await bench.journal.close()
