"""Outgoing webhooks: the server's calls to other web servers, signed, redelivered with back-off, in order only if all goes well.

Used by `server`. One lane per (webhook, chat) delivers one event at a time; an event that was not confirmed waits its back-off
outside the lane while later ones go on, which is how events come out of order.
"""

from __future__ import annotations

import asyncio
import collections
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field

import aiohttp

from adapters.teamspirit.emulator.records import Json

EVENTS = (
    "message.created",
    "message.edited",
    "message.deleted",
    "reaction.added",
    "reaction.removed",
    "member.joined",
    "member.left",
    "chat.renamed",
    "status.changed",
    "typing",
)
_KEEP_TRYING_S = 24 * 3600.0
_CALL_TIMEOUT_S = 30.0


@dataclass(slots=True)
class Webhook:
    """A registered outgoing webhook. No chats or no events means all of them."""

    webhook_id: str
    url: str
    chats: tuple[str, ...]
    events: tuple[str, ...]
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def wants(self, event: str, chat_id: str) -> bool:
        return (not self.chats or not chat_id or chat_id in self.chats) and (not self.events or event in self.events)

    def listed(self) -> Json:
        """Key and secret are shown once, at registration."""
        return {
            "id": self.webhook_id,
            "direction": "outgoing",
            "url": self.url,
            "chats": list(self.chats),
            "events": list(self.events),
        }


@dataclass(slots=True)
class _Call:
    webhook: Webhook
    chat_id: str
    body: bytes
    first_at: float
    attempt: int = 0


class OutgoingWebhooks:
    """The webhooks and their undelivered events."""

    def __init__(self) -> None:
        self.first_backoff_s = 0.25
        self.longest_backoff_s = 5.0
        self.webhooks: dict[str, Webhook] = {}
        self._lanes: dict[tuple[str, str], collections.deque[_Call]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._session: aiohttp.ClientSession | None = None
        self._last: _Call | None = None
        self._swap_next = False
        self._held: _Call | None = None
        self._reachable = asyncio.Event()
        self._reachable.set()
        self._undelivered = 0
        self._closed = False

    # -- lifecycle ----------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        self._closed = True
        tasks = list(self._tasks.values())
        for timer in self._timers:
            timer.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._timers.clear()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def pause(self, paused: bool) -> None:
        """The server is down (True): nothing is sent until it is up again."""
        if paused:
            self._reachable.clear()
            self.cut()
        else:
            self._reachable.set()

    def cut(self) -> None:
        """Cut the calls in progress; they count as not confirmed."""
        for task in list(self._tasks.values()):
            task.cancel("cut")

    @property
    def undelivered(self) -> int:
        """Calls not confirmed yet, waiting ones included."""
        return self._undelivered

    # -- delivering ---------------------------------------------------------------------------------------------------------

    def emit(self, event: object, chat_id: str) -> None:
        """Deliver an event, or a body of any shape, to every webhook that subscribed to it."""
        name = str(event.get("event", "")) if isinstance(event, dict) else ""
        body: bytes | None = None
        for webhook in self.webhooks.values():
            if webhook.wants(name, chat_id):
                body = body or json.dumps(event, ensure_ascii=False).encode()
                self._undelivered += 1
                self._order(_Call(webhook, chat_id, body, time.monotonic()))

    def swap_next_two(self) -> None:
        self._swap_next = True

    def redeliver_last(self) -> None:
        if self._last is not None:
            last = self._last
            self._undelivered += 1
            self._enqueue(_Call(last.webhook, last.chat_id, last.body, time.monotonic()))

    def _order(self, call: _Call) -> None:
        if self._swap_next:
            self._swap_next, self._held = False, call
            return
        held, self._held = self._held, None
        self._enqueue(call)
        if held is not None:
            self._enqueue(held)

    def _enqueue(self, call: _Call) -> None:
        lane = (call.webhook.webhook_id, call.chat_id)
        self._lanes.setdefault(lane, collections.deque()).append(call)
        self._run(lane)

    def _run(self, lane: tuple[str, str]) -> None:
        if lane not in self._tasks and not self._closed:
            task = asyncio.create_task(self._deliver(self._lanes[lane]), name=f"webhook {lane[0]} chat {lane[1]}")
            self._tasks[lane] = task
            task.add_done_callback(lambda _: self._ended(lane))

    def _ended(self, lane: tuple[str, str]) -> None:
        """A lane is done, or was cut on command: then it continues with the calls that still wait."""
        self._tasks.pop(lane, None)
        if self._lanes.get(lane):
            self._run(lane)
        else:
            self._lanes.pop(lane, None)

    async def _deliver(self, calls: collections.deque[_Call]) -> None:
        while calls:
            await self._reachable.wait()
            call = calls.popleft()
            confirmed = False
            self._last = call
            try:
                confirmed = await self._post(call)
            finally:
                if not confirmed:
                    self._later(call)
            if confirmed:
                self._undelivered -= 1

    def _later(self, call: _Call) -> None:
        call.attempt += 1
        if time.monotonic() - call.first_at > _KEEP_TRYING_S or call.webhook.webhook_id not in self.webhooks:
            self._undelivered -= 1
            return
        wait_s = min(self.first_backoff_s * 2 ** (call.attempt - 1), self.longest_backoff_s)

        def due() -> None:
            self._timers.discard(timer)
            self._enqueue(call)

        timer = asyncio.get_running_loop().call_later(wait_s, due)
        self._timers.add(timer)

    async def _post(self, call: _Call) -> bool:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_CALL_TIMEOUT_S))
        webhook = call.webhook
        timestamp = str(int(time.time()))
        signature = hmac.new(webhook.secret.encode(), timestamp.encode() + b"." + call.body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-TeamSpirit-Key": webhook.key,
            "X-TeamSpirit-Timestamp": timestamp,
            "X-TeamSpirit-Signature": f"sha256={signature}",
        }
        try:
            async with self._session.post(webhook.url, data=call.body, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
