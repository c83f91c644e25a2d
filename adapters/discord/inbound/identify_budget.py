"""How many sessions the bot has started recently, remembered across restarts: Discord resets the token of a bot that starts over
1000 a day. Called by `receiver` before each IDENTIFY.

The stricter of two limits applies: Discord's own (`session_start_limit`), and ours, for servers that give none and for restarts in
a loop. Source: API reference, "Session Start Limit Object"."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from adapters.common.platform_time import PlatformTime
from adapters.discord import wire
from adapters.discord.lenient import mapping, whole
from bridge.model.adapter import Cursor, Intake
from bridge.model.errors import AccountDown

CURSOR = "identifies"
DAY_S = 86_400.0
SESSIONS_A_DAY = 1000
KEPT_FOR_PEOPLE = 20
"""The last ones of a day are left to whoever mends what keeps ending the connections."""
UNHURRIED = 0.2
"""Beyond this part of a day's sessions, the rest is spread over the day."""


class Begun(msgspec.Struct, kw_only=True):
    """A day's sessions, by Discord's clock: since when it is counted, how many, and when the last one began (Unix time)."""

    since_s: float
    count: int = 0
    last_s: float = 0.0


class IdentifyBudget:
    def __init__(self, intake: Intake, time: PlatformTime, *, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._intake = intake
        self._time = time
        self._sleep = sleep

    async def take(self, limit: wire.SessionStartLimit | None) -> None:
        """Count one more session, durably, before it is begun; waits where many were begun already. `limit` is Discord's
        `session_start_limit`. Raises AccountDown when the day's sessions are used up."""
        stated = mapping(limit)
        total = whole(stated.get("total"), SESSIONS_A_DAY) or SESSIONS_A_DAY
        begun = await self._begun()
        self._check(stated, begun, total)
        if begun.count > total * UNHURRIED:
            wait_s = DAY_S / total - (self._now_s() - begun.last_s)
            await self._sleep(min(max(0.0, wait_s), DAY_S / total))
        begun.count, begun.last_s = begun.count + 1, self._now_s()
        await self._intake.accept([], cursors=[Cursor(name=CURSOR, value=msgspec.json.encode(begun).decode())])

    def _check(self, stated: wire.SessionStartLimit, begun: Begun, total: int) -> None:
        left_told = whole(stated.get("remaining"), total)
        left_counted = total - begun.count
        if min(left_told, left_counted) > KEPT_FOR_PEOPLE:
            return
        hours = whole(stated.get("reset_after")) / 3_600_000
        if left_counted < left_told or not hours:
            hours = max(0.0, begun.since_s + DAY_S - self._now_s()) / 3600
        raise AccountDown(
            "Discord will hardly let the bot connect any more today: it has begun too many sessions",
            action=f"see in the log why its connections keep ending; the limit is lifted in {hours:.1f} h",
            sends=True,
        )

    async def _begun(self) -> Begun:
        """What is counted of the present day. A count from the future is of a clock that was wrong."""
        now_s = self._now_s()
        try:
            begun = msgspec.json.decode(await self._intake.cursor(CURSOR) or "", type=Begun)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return Begun(since_s=now_s)
        return begun if 0 <= now_s - begun.since_s < DAY_S else Begun(since_s=now_s)

    def _now_s(self) -> float:
        now: datetime = self._time.now()
        return now.timestamp()
