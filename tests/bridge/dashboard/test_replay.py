"""All dead letters of a time are retried: counted first, each exactly once, in order, and no others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.dashboard import replay
from bridge.journal import dead_letters
from bridge.journal.contract import Dead, OpenDelivery
from tests.bridge.journal.journal_makers import A, accept, at, created
from tests.support.dashboard import WALL, Board, Visitor

SINCE = at(100).strftime("%Y-%m-%dT%H:%M:%S")


async def died(board: Board, name: str, second: float, *, held: bool = False, reason: str = "refused") -> int:
    (number,) = (await accept(board.journal, created(name), A)).delivery_ids
    change = Dead(delivery_id=number, reason=reason, at=at(second), held=held)
    await board.journal.record(board.journal.lease(A.account), [change])
    return number


async def retried(board: Board) -> list[int]:
    return [one.delivery_id for one in await board.journal.behind(A, 10_000) if isinstance(one, OpenDelivery)]


def form_of(seen: Any) -> dict[str, str]:
    import re

    form = re.search(r'<form method="post" action="replay".*?</form>', seen.html, re.S)
    assert form is not None, seen.words
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))


async def test_what_died_since_is_counted_then_retried_in_order(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "AT_ONCE", 3)
    monkeypatch.setattr(dead_letters, "_PAGE", 4)
    before = await died(anna.board, "early", 50)
    ids = [await died(anna.board, f"m{number}", 200 - number, reason=f"reason {number % 2}") for number in range(10)]
    held = await died(anna.board, "held", 150, held=True)
    counted = await anna.get(f"replay?since={SINCE}")
    assert "10 dead letters" in counted.words
    assert "5 × reason 0" in counted.words
    assert await retried(anna.board) == [], "counting changes nothing"
    done = await anna.post("replay", form_of(counted))
    assert "retried: 10" in done.words
    assert await retried(anna.board) == ids
    assert [one.delivery_id for one in await anna.board.journal.dead_letters()] == [before, held]
    again = await anna.post("replay", form_of(counted))
    assert "retried: 0" in again.words, "each exactly once, however often the form is sent"
    newest, first = await anna.board.noted()
    assert (first.action, first.result, newest.result) == ("replay", "10 retried", "0 retried")
    assert first.subject.startswith("dead letters since 2025-02-01 00:01:39")


async def test_what_died_after_the_count_or_died_again_stays(anna: Visitor) -> None:
    first = await died(anna.board, "1", 200)
    form = form_of(await anna.get(f"replay?since={SINCE}"))
    form["as_of"] = at(300).isoformat()
    later = await died(anna.board, "2", 301)
    done = await anna.post("replay", form)
    assert "retried: 1; left out, since they were not counted: 1" in done.words
    assert await retried(anna.board) == [first]
    again = Dead(delivery_id=first, reason="refused again", at=at(302))
    await anna.board.journal.record(anna.board.journal.lease(A.account), [again])
    await anna.post("replay", form)
    assert await retried(anna.board) == []
    assert [one.delivery_id for one in await anna.board.journal.dead_letters()] == [first, later]


async def test_a_clock_that_is_set_back_brings_nothing_among_the_counted(anna: Visitor) -> None:
    first = await died(anna.board, "1", 200)
    form = form_of(await anna.get(f"replay?since={SINCE}"))
    later = await died(anna.board, "2", 150)
    done = await anna.post("replay", form)
    assert "retried: 1; left out, since they were not counted: 1" in done.words
    assert await retried(anna.board) == [first]
    assert [one.delivery_id for one in await anna.board.journal.dead_letters()] == [later]
    (noted,) = await anna.board.noted()
    assert noted.result == "1 retried, 1 left out that were not counted"


async def test_held_ones_only_on_request_and_a_route_by_its_name(anna: Visitor) -> None:
    await died(anna.board, "1", 200)
    held = await died(anna.board, "2", 201, held=True)
    assert "0 dead letters" in (await anna.get(f"replay?since={SINCE}&route=other")).words
    counted = await anna.get(f"replay?since={SINCE}&route=r1&held=yes")
    assert "2 dead letters" in counted.words
    assert "1 of them are held" in counted.words
    await anna.post("replay", form_of(counted))
    assert held in await retried(anna.board)


async def test_an_end_of_the_time_counts(anna: Visitor) -> None:
    first = await died(anna.board, "1", 200)
    await died(anna.board, "2", 400)
    until = at(300).strftime("%Y-%m-%dT%H:%M:%S")
    await anna.post("replay", form_of(await anna.get(f"replay?since={SINCE}&until={until}")))
    assert await retried(anna.board) == [first]


async def test_two_at_once_move_each_one_once(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "AT_ONCE", 2)
    ids = [await died(anna.board, f"{number}", 200) for number in range(9)]
    form = form_of(await anna.get(f"replay?since={SINCE}"))
    both = await asyncio.gather(anna.post("replay", form), anna.post("replay", form))
    assert sorted("retried: 9" in one.words for one in both) == [False, True]
    assert await retried(anna.board) == ids


async def test_more_than_the_bound_take_several(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MOST", 3)
    ids = [await died(anna.board, f"{number}", 200) for number in range(4)]
    counted = await anna.get(f"replay?since={SINCE}")
    assert "More than 3" in counted.words
    await anna.post("replay", form_of(counted))
    assert await retried(anna.board) == ids[:3]
    await anna.post("replay", form_of(await anna.get(f"replay?since={SINCE}")))
    assert await retried(anna.board) == ids


@pytest.mark.parametrize("since", ["yesterday", "9999-99-99", "0001-01-01T00:00+23:59", "2026-01-01T00:00&until=x", "%00"])
async def test_a_moment_that_is_none_is_said(anna: Visitor, since: str) -> None:
    shown = await anna.get(f"replay?since={since}")
    assert (shown.status, "2026-01-31T23:59" in shown.words) == (400, True)


async def test_who_may_look_counts_and_retries_nothing(visitor: Visitor) -> None:
    await visitor.sign_in("wall", WALL)
    number = await died(visitor.board, "1", 200)
    counted = await visitor.get(f"replay?since={SINCE}")
    assert "1 dead letter" in counted.words
    refused = await visitor.post("replay", {"token": counted.token, "since": SINCE, "as_of": at(900).isoformat()})
    assert refused.status == 403
    assert (await visitor.board.journal.dead_letter(number)) is not None
