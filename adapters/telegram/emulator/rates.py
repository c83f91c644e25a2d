"""Telegram's send budgets, when a test or a benchmark asks for them: per chat and second, and per group and minute.

Source: platforms.md 1.4 (about 1 message/s per chat with short bursts, 20/min per group, 30/s overall). Off by default.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from adapters.telegram.emulator.errors import too_many_requests


class Rates:
    """Sliding windows. A value of None switches a budget off."""

    def __init__(
        self,
        *,
        group_per_minute: int | None = None,
        chat_per_s: float | None = None,
        chat_burst: int = 3,
        bot_per_s: int | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._windows = [
            (limit, span_s, whole)
            for limit, span_s, whole in (
                (group_per_minute, 60.0, False),
                (None if chat_per_s is None else chat_burst, chat_burst / (chat_per_s or 1.0), False),
                (bot_per_s, 1.0, True),
            )
            if limit is not None
        ]
        self._now = now
        self._taken: dict[tuple[int, int], deque[float]] = {}

    def take(self, chat_id: int, messages: int) -> None:
        """Count messages sent to a chat. Raises ApiError 429, and counts nothing, when a budget is used up."""
        if not self._windows:
            return
        now = self._now()
        waits: list[float] = []
        uses: list[deque[float]] = []
        for number, (limit, span_s, whole) in enumerate(self._windows):
            used = self._taken.setdefault((number, 0 if whole else chat_id), deque())
            while used and used[0] <= now - span_s:
                used.popleft()
            if len(used) + messages > limit and used:
                waits.append(used[min(len(used) + messages - limit, len(used)) - 1] + span_s - now)
            uses.append(used)
        if waits:
            raise too_many_requests(max(1, math.ceil(max(waits))))
        for used in uses:
            used.extend([now] * messages)
