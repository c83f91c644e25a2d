"""What a lane takes up next: those in its line and those beside it take turns, so that neither waits for the other to run out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from bridge.delivery.backlog import Backlog
from bridge.delivery.line import Line
from bridge.delivery.waits import Waits
from bridge.journal.contract import Damaged, DeliveryStatus, OpenDelivery
from bridge.model.clock import SystemClock
from tests.support.deliveries import delivery


class Records:
    """Nothing waits to be written."""

    are_complete = True


class Journal:
    """Deliveries in the line, and beside it, until they are done."""

    def __init__(self, in_line: Sequence[int], beside: Sequence[int]) -> None:
        self.in_line = [delivery(number) for number in in_line]
        self.beside = [replace(delivery(number), state=DeliveryStatus.BEHIND) for number in beside]

    async def read(self, after: int, limit: int) -> Sequence[OpenDelivery]:
        return [one for one in self.in_line if one.delivery_id > after][:limit]

    async def read_behind(self, limit: int) -> Sequence[OpenDelivery]:
        return self.beside[:limit]

    async def bury(self, damaged: Sequence[Damaged]) -> None:
        assert not damaged


async def taken(journal: Journal, *, most: int = 1000) -> list[int]:
    """The order in which everything is taken up, each carried out at once."""
    clock: Any = SystemClock()
    backlog = Backlog(journal.read, journal.bury)
    waits = Waits(clock, stopping=lambda: False, where=lambda: None)
    records: Any = Records()
    line = Line(backlog, records, waits, clock, read_behind=journal.read_behind, bury=journal.bury, longest_s=lambda: 60)
    backlog.reload()
    line.look_behind()
    order: list[int] = []
    while len(order) < most and (pending := await line.next()) is not None:
        order.append(pending.delivery_id)
        journal.beside = [one for one in journal.beside if one.delivery_id != pending.delivery_id]
        if pending.state is DeliveryStatus.BEHIND and journal.beside:
            line.look_behind()
    return order


async def test_those_in_the_line_and_those_beside_it_take_turns() -> None:
    order = await taken(Journal(range(100, 110), range(1, 6)))
    assert order == [1, 100, 2, 101, 3, 102, 4, 103, 5, 104, 105, 106, 107, 108, 109]


async def test_many_beside_the_line_starve_nobody_in_it_and_the_reverse() -> None:
    """More of both than are read at once."""
    order = await taken(Journal(range(1000, 1200), range(1, 201)))
    assert sorted(order) == [*range(1, 201), *range(1000, 1200)]
    for kind in (range(1, 201), range(1000, 1200)):
        assert [one for one in order if one in kind] == list(kind)
    assert all((one in range(1, 201)) != (other in range(1, 201)) for one, other in itertools.pairwise(order))


async def test_what_is_beside_the_line_goes_on_when_nothing_else_is_there() -> None:
    assert await taken(Journal((), range(1, 6))) == [1, 2, 3, 4, 5]
