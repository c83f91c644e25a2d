"""Ending tasks: none is left behind, and whoever is cancelled while it waits is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, cast

import pytest

from bridge.model.tasks import end, to_the_end
from tests.support.patience import PATIENCE_S


async def forever() -> None:
    await asyncio.Event().wait()


async def reluctant(release: asyncio.Event) -> None:
    """Ignores being cancelled once, as a library that swallows it does."""
    with contextlib.suppress(asyncio.CancelledError):
        await release.wait()
    await release.wait()


async def test_tasks_are_over_when_it_returns_whatever_they_end_with() -> None:
    async def fails() -> None:
        try:
            await forever()
        finally:
            raise OSError("the socket is gone")

    async def done() -> int:
        return 1

    tasks = [asyncio.create_task(work) for work in (forever(), fails(), done())]
    await asyncio.sleep(0)
    assert await end(tasks) == set()
    assert all(task.done() for task in tasks)


async def test_nothing_to_end() -> None:
    assert await end([]) == set()


async def test_ones_own_cancellation_is_not_swallowed() -> None:
    release, inner = asyncio.Event(), asyncio.Event()
    slow = asyncio.create_task(reluctant(release))
    await asyncio.sleep(0)

    async def owner() -> str:
        inner.set()
        await end([slow])
        return "went on"

    owning = asyncio.create_task(owner())
    await inner.wait()
    owning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owning
    release.set()
    await slow


async def test_ones_own_cancellation_and_the_end_of_the_task_at_the_same_moment() -> None:
    async def owner(task: asyncio.Task[None]) -> str:
        await end([task])
        return "went on"

    task = asyncio.create_task(forever())
    owning = asyncio.create_task(owner(task))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # `end` cancelled the task, which ends with the next turn of the loop
    owning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owning
    assert task.cancelled()


async def test_what_does_not_let_go_is_returned_in_time() -> None:
    release = asyncio.Event()
    slow, quick = asyncio.create_task(reluctant(release)), asyncio.create_task(forever())
    await asyncio.sleep(0)
    assert await end([slow, quick], within_s=0.05) == {slow}
    assert quick.cancelled()
    release.set()
    await slow


async def test_work_goes_on_to_its_end_for_a_caller_who_is_cancelled() -> None:
    release, done = asyncio.Event(), []

    async def work() -> int:
        await release.wait()
        done.append(1)
        return 5

    caller = asyncio.create_task(to_the_end(work(), "work", within_s=PATIENCE_S))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done == [1]
    assert await to_the_end(work(), "work", within_s=0) == 5


async def test_work_that_does_not_end_ends_with_its_caller() -> None:
    inner: list[asyncio.Task[Any]] = []

    async def work() -> None:
        inner.append(cast("asyncio.Task[Any]", asyncio.current_task()))
        await forever()

    caller = asyncio.create_task(to_the_end(work(), "work", within_s=0.01))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert inner[0].cancelled()
