"""Calls of an adapter end for the caller, whatever the adapter does."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from bridge.accounts.calls import Calls


async def stubborn(begun: asyncio.Event, let_go: asyncio.Event) -> str:
    """Does not end when it is cancelled."""
    begun.set()
    while not let_go.is_set():
        with contextlib.suppress(asyncio.CancelledError):
            await let_go.wait()
    return "late"


async def test_the_answer_is_that_of_the_work() -> None:
    async def answers() -> int:
        return 7

    async def fails() -> int:
        raise ValueError("no such chat")

    calls = Calls()
    assert await calls.make(answers()) == 7
    with pytest.raises(ValueError, match="no such chat"):
        await calls.make(fails())


async def test_nobody_waits_for_work_that_was_given_up() -> None:
    calls, begun, let_go = Calls(), asyncio.Event(), asyncio.Event()
    call = asyncio.create_task(calls.make(stubborn(begun, let_go)))
    await begun.wait()
    calls.give_up()
    with pytest.raises(TimeoutError):
        await call
    with pytest.raises(TimeoutError):
        await calls.make(stubborn(begun, let_go))
    let_go.set()


async def test_a_caller_that_is_cancelled_cancels_its_work() -> None:
    calls, begun, cancelled = Calls(), asyncio.Event(), asyncio.Event()

    async def works() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    call = asyncio.create_task(calls.make(works()))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await cancelled.wait()
