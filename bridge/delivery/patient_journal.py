"""The journal, asked until it answers: while its disk is full, a lane waits and nothing is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import structlog

from bridge.delivery.lane_services import LaneServices
from bridge.journal.contract import Change, Damaged, JournalError, OpenDelivery
from bridge.model.refs import ChatAddress
from bridge.policy.repeats import Repeats

log = structlog.get_logger("outbox")

_JOURNAL_RETRY_S = 2.0

T = TypeVar("T")


class PatientJournal:
    """One per lane: what it reads and records. The bridge's own disk is never a reason to give a message up."""

    def __init__(self, address: ChatAddress, services: LaneServices) -> None:
        self._address = address
        self._counts = services.counts
        self._clock = services.clock
        self._journal = services.journal
        self._lease = services.journal.lease(address.account)
        self._failures = Repeats()

    async def pending(self, after: int, limit: int) -> Sequence[OpenDelivery | Damaged]:
        """What is in its line, above a `lane_seq`, in order."""
        return await self.ask(lambda: self._journal.pending(self._address, after, limit))

    async def behind(self, limit: int) -> Sequence[OpenDelivery | Damaged]:
        """What is beside its line, the one that is due first at the front."""
        return await self.ask(lambda: self._journal.behind(self._address, limit))

    async def record(self, changes: Sequence[Change], has_time: bool) -> None:
        await self.ask(lambda: self._journal.record(self._lease, changes, has_time=has_time))

    async def keep_wait(self, name: str, wait: timedelta) -> None:
        now = self._clock.now()
        await self.ask(lambda: self._journal.set_wait(self._lease, name, now + wait, at=now))

    async def ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                answer = await ask()
            except JournalError as error:
                await self.wait_after(error)
            else:
                self._failures.over()
                return answer

    async def wait_after(self, error: JournalError) -> None:
        """It failed; it may be asked again after this."""
        times = self._failures.again(str(error))
        if times:
            log.error("journal unavailable", target=str(self._address), reason=str(error), times=times)
        self._counts.retried(self._address.account, "JournalError")
        await self._clock.sleep(_JOURNAL_RETRY_S)
