"""How much was sent lately, kept in the journal: a restart is no reason to send more than a platform's rates allow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
import structlog

from bridge.journal.contract import JournalError, NoteStore
from bridge.model.capabilities import Operation
from bridge.model.clock import Clock
from bridge.policy.rate_limit import RateLimiter

log = structlog.get_logger("outbox")

_NOTE = "rates"
_KEEP_S = 1.0
"""Written at most so often: what was sent since is forgotten by a process that is killed."""
_LAST_WRITE_S = 5.0


class _Kept(msgspec.Struct, frozen=True):
    """`ages_s`: by operation, then by chat or account, how long before `at` messages were sent."""

    at: datetime
    ages_s: dict[str, dict[str, list[float]]]


class KeptRates:
    """Of all lanes. Nothing is written while no window of any platform is nearly full, but for once at the end."""

    def __init__(self, journal: NoteStore, limiters: Mapping[Operation, RateLimiter], clock: Clock) -> None:
        self._journal = journal
        self._limiters = limiters
        self._clock = clock
        self._is_filling = asyncio.Event()

    def filling(self) -> None:
        """A window is nearly full, or has more in it than before."""
        self._is_filling.set()

    async def restore(self) -> None:
        """Before the first message. If the clock went back meanwhile, waits are longer by a window at most. Raises JournalError."""
        note = await self._journal.note(_NOTE)
        if not note:
            return
        try:
            kept = msgspec.json.decode(note, type=_Kept)
        except msgspec.MsgspecError as error:
            log.warning("sent messages are not counted", reason=str(error))
            return
        now_s = self._clock.monotonic_s()
        since_s = max((self._clock.now() - kept.at) / timedelta(seconds=1), 0.0)
        for operation, limiter in self._limiters.items():
            limiter.restore_sent(
                {
                    name: [now_s - since_s - age_s for age_s in ages_s]
                    for name, ages_s in kept.ages_s.get(operation.value, {}).items()
                }
            )

    async def run(self) -> None:
        """Keep what was sent whenever windows fill, until cancelled."""
        while True:
            await self._is_filling.wait()
            self._is_filling.clear()
            try:
                await self._keep()
            except JournalError as error:
                log.error("journal unavailable", reason=str(error))
                self._is_filling.set()
            await self._clock.sleep(_KEEP_S)

    async def close(self) -> None:
        """The process is about to stop."""
        try:
            async with asyncio.timeout(_LAST_WRITE_S):
                await self._keep()
        except (JournalError, TimeoutError) as error:
            log.warning("sent messages are not counted", reason=str(error) or type(error).__name__)

    async def _keep(self) -> None:
        now_s = self._clock.monotonic_s()
        ages_s = {operation.value: kept for operation, limiter in self._limiters.items() if (kept := limiter.kept(now_s))}
        if ages_s or await self._journal.note(_NOTE):
            note = msgspec.json.encode(_Kept(at=self._clock.now(), ages_s=ages_s)).decode() if ages_s else ""
            await self._journal.set_note(_NOTE, note)
