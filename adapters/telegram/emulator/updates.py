"""One bot's update queue with getUpdates' rules: offsets, long polls, a single consumer, remembered allowed_updates.

Source: platforms.md 1.1 (tdlib/telegram-bot-api Client.cpp: process_get_updates_query, do_get_updates, fail_query_conflict).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from adapters.telegram.emulator.errors import ApiError, conflict

Json = dict[str, Any]

ALWAYS_OFF = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Update kinds that are sent only if `allowed_updates` names them."""
LONG_POLL_MAX_S = 50
BATCH_MAX = 100
_CONFLICT_DELAY_S = 3.0
_FIRST_ID = 518_000_001


class UpdateQueue:
    """One bot's pending updates, kept as (update_id, JSON text), oldest first."""

    def __init__(self, *, conflict_delay_s: float = _CONFLICT_DELAY_S) -> None:
        self.allowed: frozenset[str] | None = None
        """None: every kind but `ALWAYS_OFF`."""
        self.webhook_url = ""
        self.on_change: Callable[[], None] = lambda: None
        self._conflict_delay_s = conflict_delay_s
        self._next_id = _FIRST_ID
        self._pending: deque[tuple[int, bytes]] = deque()
        self._last: tuple[int, bytes] | None = None
        self._redeliver = False
        self._poll: asyncio.Future[None] | None = None
        self._last_offset: int | None = None
        self._last_asked_at = float("-inf")
        self._last_answered_at = float("-inf")
        self._last_conflict_at = float("-inf")

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def next_id(self) -> int:
        return self._next_id

    def wants(self, kind: str) -> bool:
        return kind not in ALWAYS_OFF if self.allowed is None else kind in self.allowed

    def set_allowed(self, names: Any) -> None:
        """Remember `allowed_updates`; None leaves the setting as it was."""
        if isinstance(names, list):
            self.allowed = frozenset(map(str, names)) if names else None

    def push(self, kind: str, payload: Json) -> None:
        if self.wants(kind):
            self.push_raw({kind: payload})

    def push_raw(self, body: Json) -> None:
        """Queue an update of any shape."""
        self.push_text(msgspec.json.encode({"update_id": self._next_id} | body))

    def push_text(self, update: bytes) -> None:
        """Queue the JSON text of an update, which must contain `next_id`; it need not be valid JSON."""
        update_id = self._next_id
        self._next_id += 1
        self._pending.append((update_id, update))
        self._wake()

    def skip_ids(self, count: int) -> None:
        """Leave a hole in the numbering (it also jumps by itself after a week without updates)."""
        self._next_id += count

    def redeliver(self) -> None:
        """Deliver the newest update again, although it is confirmed."""
        if self._last is not None or self._pending:
            self._redeliver = True
            self._wake()

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        self.on_change()

    def drop_all(self) -> None:
        self._pending.clear()

    # -- getUpdates ---------------------------------------------------------------------------------------------------------

    async def poll(self, *, offset: int, limit: int, timeout_s: int) -> bytes:
        """The JSON array that answers a getUpdates call. Raises ApiError 409 when another consumer takes over."""
        if self.webhook_url:
            await self._delay_conflict()
            raise conflict("can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
        if self._poll is not None and not self._poll.done():
            await self._end_other_poll()
        now = time.monotonic()
        if offset == self._last_offset and now < self._last_asked_at + 3.0 and timeout_s < 3:
            timeout_s = 3
        if offset == self._last_offset and now < self._last_answered_at + 0.5:
            limit = 1
        self._last_offset, self._last_asked_at = offset, now
        self._forget(offset)
        if not self._pending and not self._redeliver and timeout_s > 0:
            await self._wait(min(timeout_s, LONG_POLL_MAX_S))
        self._last_answered_at = time.monotonic()
        return self._answer(min(max(limit, 1), BATCH_MAX))

    def _forget(self, offset: int) -> None:
        """Drop what this offset confirms; a negative offset keeps only that many of the newest."""
        if offset < 0:
            while len(self._pending) > -offset:
                self._last = self._pending.popleft()
        elif offset <= self._next_id + 10:  # an offset from the future confirms nothing (tdlib TQueue.cpp)
            while self._pending and self._pending[0][0] < offset:
                self._last = self._pending.popleft()

    async def _wait(self, timeout_s: int) -> None:
        self._poll = poll = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await poll
        except TimeoutError:
            pass
        except ApiError:
            await self._delay_conflict()
            raise
        finally:
            if self._poll is poll:
                self._poll = None

    async def _end_other_poll(self) -> None:
        poll = self._poll
        if poll is not None and not poll.done():
            poll.set_exception(conflict("terminated by other getUpdates request; make sure that only one bot instance is running"))
            await asyncio.sleep(0)

    async def _delay_conflict(self) -> None:
        now = time.monotonic()
        if now < self._last_conflict_at + self._conflict_delay_s:
            await asyncio.sleep(self._conflict_delay_s)
        self._last_conflict_at = time.monotonic()

    def _answer(self, limit: int) -> bytes:
        batch = [self._pending[number][1] for number in range(min(limit, len(self._pending)))]
        if self._redeliver:
            again = self._last or (self._pending[-1] if self._pending else None)
            self._redeliver = False
            if again is not None:
                batch.insert(0, again[1])
        return b"[" + b",".join(batch) + b"]"

    # -- for the webhook ----------------------------------------------------------------------------------------------------

    def peek(self, position: int = 0) -> bytes | None:
        if self._redeliver and self._last is not None:
            return self._last[1]
        return self._pending[position][1] if position < len(self._pending) else None

    def confirm(self, position: int = 0) -> None:
        if self._redeliver and self._last is not None:
            self._redeliver = False
            return
        self._last = self._pending[position]
        del self._pending[position]
