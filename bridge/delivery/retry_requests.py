"""What people wish at the command line, in another process: that what waits is tried now. They leave it in the journal."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bridge.accounts.supervisor import AccountSupervisor
from bridge.delivery.outbox import Outbox
from bridge.journal.contract import WaitStore
from bridge.model.refs import AccountName

log = structlog.get_logger("outbox")


async def carry_out_wishes(
    journal: WaitStore, outbox: Outbox, supervisor_of: Callable[[AccountName], AccountSupervisor | None]
) -> None:
    """Lanes end their waits, accounts that are down connect. Raises JournalError."""
    for account, address in await journal.take_hurried():
        log.info("tried now, as wished", account=account, chat=str(address or ""))
        outbox.try_now(account, address)
        supervisor = supervisor_of(account)
        if supervisor is not None and address is None:
            supervisor.retry_now()
