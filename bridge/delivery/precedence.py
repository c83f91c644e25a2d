"""What was just said goes before what has waited for long: a lane that works off a backlog stands still for a moment when a message
arrives. Otherwise each step of the message's way would queue behind a step, or a commit, of the backlog.

It is a matter of milliseconds, so it goes by the loop's own time, not by the clock of deliveries.
"""

from __future__ import annotations

import asyncio

HEAD_START_S = 0.006
"""About as long as a message takes from its arrival to the platform it is sent to."""
MOST_SHARE = 0.3
"""Backlogs stand still for this share of the time at the most, however much arrives: they must end."""
_MOST_SAVED_S = 10 * HEAD_START_S


class Precedence:
    """Of one bridge: its intakes tell of arrivals, its lanes ask."""

    def __init__(self) -> None:
        self._until_s = 0.0
        self._saved_s = _MOST_SAVED_S
        """Time that may still be given to arrivals."""
        self._arrived_at_s = 0.0

    def arrived(self) -> None:
        """Somebody said something."""
        now_s = asyncio.get_running_loop().time()
        self._saved_s = min(self._saved_s + (now_s - self._arrived_at_s) * MOST_SHARE, _MOST_SAVED_S)
        self._arrived_at_s = now_s
        more_s = now_s + HEAD_START_S - max(self._until_s, now_s)
        if self._saved_s >= more_s:
            self._saved_s -= more_s
            self._until_s = now_s + HEAD_START_S

    async def give_way(self) -> None:
        """Return when the last arrival has had its time."""
        left_s = self._until_s - asyncio.get_running_loop().time()
        if left_s > 0:
            await asyncio.sleep(left_s)
