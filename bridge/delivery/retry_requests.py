"""Requests made at the command line, in another process: that dead letters are sent again, that what waits is tried now. They
are left in the journal; the app runs `RetryRequests`."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bridge.accounts.supervisor import AccountSupervisor
from bridge.delivery.outbox import Outbox
from bridge.journal.contract import Journal, JournalError
from bridge.model.clock import Clock
from bridge.model.refs import AccountName

log = structlog.get_logger("outbox")

RETRY_POLL_S = 5.0


class RetryRequests:
    def __init__(
        self,
        journal: Journal,
        outbox: Outbox,
        supervisor_of: Callable[[AccountName], AccountSupervisor | None],
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._outbox = outbox
        self._supervisor_of = supervisor_of
        self._clock = clock

    async def run(self) -> None:
        while True:
            await self._clock.sleep(RETRY_POLL_S)
            try:
                await self._try_now()
                lanes = await self._journal.open_lanes()
            except JournalError as error:
                log.error("journal unavailable", reason=str(error))
                continue
            for lane in lanes:
                self._outbox.wake_if_idle(lane)

    async def _try_now(self) -> None:
        """Lanes end their waits, accounts that are down connect. Raises JournalError."""
        for account, address in await self._journal.take_hurried():
            log.info("tried now on request", account=account, target=str(address or ""))
            self._outbox.try_now(account, address)
            supervisor = self._supervisor_of(account)
            if supervisor is not None and address is None:
                supervisor.retry_now()
