"""Takes what a program says in a websocket, text by text, in order.

matterbridge answers nothing to what a program says here. So what cannot be taken now is waited with, and the program's next words
with it; what is no message is kept with the input that was not understood. So is what cannot be taken before the connection's end:
nothing that arrived whole is dropped without a word."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import structlog

from adapters.webhook.inbound.receiver import Busy
from adapters.webhook.inbound.refusal import Refusal
from adapters.webhook.matterbridge_api.posting import Posting
from adapters.webhook.matterbridge_api.readers import Readers
from bridge.model.account_store import StoreDown
from bridge.model.clock import Clock
from bridge.model.tasks import end
from bridge.model.web_mount import KeyGrant

if TYPE_CHECKING:
    from aiohttp import web

log = structlog.get_logger("webhook")

LAST_S = 3.0
"""After the end of a connection, what arrived before is taken for so long."""
_AGAIN_S = 1.0


class _TooLate(Exception):
    """The connection has ended, and there is no more time."""


class Hearing:
    """Of one websocket."""

    def __init__(self, socket: web.WebSocketResponse, grant: KeyGrant, posting: Posting, readers: Readers, clock: Clock) -> None:
        self._socket = socket
        self._grant = grant
        self._posting = posting
        self._readers = readers
        self._clock = clock
        self._ending = asyncio.Event()
        self._until_s = float("inf")
        self._lost = 0

    async def run(self) -> None:
        """Ends when the program closes the connection, sends what is too large, or does not answer a ping."""
        from aiohttp import WSMsgType

        try:
            async for frame in self._socket:
                if frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    await self._take(frame.data)
        finally:
            if self._lost:
                log.warning("what a program said at its end is lost", chat=self._grant.chat, count=self._lost)

    async def finish(self, task: asyncio.Task[None]) -> None:
        """Let `run`, which is that task, take what has arrived, and end it."""
        self._until_s = self._clock.monotonic_s() + LAST_S
        self._ending.set()
        try:
            await asyncio.wait([task], timeout=2 * LAST_S)
        finally:
            await end([task])

    async def _take(self, said: str | bytes) -> None:
        try:
            while wait_s := self._grant.spend():
                await self._wait(wait_s, "the connection ended before the key's rate let it in")
            while not await self._taken(said):
                if self._readers.is_closed:
                    raise _TooLate("the account ended before it could be taken")
                await self._wait(_AGAIN_S, "the connection ended before it could be taken")
        except _TooLate as late:
            await self._keep(said, str(late))
        except asyncio.CancelledError:
            self._lost += 1
            raise

    async def _taken(self, said: str | bytes) -> bool:
        """False: not now."""
        try:
            if not await self._grant.is_valid():
                self._posting.ignored("said by a key that is no longer valid")
                return True
            await self._posting.take(json.loads(said), self._grant)
        except (Busy, StoreDown):
            return False
        except Refusal as refusal:
            if refusal.status in (503, 507):
                return False
            await self._keep(said, refusal.why)
        except (ValueError, RecursionError):
            await self._keep(said, "no JSON in a websocket")
        return True

    async def _keep(self, said: str | bytes, why: str) -> None:
        try:
            await self._posting.keep(self._grant.chat, said, why)
        except StoreDown:
            self._lost += 1

    async def _wait(self, wait_s: float, why: str) -> None:
        """Raises _TooLate."""
        if not self._ending.is_set():
            await self._clock.wait(self._ending, wait_s)
            return
        left_s = self._until_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise _TooLate(why)
        await self._clock.sleep(min(wait_s, left_s))
