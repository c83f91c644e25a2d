"""What a lane takes up: every open delivery once, those of one origin in order, whichever of two sources tells of it first."""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec.structs import replace

from bridge.delivery.backlog import IN_MEMORY_LIMIT, Backlog, Handed
from bridge.journal.contract import Damaged, DeliveryStatus, OpenDelivery
from tests.support.budget import examples
from tests.support.deliveries import delivery


class Read:
    """A reading under way: awaited, it ends with what it is sent."""

    def __await__(self) -> Generator[None, Sequence[OpenDelivery | Damaged], Sequence[OpenDelivery | Damaged]]:
        return (yield)


class Shelf:
    """The journal's side, by hand: `open` is what a reading finds at this moment."""

    def __init__(self, *ids: int, damaged: Sequence[int] = ()) -> None:
        self.open: dict[int, OpenDelivery | Damaged] = {number: delivery(number) for number in ids}
        self.open.update({number: Damaged(delivery_id=number, lane_seq=number, reason="harmed") for number in damaged})
        self.asked: list[tuple[int, int]] = []
        self.buried: list[int] = []

    async def load(self, after: int, limit: int) -> Sequence[OpenDelivery | Damaged]:
        self.asked.append((after, limit))
        await Read()
        return self.found(after, limit)

    def found(self, after: int, limit: int) -> list[OpenDelivery | Damaged]:
        return [self.open[number] for number in sorted(self.open) if number > after][:limit]

    async def bury(self, damaged: Sequence[Damaged]) -> None:
        for one in damaged:
            self.buried.append(one.delivery_id)
            del self.open[one.delivery_id]


def begun(backlog: Backlog) -> Coroutine[Any, Any, None]:
    """A reading that was asked for and is not answered yet."""
    filling = backlog.fill()
    filling.send(None)
    return filling


def ended(filling: Coroutine[Any, Any, None]) -> None:
    with pytest.raises(StopIteration):
        filling.send(None)


def fill(backlog: Backlog) -> None:
    ended(begun(backlog))


def take_all(backlog: Backlog, shelf: Shelf) -> list[int]:
    """As a lane does, until there is nothing left."""
    taken = []
    while backlog.following is not None or backlog.is_behind:
        if backlog.following is None:
            fill(backlog)
            continue
        taken.append(backlog.take().delivery_id)
        shelf.open.pop(taken[-1], None)
    return taken


def backlog_of(shelf: Shelf, handed: Handed | None = None) -> Backlog:
    return Backlog(shelf.load, shelf.bury, handed)


def hand_over(backlog: Backlog, handed: Handed, number: int) -> None:
    """As the outbox does."""
    if not handed.take(number):
        backlog.put(delivery(number))


# -- one case each ----------------------------------------------------------------------------------------------------------


def test_what_is_put_is_taken_without_a_reading() -> None:
    shelf = Shelf()
    backlog = backlog_of(shelf)
    for number in range(1, 6):
        backlog.put(delivery(number))
    assert take_all(backlog, shelf) == [1, 2, 3, 4, 5]
    assert shelf.asked == []


def test_what_exceeds_the_hand_is_read_when_its_turn_comes() -> None:
    shelf = Shelf(*range(1, 201))
    backlog = backlog_of(shelf)
    for number in range(1, 201):
        backlog.put(delivery(number))
        assert sum(1 for _ in backlog) <= IN_MEMORY_LIMIT
    assert take_all(backlog, shelf) == list(range(1, 201))
    assert {limit for _, limit in shelf.asked} == {IN_MEMORY_LIMIT}


def test_a_delivery_that_commits_late_is_not_skipped_whatever_its_id() -> None:
    """Where several processes accept, a lower id may be committed after a higher one: the place in the lane is what counts."""
    shelf = Shelf()
    backlog = backlog_of(shelf)
    in_order_of_commit = [
        msgspec.structs.replace(delivery(place), delivery_id=number) for place, number in ((1, 70), (2, 30), (3, 71))
    ]
    shelf.open = {1: in_order_of_commit[0]}
    fill(backlog)
    shelf.open |= {2: in_order_of_commit[1], 3: in_order_of_commit[2]}
    backlog.put(in_order_of_commit[1])
    backlog.put(in_order_of_commit[2])
    taken = []
    while backlog.following is not None:
        taken.append(backlog.take().delivery_id)
    assert (taken, backlog.is_behind) == ([70, 30, 71], False)
    backlog.reload()
    fill(backlog)
    assert [one.delivery_id for one in backlog] == [70, 30, 71]


