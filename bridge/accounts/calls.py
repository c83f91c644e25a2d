"""Calls of one account's adapter, whose answers may never come. `AccountSupervisor` has one; lanes call through it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from bridge.model.tasks import outcome

T = TypeVar("T")

_LONGEST_S = 2 * 3600.0
"""The largest file over a slow line."""


class Calls:
    def __init__(self) -> None:
        self._waited_for: set[asyncio.Future[None]] = set()
        self._given_up = False

    async def make(self, work: Coroutine[Any, Any, T]) -> T:
        """The answer. Raises what `work` raises, and TimeoutError after hours, or once the calls were given up: also if the work
        does not let go when it is cancelled."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        task = asyncio.create_task(work)
        if self._given_up:
            _set(over)
        task.add_done_callback(lambda _: _set(over))
        limit = loop.call_later(_LONGEST_S, _set, over)
        self._waited_for.add(over)
        try:
            await over  # not `asyncio.wait`: with many calls under way it takes longer than all else here
        finally:
            limit.cancel()
            self._waited_for.discard(over)
            task.cancel()
        return outcome(task)

    def give_up(self) -> None:
        """Nobody waits any longer, now or later."""
        self._given_up = True
        for over in self._waited_for:
            _set(over)


def _set(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)
