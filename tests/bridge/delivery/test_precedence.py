"""A backlog lets what was just said go first, and still comes to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.precedence import HEAD_START_S, MOST_SHARE, Precedence
from tests.faults.virtual_time import VirtualLoop


def run(work: Coroutine[Any, Any, float]) -> float:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


async def waited_s(precedence: Precedence) -> float:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await precedence.give_way()
    return loop.time() - began_s


def test_a_backlog_stands_still_while_a_message_arrives() -> None:
    async def arrival() -> float:
        precedence = Precedence()
        precedence.arrived()
        return await waited_s(precedence)

    assert run(arrival()) == pytest.approx(HEAD_START_S, abs=1e-4)


def test_a_backlog_goes_on_where_nobody_speaks() -> None:
    async def silence() -> float:
        precedence = Precedence()
        precedence.arrived()
        await asyncio.sleep(1)
        return await waited_s(precedence)

    assert run(silence()) == 0


@given(every_ms=st.floats(0.1, 100.0))
def test_a_backlog_has_its_share_of_the_time_however_much_arrives(every_ms: float) -> None:
    async def flood() -> float:
        precedence = Precedence()
        loop, stood_s = asyncio.get_running_loop(), 0.0

        async def talk() -> None:
            while True:
                precedence.arrived()
                await asyncio.sleep(every_ms / 1000)

        talking = asyncio.create_task(talk())
        while loop.time() < 10:
            stood_s += await waited_s(precedence)
            await asyncio.sleep(0.001)  # a delivery
        talking.cancel()
        return stood_s / loop.time()

    assert run(flood()) < MOST_SHARE * 1.1