@pytest.mark.parametrize("when", ["before the reading", "during it, seen", "during it, not seen"])
def test_what_is_put_around_a_reading_is_taken_once(when: str) -> None:
    shelf = Shelf(*range(1, 71))
    handed = Handed()
    backlog = backlog_of(shelf, handed)
    for number in range(1, 71):
        backlog.put(delivery(number))
    for _ in range(IN_MEMORY_LIMIT):
        del shelf.open[backlog.take().delivery_id]
    if when == "before the reading":
        shelf.open[71] = delivery(71)
        hand_over(backlog, handed, 71)
    filling = begun(backlog)
    if when == "during it, seen":
        shelf.open[71] = delivery(71)
        hand_over(backlog, handed, 71)
    if when == "during it, not seen":
        backlog.put(delivery(71))
    ended(filling)
    if when == "during it, not seen":
        shelf.open[71] = delivery(71)
    assert take_all(backlog, shelf) == [65, 66, 67, 68, 69, 70, 71]


def test_what_a_reading_took_up_is_not_taken_again_when_it_is_handed_over() -> None:
    shelf = Shelf(1, 2)
    handed = Handed()
    backlog = backlog_of(shelf, handed)
    backlog.reload()
    fill(backlog)
    hand_over(backlog, handed, 2)
    assert take_all(backlog, shelf) == [1, 2]
    hand_over(backlog, handed, 1)
    assert take_all(backlog, shelf) == []


def test_what_a_lane_took_up_that_is_gone_is_not_taken_by_the_next_one() -> None:
    shelf = Shelf(1)
    handed = Handed()
    gone = backlog_of(shelf, handed)
    gone.reload()
    assert take_all(gone, shelf) == [1]
    following = backlog_of(shelf, handed)
    hand_over(following, handed, 1)
    assert take_all(following, shelf) == []


def test_an_answer_that_comes_after_a_later_one_is_read() -> None:
    shelf = Shelf(5, 6)
    backlog = backlog_of(shelf)
    backlog.put(delivery(6))
    backlog.put(delivery(5))
    shelf.open[7] = delivery(7)
    backlog.put(delivery(7))
    assert take_all(backlog, shelf) == [6, 5, 7]


def test_a_reload_takes_up_what_was_never_put_and_nothing_twice() -> None:
    shelf = Shelf(*range(1, 9))
    backlog = backlog_of(shelf)
    for number in (2, 3, 5):
        backlog.put(delivery(number))
    del shelf.open[backlog.take().delivery_id]
    backlog.reload()
    assert take_all(backlog, shelf) == [1, 3, 4, 5, 6, 7, 8]


def test_a_reload_during_a_reading_is_not_forgotten() -> None:
    shelf = Shelf(3)
    backlog = backlog_of(shelf)
    backlog.put(delivery(3))
    del shelf.open[backlog.take().delivery_id]
    backlog.reload()
    filling = begun(backlog)
    backlog.reload()
    ended(filling)
    assert backlog.is_behind
    shelf.open[1] = delivery(1)
    assert take_all(backlog, shelf) == [1]


def test_what_was_put_back_is_taken_next() -> None:
    shelf = Shelf(1, 2, 3)
    backlog = backlog_of(shelf)
    for number in (1, 2, 3):
        backlog.put(delivery(number))
    first, second = backlog.take(), backlog.take()
    backlog.put_back([first, second])
    assert take_all(backlog, shelf) == [1, 2, 3]


def test_what_cannot_be_read_is_buried_and_what_comes_behind_it_is_taken() -> None:
    shelf = Shelf(1, 3, damaged=[2, *range(4, 200)])
    shelf.open[200] = delivery(200)
    backlog = backlog_of(shelf)
    backlog.reload()
    assert take_all(backlog, shelf) == [1, 3, 200]
    assert shelf.buried == [2, *range(4, 200)]


def test_a_message_of_several_deliveries_is_taken_up_whole() -> None:
    merged = [replace(delivery(number), state=DeliveryStatus.SENDING, lead_seq=63) for number in range(63, 68)]
    shelf = Shelf(*range(1, 63))
    shelf.open.update({one.delivery_id: one for one in merged})
    backlog = backlog_of(shelf)
    backlog.reload()
    fill(backlog)
    assert [one.delivery_id for one in backlog] == list(range(1, 63))
    assert take_all(backlog, shelf) == list(range(1, 68))


