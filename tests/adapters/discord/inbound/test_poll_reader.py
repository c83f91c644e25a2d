"""How votes are read: once for many of them, again after a fault, and no more than so many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.discord.errors import Refused, refusal_of
from adapters.discord.inbound import poll_reader
from adapters.discord.inbound.poll_reader import READ_EVERY_S, PollReader
from bridge.model.errors import AccountDown, Rejected, RetryLater
from tests.support.clock import ManualClock
from tests.support.patience import eventually


class StandingClock(ManualClock):
    """Who sleeps waits until the test lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self._go = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._go.acquire()
        self.forward(seconds)

    def let(self) -> None:
        self._go.release()


class Channel:
    """Answers for messages, or fails as told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.faults: list[Exception] = []
        self.answer: asyncio.Event | None = None
        """What answers wait for."""

    async def call(self, route: Any, **_: Any) -> Any:
        self.asked.append(route.path.rpartition("/")[2])
        if self.faults:
            raise self.faults.pop(0)
        if self.answer is not None:
            await self.answer.wait()
        return {"id": self.asked[-1]}


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def channel() -> Channel:
    return Channel()


@asynccontextmanager
async def reading(channel: Channel, clock: StandingClock) -> AsyncIterator[tuple[PollReader, list[Any]]]:
    found: list[Any] = []

    async def take(message: Any) -> None:
        found.append(message["id"])

    reader = PollReader(channel, clock, take)  # type: ignore[arg-type]
    task = asyncio.create_task(reader.run())
    try:
        yield reader, found
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_many_votes_are_one_read(channel: Channel, clock: StandingClock) -> None:
    async with reading(channel, clock) as (reader, found):
        for _ in range(50):
            reader.voted("c", "1")
            reader.voted("c", "2")
        await eventually(lambda: clock.slept == [READ_EVERY_S])
        assert channel.asked == []
        clock.let()
        await eventually(lambda: found == ["1", "2"])
        reader.voted("c", "1")
        await eventually(lambda: len(clock.slept) == 2)
        clock.let()
        await eventually(lambda: found == ["1", "2", "1"])


@pytest.mark.parametrize("fault", [RetryLater("busy"), AccountDown("token", action="renew it")])
async def test_what_could_not_be_read_is_read_later_though_nobody_votes_again(
    channel: Channel, clock: StandingClock, fault: Exception
) -> None:
    channel.faults.append(fault)
    async with reading(channel, clock) as (reader, found):
        reader.voted("c", "1")
        reader.voted("c", "2")
        clock.let()
        await eventually(lambda: len(clock.slept) == 2)
        assert channel.asked == ["1"], "the others are not tried while the server fails"
        assert found == []
        clock.let()
        await eventually(lambda: found == ["2", "1"])  # one that always fails holds up no other


async def test_a_vote_while_the_poll_is_being_read_is_in_the_next_count(channel: Channel, clock: StandingClock) -> None:
    answer = asyncio.Event()
    channel.answer = answer
    async with reading(channel, clock) as (reader, found):
        reader.voted("c", "1")
        clock.let()
        await eventually(lambda: channel.asked == ["1"])
        reader.voted("c", "1")
        answer.set()
        await eventually(lambda: len(clock.slept) == 2)
        clock.let()
        await eventually(lambda: found == ["1", "1"])


GONE = Refused(refusal_of(404, {"code": 10008, "message": "Unknown Message"}, {}), Rejected("gone"))


@pytest.mark.parametrize("fault", [GONE, Rejected("the answer is too large")])
async def test_a_poll_that_nobody_can_read_is_not_asked_for_again(channel: Channel, clock: StandingClock, fault: Exception) -> None:
    channel.faults.append(fault)
    async with reading(channel, clock) as (reader, found):
        reader.voted("c", "1")
        reader.voted("c", "2")
        clock.let()
        await eventually(lambda: found == ["2"])
        assert channel.asked == ["1", "2"]


async def test_what_waits_is_bounded(channel: Channel, clock: StandingClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_reader, "MOST", 3)
    async with reading(channel, clock) as (reader, found):
        for number in range(100):
            reader.voted("c", str(number))
        clock.let()
        await eventually(lambda: found == ["97", "98", "99"])
