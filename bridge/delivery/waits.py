"""How one lane waits: for its account, for a time, for new work. Nothing that a reload replaces is held across an await.

Whoever changes what a lane may be waiting for (an account that comes up, is replaced or removed, a new routing table, a stop) kicks
it; the lane then checks everything again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bridge.model.clock import Clock

_LONG_S = 3600.0
"""Checked again at least this often."""


class Stopping(Exception):
    """The outbox is stopping and this lane would have to wait."""


class Waits:
    """`stopping` tells whether the outbox is; `where` identifies what the lane works for at the moment: the account's supervisor
    and the route's end."""

    def __init__(self, clock: Clock, *, stopping: Callable[[], bool], where: Callable[[], object]) -> None:
        self._clock = clock
        self._stopping = stopping
        self._where = where
        self._kicked = asyncio.Event()
        self._hurried = False
        self._news = asyncio.Event()

    def kick(self) -> None:
        """What is waited for may have changed."""
        self._kicked.set()
        self._news.set()

    def hurry(self) -> None:
        """A human wants the current wait to end, even one that the platform asked for."""
        self._hurried = True
        self.kick()

    def tell(self) -> None:
        """There is something new to do."""
        self._news.set()

    async def until(self, is_so: Callable[[], float | None]) -> None:
        """Returns once `is_so` gives None; until then it gives the seconds after which to ask again. Raises Stopping."""
        while True:
            self._kicked.clear()  # before checking: what happens from here on ends the wait
            again_s = is_so()
            if again_s is None:
                return
            if self._stopping():
                raise Stopping
            await self._clock.wait(self._kicked, min(max(again_s, 0.0), _LONG_S))

    async def sleep(self, seconds: float, *, firm: bool = False) -> None:
        """A kick ends the wait; one that is firm (the platform asked for it) only if it is over for what is waited for by then. A
        human's hurry ends any. Raises Stopping."""
        due_s = self._clock.monotonic_s() + seconds
        before = self._where()
        self._hurried = False
        while not self._stopping() and (left_s := due_s - self._clock.monotonic_s()) > 0:
            self._kicked.clear()
            kicked = await self._clock.wait(self._kicked, min(left_s, _LONG_S))
            if kicked and (not firm or self._hurried or self._where() != before):
                break
        if self._stopping():
            raise Stopping

    async def for_news(self, seconds: float) -> None:
        """Nothing to do for this long, unless new work arrives. Raises Stopping."""
        if self._stopping():
            raise Stopping
        await self._clock.wait(self._news, min(max(seconds, 0.0), _LONG_S))
        self._news.clear()
        if self._stopping():
            raise Stopping