def test_what_was_handed_over_is_forgotten_and_so_is_the_oldest_of_too_many() -> None:
    handed = Handed(most=3)
    handed.add([1, 2, 3, 4])
    assert [handed.take(number) for number in (1, 2, 2, 3, 4)] == [False, True, False, True, True]


# -- any interleaving -------------------------------------------------------------------------------------------------------


class Interleavings(RuleBasedStateMachine):
    """Two origins commit into one target. Each waits for its answer before it commits again, as intake's lock has it; answers are
    late by any time, and readings see what is committed. A lane that has nothing to do is gone, and the next one begins anew."""

    @initialize()
    def begin(self) -> None:
        self.shelf = Shelf()
        self.handed = Handed()
        self.backlog: Backlog | None = None
        self.filling: Coroutine[Any, Any, None] | None = None
        self.last_id = 0
        self.unanswered: dict[str, list[int]] = {}
        self.by_origin: dict[str, list[int]] = {"A": [], "B": []}
        self.taken: list[int] = []
        self.at_work: list[OpenDelivery] = []

    def lane(self) -> Backlog:
        self.backlog = self.backlog or backlog_of(self.shelf, self.handed)
        return self.backlog

    @rule(origin=st.sampled_from("AB"), count=st.sampled_from([1, 1, 2, 70, 130]))
    def commit(self, origin: str, count: int) -> None:
        if origin in self.unanswered:
            return
        ids = list(range(self.last_id + 1, self.last_id + 1 + count))
        self.last_id = ids[-1]
        self.shelf.open.update({number: delivery(number) for number in ids})
        self.unanswered[origin] = ids
        self.by_origin[origin] += ids

    @rule(origin=st.sampled_from("AB"))
    def answer(self, origin: str) -> None:
        for number in self.unanswered.pop(origin, []):
            if not self.handed.take(number):
                self.lane().put(delivery(number))

    @precondition(lambda self: self.last_id)
    @rule()
    def reload(self) -> None:
        """Somebody saw that the lane has something open: the start, a reload of the configuration, the look every few seconds."""
        self.lane().reload()

    @precondition(lambda self: self.filling is not None)
    @rule()
    def read(self) -> None:
        assert self.filling is not None
        ended(self.filling)
        self.filling = None

    @precondition(lambda self: self.backlog is not None and self.filling is None)
    @rule(count=st.sampled_from([1, 3, 64]))
    def work(self, count: int) -> None:
        """The lane finishes what it has at work, and takes up the next: as `Lane._next`."""
        for _ in range(count):
            self.finish()
            backlog = self.backlog
            if backlog is None:
                return
            if backlog.following is None:
                if backlog.is_behind:
                    self.filling = begun(backlog)
                else:
                    self.backlog = None
                return
            self.at_work.append(backlog.take())

    @precondition(lambda self: self.at_work and self.filling is None and self.backlog is not None)
    @rule()
    def put_back(self) -> None:
        assert self.backlog is not None
        self.backlog.put_back(self.at_work)
        self.at_work = []

    def finish(self) -> None:
        for one in self.at_work:
            assert self.shelf.open.pop(one.delivery_id, None) is not None, f"{one.delivery_id} was taken up twice"
            self.taken.append(one.delivery_id)
        self.at_work = []

    def teardown(self) -> None:
        if not hasattr(self, "shelf"):
            return
        for origin in list(self.unanswered):
            self.answer(origin)
        for _ in range(100_000):
            if self.filling is not None:
                self.read()
            if self.backlog is None:
                break
            self.work(64)
        assert not self.shelf.open, "something was never taken up"
        assert sorted(self.taken) == list(range(1, self.last_id + 1))
        for origin, said in self.by_origin.items():
            assert [number for number in self.taken if number in set(said)] == said, f"what {origin} said is out of order"


Interleavings.TestCase.settings = settings(max_examples=examples(150), stateful_step_count=40, deadline=None)
TestInterleavings = Interleavings.TestCase


@given(st.lists(st.integers(0, 20), max_size=60))
def test_never_more_at_hand_than_its_bound(puts: list[int]) -> None:
    shelf = Shelf()
    backlog = backlog_of(shelf)
    number = 0
    for count in puts:
        for _ in range(count):
            number += 1
            shelf.open[number] = delivery(number)
            backlog.put(delivery(number))
        assert sum(1 for _ in backlog) <= IN_MEMORY_LIMIT
        if backlog.following is not None:
            del shelf.open[backlog.take().delivery_id]
