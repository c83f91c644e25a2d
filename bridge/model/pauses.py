"""Long computations beside the event loop: in one thread, in short steps, with pauses between them.

A thread that computes keeps the interpreter for itself: when the loop has waited for something, it has the interpreter again only
when that thread gives it up. So pure code that goes over a long text says where it may pause (`pause_point`, `in_steps`), and
`beside` runs it in a thread that pauses there for much longer than it computes. Elsewhere a pause point does nothing: what the
code returns does not depend on it. Why it is so: docs/decisions/0009-long-texts-beside-the-loop.md.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

T = TypeVar("T")

STEP = 128
"""How many runs, items or tokens between two pause points: at a few microseconds each, well below a millisecond."""
_WORK_S = 0.0005
"""It pauses at the first pause point after this time."""
_PAUSE_S = 0.004
"""Time for another message to pass through the loop without being stopped again."""


class _Here(threading.local):
    take: Callable[[], None] | None = None


_here = _Here()
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="long-texts")
"""One thread for all: two would fill each other's pauses."""


def pause_point() -> None:
    """The work may be interrupted here."""
    if _here.take is not None:
        _here.take()


def in_steps(items: Sequence[T]) -> Iterator[T]:
    """The items, with a pause point before each `STEP` of them."""
    if len(items) > STEP:
        return _steps(items)
    if _here.take is not None:  # `pause_point`, inlined: a long text has thousands of short steps
        _here.take()
    return iter(items)


def _steps(items: Sequence[T]) -> Iterator[T]:
    for at in range(0, len(items), STEP):
        pause_point()
        yield from items[at : at + STEP]


async def beside(work: Callable[[], T]) -> T:
    """The result of `work`, computed beside the loop, after work submitted earlier. Raises what `work` raises. If the caller is
    cancelled, work that has begun runs to its end, and its result is dropped."""
    run = partial(contextvars.copy_context().run, with_pauses, work, _Breaks().take)
    return await asyncio.get_running_loop().run_in_executor(_thread, run)


async def beside_if(is_long: bool, work: Callable[[], T]) -> T:
    """The result of `work`, computed beside the loop if it takes long."""
    return await beside(work) if is_long else work()


def with_pauses(work: Callable[[], T], take: Callable[[], None]) -> T:
    """The result of `work`; `take` is called at each of its pause points."""
    before, _here.take = _here.take, take
    try:
        return work()
    finally:
        _here.take = before


class _Breaks:
    def __init__(self) -> None:
        self._since_s = time.perf_counter()

    def take(self) -> None:
        if time.perf_counter() - self._since_s >= _WORK_S:
            time.sleep(_PAUSE_S)
            self._since_s = time.perf_counter()
