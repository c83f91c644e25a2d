"""Helpers for one's own asyncio tasks: ending them, and a group of lasting tasks. For whoever owns a task: supervisors,
adapters, the app."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def end(tasks: Iterable[asyncio.Task[Any]], *, within_s: float | None = None) -> set[asyncio.Task[Any]]:
    """Cancel tasks and wait until they are over, whatever they end with. Returns those that are not after `within_s` seconds.

    To await a cancelled task and to swallow the CancelledError that comes of it would also swallow the caller's own: whoever is
    cancelled while it waits here is cancelled."""
    doomed = set(tasks)
    for task in doomed:
        task.cancel()
    if not doomed:
        return set()
    over, left = await asyncio.wait(doomed, timeout=within_s)
    for task in over:
        if not task.cancelled():
            task.exception()  # retrieved here: nothing else does
    return left


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What the work comes to. Raises TimeoutError after so long, also if the work does not let go when it is cancelled, and OSError
    if it was cancelled by somebody else."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()
    return outcome(task)


async def to_the_end(work: Coroutine[Any, Any, T], name: str, *, within_s: float) -> T:
    """What the work comes to. A caller who is cancelled is so once the work is over, or has gone on for `within_s` seconds more."""
    task = asyncio.create_task(work, name=name)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait([task], timeout=within_s)
        finally:
            await end([task])
        raise


def outcome(task: asyncio.Task[T]) -> T:
    """Of a task that was waited for. Raises as `within`: a CancelledError of its own would be taken for the caller's."""
    if not task.done():
        task.add_done_callback(lambda late: late.cancelled() or late.exception())  # retrieved here: nothing else does
        raise TimeoutError("no answer in time")
    if task.cancelled():
        raise OSError("cancelled from within")
    return task.result()


class Services:
    """Tasks that last as long as their owner. One that ends by itself is a bug, which `failed` reports."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self.tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and not self.failed.done():
            self.failed.set_exception(task.exception() or RuntimeError(f"{task.get_name()} ended"))
