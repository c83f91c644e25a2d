"""The journal, asked until it answers: while its disk is full, a lane waits and nothing is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bridge.journal.contract import JournalError
from bridge.model.clock import Clock
from bridge.model.refs import ChatAddress
from bridge.observability.outcome_log import OutboxCounts
from bridge.policy.repeats import Repeats

log = structlog.get_logger("outbox")

_JOURNAL_RETRY_S = 2.0

T = TypeVar("T")


class PatientJournal:
    """One per lane. The bridge's own disk is never a reason to give a message up."""

    def __init__(self, address: ChatAddress, counts: OutboxCounts, clock: Clock) -> None:
        self._address = address
        self._counts = counts
        self._clock = clock
        self._failures = Repeats()

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
