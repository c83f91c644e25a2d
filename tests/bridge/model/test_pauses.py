"""Work beside the loop whose caller is cancelled: nobody waits for it any more, and it is in nobody's way."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from bridge.model.pauses import beside, pause_point, with_pauses
from tests.support.long_texts import thread_held_up
from tests.support.patience import PATIENCE_S, eventually


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class Work:
    """Under way until it is let go; then it does what it was made for."""

    def __init__(self, then: Callable[[], object]) -> None:
        self.begun, self.may_end, self.ended = threading.Event(), threading.Event(), threading.Event()
        self._then = then

    def __call__(self) -> object:
        self.begun.set()
        assert self.may_end.wait(PATIENCE_S)
        try:
            return self._then()
        finally:
            self.ended.set()


def fails() -> object:
    raise ValueError("nobody hears of it")


@pytest.mark.parametrize("then", [object, fails], ids=["it succeeds", "it fails"])
async def test_the_caller_is_free_at_once_and_the_work_ends_by_itself(then: Callable[[], object]) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    work = Work(then)
    caller = asyncio.create_task(beside(work))
    await eventually(work.begun.is_set)
    await cancelled(caller)
    assert not work.ended.is_set()
    next_one = asyncio.create_task(beside(lambda: "the next one"))
    work.may_end.set()
    assert await next_one == "the next one"
    assert work.ended.is_set(), "one after the other"
    del caller
    gc.collect()
    assert not complaints


async def test_what_had_not_begun_is_never_done() -> None:
    done: list[str] = []
    async with thread_held_up() as held:
        first = asyncio.create_task(beside(lambda: done.append("first")))
        second = asyncio.create_task(beside(lambda: done.append("second")))
        await held.until_waiting(2)
        await cancelled(first)
        held.end()
        await second
    assert done == ["second"]


async def test_nothing_of_it_is_kept() -> None:
    class Text:
        pass

    text = Text()
    gone = weakref.ref(text)

    def hold(text: Text) -> Work:
        return Work(lambda: text)

    work = hold(text)
    caller = asyncio.create_task(beside(work))
    await eventually(work.begun.is_set)
    await cancelled(caller)
    work.may_end.set()
    await beside(lambda: None)
    del text, work, caller
    gc.collect()
    assert gone() is None


async def test_work_that_fails_leaves_the_thread_as_it_was() -> None:
    """Its pauses are its own: what comes next does not take them."""
    with pytest.raises(ValueError, match="nobody"):
        await beside(lambda: with_pauses(fails, lambda: None))
    taken: list[None] = []
    await beside(lambda: with_pauses(pause_point, lambda: taken.append(None)))
    assert taken == [None]
    await beside(pause_point)
    assert taken == [None]
