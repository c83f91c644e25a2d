"""Downloads of attachments. One that is slow goes on when the delivery that began it no longer waits for it, so that nothing is
fetched twice and no chat is held up by bytes that trickle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any

from bridge.model.clock import Clock
from bridge.model.refs import ChatRef
from bridge.model.tasks import end, outcome

_AT_ONCE = 8
"""Downloads of one chat's files at the same time. More of them wait: then the slow ones of one chat hold up no other chat's."""

_MOMENT_S = 0.5
"""One that is begun now has at least this time."""


@dataclass(slots=True)
class _Download:
    task: asyncio.Task[None] = field(init=False)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    begun: bool = False
    waiting: int = 0
    """How many deliveries wait for it now."""


@dataclass(slots=True)
class _Places:
    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    users: int = 0


class Downloads:
    """By key: the file as one of its users wants it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[Hashable, _Download] = {}
        self._places: dict[ChatRef, _Places] = {}

    async def wait_for(
        self, key: Hashable, chat: ChatRef, fetch: Callable[[], Coroutine[Any, Any, None]], *, within_s: float
    ) -> bool:
        """Whether the download is complete; False: not within `within_s`, and it goes on. Raises what `fetch` raised: then it is
        begun anew when it is asked for again. OSError: it was cancelled by `forget`."""
        download = self._running.get(key)
        if download is None:
            within_s = max(within_s, _MOMENT_S)
            download = self._running[key] = _Download()
            download.task = asyncio.create_task(self._fetch(download, chat, fetch), name=f"download from {chat}")
            download.task.add_done_callback(lambda task: task.cancelled() or task.exception())  # perhaps nobody asks again
        download.waiting += 1
        try:
            if not await self._clock.wait(download.over, within_s):
                return False
        finally:
            download.waiting -= 1
            if self._running.get(key) is download and not download.waiting:
                if download.over.is_set():
                    del self._running[key]
                elif not download.begun:
                    self.forget(key)  # nothing is lost, and those that wait for a place stay few
        await asyncio.wait({download.task})
        outcome(download.task)
        return True

    async def _fetch(self, download: _Download, chat: ChatRef, fetch: Callable[[], Coroutine[Any, Any, None]]) -> None:
        places = self._places.setdefault(chat, _Places())
        places.users += 1
        try:
            async with places.free:
                download.begun = True
                await fetch()
        finally:
            download.over.set()
            places.users -= 1
            if not places.users:
                del self._places[chat]

    def forget(self, key: Hashable) -> None:
        """Nobody wants the file any more."""
        download = self._running.pop(key, None)
        if download is not None:
            download.over.set()  # a task that is cancelled before its first step never says so itself
            download.task.cancel()

    async def close(self) -> None:
        """Bounded: what does not let go keeps no stop from ending."""
        running, self._running = list(self._running.values()), {}
        await end([download.task for download in running], within_s=1.0)
