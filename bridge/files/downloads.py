"""Downloads of attachments. A slow download continues when the delivery that started it no longer waits, so that nothing is fetched
twice and no chat is delayed by a slow server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any

from bridge.model.clock import Clock
from bridge.model.refs import ChatRef
from bridge.model.tasks import end, outcome

_AT_ONCE = 8
"""How many files of one chat are downloaded at once. Further ones wait, so that slow downloads of one chat do not delay other
chats."""

_MOMENT_S = 0.5
"""The minimum time of a download that starts now."""


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
    """By key: the file as one of its users requests it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[Hashable, _Download] = {}
        self._places: dict[ChatRef, _Places] = {}

    async def wait_for(
        self, key: Hashable, chat: ChatRef, fetch: Callable[[], Coroutine[Any, Any, None]], *, within_s: float
    ) -> bool:
        """Whether the download is complete; False: not within `within_s`, and it continues. Raises what `fetch` raised: then the
        next request starts it again. OSError: it was cancelled by `forget`."""
        download = self._running.get(key)
        if download is None:
            within_s = max(within_s, _MOMENT_S)
            download = self._running[key] = _Download()
            download.task = asyncio.create_task(self._fetch(download, chat, fetch), name=f"download from {chat}")
            download.task.add_done_callback(lambda task: task.cancelled() or task.exception())  # there may be no further request
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
                    self.forget(key)  # nothing is lost, and few wait for a place
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
        """The file is no longer needed."""
        download = self._running.pop(key, None)
        if download is not None:
            download.over.set()  # a task that is cancelled before its first step runs no code of its own
            download.task.cancel()

    async def close(self) -> None:
        """Bounded in time: a task that does not end must not block the stop."""
        running, self._running = list(self._running.values()), {}
        await end([download.task for download in running], within_s=1.0)
