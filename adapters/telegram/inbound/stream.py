"""The stream of updates: long polls, one at a time, with what a refused one means for the account."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from adapters.telegram.inbound.conflicts import Conflicts, conflict_of
from adapters.telegram.transport import Transport
from adapters.telegram.wire import ALLOWED_UPDATES
from bridge.model.adapter import Intake
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, ConnectionLost, DeliveryError, RetryLater

POLL_WAIT_MAX_S = 300.0
"""The longest wait between two polls, whatever the server asks for: asking costs it little, and its clock may be wrong."""


class UpdateStream:
    """Polls for one connection. `alive`: a poll came back. `conflicts`: those of the account so far."""

    def __init__(
        self, transport: Transport, intake: Intake, clock: Clock, *, conflicts: Conflicts, alive: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._intake = intake
        self._clock = clock
        self._conflicts = conflicts
        self._alive = alive

    async def first(self, offset: int) -> list[msgspec.Raw]:
        """The first poll of a connection. It does not wait, and asks with the number before: asked twice within 3 s with the same
        offset, the server would let it wait all the same (platforms.md 1.1)."""
        return await self._poll(offset - 1 if offset > 1 else 0, timeout_s=0)

    async def following(self, offset: int, *, timeout_s: int) -> list[msgspec.Raw]:
        """New updates, as soon as there are any, or none after `timeout_s`."""
        return await self._poll(offset, timeout_s=timeout_s)

    def heard(self) -> None:
        """A complete long poll returned: nobody ended it."""
        if self._conflicts.is_reported:
            self._conflicts.is_reported = False
            self._intake.chat_restored("")

    async def _poll(self, offset: int, *, timeout_s: int) -> list[msgspec.Raw]:
        """Raises ConnectionLost, AccountDown."""
        while True:
            try:
                updates = await self._transport.updates(offset=offset, timeout_s=timeout_s, allowed=ALLOWED_UPDATES)
                self._alive()
                return updates
            except RetryLater as error:
                if not error.rate_limited or error.after_s is None:
                    raise ConnectionLost(error.reason) from None
                await self._clock.sleep(min(error.after_s, POLL_WAIT_MAX_S))
            except DeliveryError as error:
                raise self._refused(error) from None

    def _refused(self, error: DeliveryError) -> ConnectionLost | AccountDown:
        """Why a poll failed for good; other programs with this token are for a human to see to."""
        conflict = conflict_of(error.reason)
        if conflict is None:
            return ConnectionLost(error.reason)
        reason, action = conflict
        if self._conflicts.add():
            return AccountDown(reason, action=action, sends=True)
        self._conflicts.is_reported = True
        self._intake.notice(reason, action)
        return ConnectionLost(error.reason)
