"""How a lane waits: what ends which wait, and that nothing that happens in between is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bridge.delivery.waits import Stopping, Waits
from tests.faults.virtual_time import VirtualClock, run_virtually


class Lane:
    """What the waits are told: whether the outbox stops, and what the lane works for."""

    def __init__(self) -> None:
        self.stopping = False
        self.where: object = ("supervisor 1", "end 1")
        self.clock = VirtualClock()
        self.waits = Waits(self.clock, stopping=lambda: self.stopping, where=lambda: self.where)

    def stop(self) -> None:
        self.stopping = True
        self.waits.kick()

    def replaced(self) -> None:
        """A reload gave the account another supervisor."""
        self.where = ("supervisor 2", "end 1")
        self.waits.kick()

    def removed(self) -> None:
        self.where = (None, None)
        self.waits.kick()


Wait = Callable[[Lane], Coroutine[Any, Any, None]]
Happening = Callable[[Lane], None]


def lasted_s(wait: Wait, *happens: tuple[float, Happening]) -> float | str:
    """How long a wait lasts while things happen at those moments, or "stopping"."""

    async def main() -> float | str:
        lane, loop = Lane(), asyncio.get_running_loop()
        for moment_s, what in happens:
            loop.call_later(moment_s, what, lane)
        began_s = loop.time()
        try:
            await wait(lane)
        except Stopping:
            return "stopping"
        return round(loop.time() - began_s, 2)

    result: float | str = run_virtually(main())
    return result


async def soft(lane: Lane) -> None:
    await lane.waits.sleep(60.0)


async def firm(lane: Lane) -> None:
    await lane.waits.sleep(60.0, firm=True)


def kick(lane: Lane) -> None:
    lane.waits.kick()


def hurry(lane: Lane) -> None:
    lane.waits.hurry()


def tell(lane: Lane) -> None:
    lane.waits.tell()


@pytest.mark.parametrize("wait", [soft, firm])
@pytest.mark.parametrize(
    ("happens", "soft_s", "firm_s"),
    [
        (None, 60.0, 60.0),
        (tell, 60.0, 60.0),
        (kick, 10.0, 60.0),
        (hurry, 10.0, 10.0),
        (Lane.replaced, 10.0, 10.0),
        (Lane.removed, 10.0, 10.0),
        (Lane.stop, "stopping", "stopping"),
    ],
)
def test_what_ends_a_wait(wait: Wait, happens: Happening | None, soft_s: float | str, firm_s: float | str) -> None:
    expected = soft_s if wait is soft else firm_s
    assert lasted_s(wait, *([(10.0, happens)] if happens else [])) == expected


def test_a_firm_wait_goes_on_after_many_kicks_and_ends_in_time() -> None:
    assert lasted_s(firm, *((second + 0.5, kick) for second in range(59))) == 60.0


def test_a_wait_longer_than_an_hour() -> None:
    assert lasted_s(lambda lane: lane.waits.sleep(10_000.0, firm=True)) == 10_000.0


def test_a_hurry_before_a_wait_does_not_end_it() -> None:
    async def wait(lane: Lane) -> None:
        lane.waits.hurry()
        await lane.waits.sleep(60.0, firm=True)

    assert lasted_s(wait) == 60.0


@pytest.mark.parametrize("wait", [soft, firm])
def test_while_the_outbox_stops_nobody_waits(wait: Wait) -> None:
    async def stopping(lane: Lane) -> None:
        lane.stop()
        await wait(lane)

    assert lasted_s(stopping) == "stopping"


def test_a_wait_of_no_time_is_none() -> None:
    assert lasted_s(lambda lane: lane.waits.sleep(-5.0)) == 0.0


def test_until_asks_anew_after_each_kick_and_when_told() -> None:
    asked: list[float] = []

    async def wait(lane: Lane) -> None:
        loop = asyncio.get_running_loop()
        answers = iter([float("inf"), float("inf"), 7.0, None])

        def is_so() -> float | None:
            asked.append(round(loop.time(), 2))
            return next(answers)

        await lane.waits.until(is_so)

    assert lasted_s(wait, (10.0, kick), (20.0, kick)) == 27.0
    assert asked == [0.0, 10.0, 20.0, 27.0]


def test_what_happens_while_it_is_looked_is_not_missed() -> None:
    """It became so between the look and the wait."""

    async def wait(lane: Lane) -> None:
        looks = 0

        def is_so() -> float | None:
            nonlocal looks
            looks += 1
            if looks == 1:
                lane.waits.kick()
                return float("inf")
            return None

        await lane.waits.until(is_so)

    assert lasted_s(wait) == 0.0


def test_until_asks_again_within_the_hour_even_if_nobody_kicks() -> None:
    async def wait(lane: Lane) -> None:
        loop = asyncio.get_running_loop()
        await lane.waits.until(lambda: None if loop.time() > 100 else float("inf"))

    assert lasted_s(wait) == 3600.0


def test_until_ends_with_the_outbox_but_not_where_it_is_so_already() -> None:
    async def never(lane: Lane) -> None:
        await lane.waits.until(lambda: float("inf"))

    async def already(lane: Lane) -> None:
        lane.stop()
        await lane.waits.until(lambda: None)

    assert lasted_s(never, (3.0, Lane.stop)) == "stopping"
    assert lasted_s(already) == 0.0


@pytest.mark.parametrize(("happens", "expected"), [(tell, 5.0), (kick, 5.0), (hurry, 5.0), (Lane.stop, "stopping"), (None, 60.0)])
def test_news_end_the_wait_for_them(happens: Happening | None, expected: float | str) -> None:
    assert lasted_s(lambda lane: lane.waits.for_news(60.0), *([(5.0, happens)] if happens else [])) == expected


def test_news_from_before_the_wait_count_once() -> None:
    async def wait(lane: Lane) -> None:
        lane.waits.tell()
        await lane.waits.for_news(60.0)
        await lane.waits.for_news(60.0)

    assert lasted_s(wait) == 60.0
