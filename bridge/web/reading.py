"""Ends a reader's call, which may last for an hour, when its key is revoked or expires."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from bridge.journal.contract import JournalError
from bridge.model.clock import Clock

if TYPE_CHECKING:
    from aiohttp import web

LOOK_EVERY_S = 5.0


async def while_valid(
    handling: Coroutine[Any, Any, web.StreamResponse], is_valid: Callable[[], Awaitable[bool]], clock: Clock
) -> web.StreamResponse:
    """The result of `handling`. Raises ConnectionError, and cancels it, once the key is no longer valid."""
    done = asyncio.Event()
    task = asyncio.create_task(handling, name="call of a reader")
    task.add_done_callback(lambda _: done.set())
    try:
        while not await clock.wait(done, LOOK_EVERY_S):
            if not await _is_valid(is_valid):
                raise ConnectionError("the key is no longer valid")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])


async def _is_valid(is_valid: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await is_valid()
    except JournalError:
        return True  # the handling reads the same journal, and says so
