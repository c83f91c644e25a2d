"""The live tail: each step once, in order, with its number; it goes on where it was lost, and ends with the session."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.dashboard import feed, tail
from bridge.journal.contract import JournalError
from bridge.journal.tracing import Steps
from tests.bridge.journal.journal_makers import A, accept, created, deliver, kill
from tests.support.dashboard import ANNA, USERS, WALL, Board, Visitor
from tests.support.patience import PATIENCE_S, eventually

Make = Callable[..., Awaitable[Board]]


class Stream:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def next(self) -> dict[str, Any]:
        """The next event: its data, and its id as `id`."""
        found: dict[str, Any] = {}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                line = (await self.answer.content.readline()).decode()
                assert line, "the stream has ended"
                name, _, value = line.rstrip("\n").partition(": ")
                if name == "data":
                    found |= json.loads(value)
                elif name == "id":
                    found["id"] = value
                elif not line.strip() and found:
                    return found

    async def end(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await self.answer.content.readline():
                pass


@asynccontextmanager
async def tailing(visitor: Visitor, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    url = f"{visitor.board.origin}/dashboard/events?{query}"
    async with visitor.session.get(url, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        yield Stream(answer)


async def test_what_happens_is_told_once_and_goes_on_after_a_loss(anna: Visitor) -> None:
    journal = anna.board.journal
    await accept(journal, created("before"), A)
    shown = await anna.get("tail")
    assert "origin/C1#before" in shown.words
    async with tailing(anna, "after=1") as stream:
        first = await accept(journal, created("11", text="what a person wrote"), A)
        came = await stream.next()
        assert (came["outcome"], came["id"]) == ("came", str(came["number"]))
        assert "origin/C1#11 by Anna -> target/A (r1)" in came["text"]
        await deliver(journal, first, (A, "70"))
        arrived = await stream.next()
        assert (arrived["outcome"], arrived["tone"], arrived["delivery"]) == ("delivered", "pass", first.delivery_ids[0])
        assert arrived["number"] == came["number"] + 1
        assert "what a person wrote" not in str(came) + str(arrived)
        assert "no daemon was asked" not in str(came) + shown.words
    dead = await accept(journal, created("12"), A)
    await kill(journal, dead.delivery_ids[0], "chat <not> found\nevent: x")
    async with tailing(anna, "after=0", **{"Last-Event-ID": arrived["id"]}) as stream:
        assert [(await stream.next())["number"] for _ in range(2)] == [arrived["number"] + 1, arrived["number"] + 2]
    async with tailing(anna, f"after={arrived['id']}&outcome=dead&route=r1") as stream:
        last = await stream.next()
        assert (last["outcome"], "chat <not> found event: x" in last["text"]) == ("dead", True)


async def test_steps_that_nobody_wants_to_see_are_not_read_again(anna: Visitor) -> None:
    await accept(anna.board.journal, created("1"), A)
    async with tailing(anna, "after=0&route=other") as stream:
        assert await stream.next() == {"id": "1"}


async def test_who_was_away_for_long_gets_the_newest_and_is_told(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "_MOST_CAUGHT_UP", 2)
    for number in range(5):
        await accept(anna.board.journal, created(f"{number}"), A)
    async with tailing(anna, "after=0") as stream:
        assert (await stream.next())["gap"].startswith("steps 1 to 3 are left out")
        assert [(await stream.next())["number"] for _ in range(2)] == [4, 5]


async def test_it_ends_with_the_session(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "LOOK_S", 0.05)
    async with tailing(anna) as stream:
        anna.board.config = anna.board.configured({"users": {**USERS, "anna": {"password": ANNA + "!", "role": "operate"}}})
        await stream.end()


async def test_it_ends_with_the_bridge(make: Make) -> None:
    board = await make()
    async with board.visitor() as visitor:
        await visitor.sign_in()
        async with tailing(visitor) as stream:
            await board.dashboard.close()
            await stream.end()


async def test_there_are_only_so_many_and_one_that_is_left_is_free_again(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MOST_TAILS", 1)
    async with tailing(anna):
        refused = await anna.get("events")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
        assert (await anna.get("")).status == 200
    await eventually(lambda: not anna.board.dashboard._tails._open.total(), what="the place is free")
    async with tailing(anna):
        pass


async def test_one_person_leaves_places_for_others(anna: Visitor) -> None:
    async with anna.board.visitor() as wall:
        await wall.sign_in("wall", WALL)
        async with tailing(anna), tailing(anna):
            refused = await anna.get("events")
            assert (refused.status, "2 tails of yours" in refused.html) == (503, True)
            async with tailing(wall):
                pass
    await eventually(lambda: not anna.board.dashboard._tails._open, what="nothing is kept of who has gone")


async def test_however_many_look_on_each_step_is_read_once(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, asked = anna.board.journal, Counter[int]()
    real = journal.steps

    async def steps(*, after: int, limit: int) -> Steps:
        found = await real(after=after, limit=limit)
        asked[after] += bool(found.steps) and limit == feed.PAGE
        return found

    monkeypatch.setattr(journal, "steps", steps)
    async with anna.board.visitor() as wall:
        await wall.sign_in("wall", WALL)
        async with tailing(anna, "after=0") as one, tailing(anna, "after=0") as two, tailing(wall, "after=0") as three:
            for number in range(5):
                await accept(journal, created(f"{number}"), A)
            for stream in (one, two, three):
                assert [(await stream.next())["number"] for _ in range(5)] == [1, 2, 3, 4, 5]
    assert asked
    assert max(asked.values()) == 1, asked


async def test_a_tail_that_cannot_keep_up_goes_on_with_the_newest(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "_MOST_CAUGHT_UP", 60)
    monkeypatch.setattr(tail, "_LATEST", 2)
    journal, all_there = anna.board.journal, asyncio.Event()
    real = journal.steps

    async def steps(*, after: int, limit: int) -> Steps:
        if limit == feed.PAGE:
            await all_there.wait()
        return await real(after=after, limit=limit)

    monkeypatch.setattr(journal, "steps", steps)
    async with tailing(anna, "after=0") as stream:
        for number in range(150):
            await accept(journal, created(f"{number}"), A)
        all_there.set()
        told: list[int] = []
        gaps = 0
        while not told or told[-1] != 150:
            step = await stream.next()
            if "gap" in step:
                first, last = map(int, re.findall(r"steps (\d+) to (\d+) are left out", step["gap"])[0])
                gaps += 1
                assert first == (told[-1] if told else 0) + 1
                told += range(first, last + 1)
            else:
                told.append(step["number"])
        assert gaps, "a tail does not fall behind for ever"
        assert told == list(range(1, 151)), "each step is shown, or said to be left out"


async def test_who_wants_no_body_opens_no_stream(anna: Visitor) -> None:
    async with anna.session.head(f"{anna.board.origin}/dashboard/events") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")


async def test_a_journal_that_cannot_be_asked_at_first_is_said(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "LOOK_S", 0.05)
    await accept(anna.board.journal, created("1"), A)
    steps, fails = anna.board.journal.steps, True

    async def ask(**more: Any) -> Any:
        if fails:
            raise JournalError("disk I/O error")
        return await steps(**more)

    monkeypatch.setattr(anna.board.journal, "steps", ask)
    async with tailing(anna, "after=0") as stream:
        assert "disk I/O error" in (await stream.next())["gap"]
        fails = False
        while "gap" in (told := await stream.next()):
            pass
        assert told["id"] == "1", "and then it goes on from where the page was"


async def test_nobody_tails_without_a_password_and_a_stranger_sees_no_names(make: Make) -> None:
    board = await make(dashboard={})
    await accept(board.journal, created("1"), A)
    async with board.visitor() as visitor:
        assert "Anna" not in (await visitor.get("tail")).words
        async with tailing(visitor, "after=0") as stream:
            assert "Anna" not in (await stream.next())["text"]
    board.config = board.configured({"users": USERS})
    async with board.visitor() as visitor:
        assert (await visitor.get("events", follow=False)).status == 303
