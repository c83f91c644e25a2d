"""One lane's throttle: how its target's rates hold it back, and which waits survive a restart. `policy.rate_limit` measures; this
waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from bridge.accounts.supervisor import AccountSupervisor
from bridge.delivery.target import ResolvedTarget
from bridge.model.capabilities import UNLIMITED, Operation, Rates
from bridge.model.clock import Clock
from bridge.model.errors import RetryLater
from bridge.model.refs import ChatAddress
from bridge.policy.rate_limit import RateLimiter
from bridge.policy.routing import Pace, RouteEnd

CHAT_WAIT, ACCOUNT_WAIT = "chat", "account"
"""Kinds of waits that survive a restart; the journal knows them as `<kind>:<address>`."""

_LONG_WAIT_S = 1.0
"""Waits above this are kept on disk."""


def rates_of(end: RouteEnd, supervisor: AccountSupervisor) -> Rates:
    """The rates that apply to messages for this end; none with `pace: fast`, or before its adapter was built."""
    if end.options.pace is Pace.FAST:
        return UNLIMITED
    try:
        return supervisor.adapter.capabilities.rates
    except RetryLater:
        return UNLIMITED


class LaneThrottle:
    """`wait` is the lane's own way to wait that long; `keep` has the journal keep a wait under a name until a moment; `filling` is
    told when what was sent should be kept for a restart."""

    def __init__(
        self,
        address: ChatAddress,
        limiters: Mapping[Operation, RateLimiter],
        clock: Clock,
        *,
        wait: Callable[[float], Awaitable[None]],
        keep: Callable[[str, timedelta], Awaitable[None]],
        filling: Callable[[], None] = lambda: None,
    ) -> None:
        self._address = address
        self._limiters = limiters
        self._latest: Operation | None = None
        self._clock = clock
        self._wait = wait
        self._keep = keep
        self._filling = filling

    def begin(self, operation: Operation | None) -> None:
        """Work begins that will make calls of this kind, as far as known."""
        self._latest = operation

    async def admit(self, target: ResolvedTarget, messages: int, operation: Operation = Operation.SEND) -> None:
        """Returns once this many messages may be sent (or changed); they count from now on."""
        self._latest = operation
        rates = UNLIMITED if target.options.pace is Pace.FAST else target.capabilities.rates.of(operation)
        if rates is UNLIMITED:
            return
        while await self.held_back(rates, messages, operation):
            pass
        limiter, now_s = self._of(operation), self._clock.monotonic_s()
        limiter.take(self._address, rates, now_s, messages)
        if limiter.is_filling(self._address, now_s):
            self._filling()

    def mark_accepted(self, target: ResolvedTarget, messages: int, operation: Operation = Operation.SEND) -> None:
        if target.options.pace is not Pace.FAST:
            rates = target.capabilities.rates.of(operation)
            self._of(operation).mark_accepted(self._address, rates, self._clock.monotonic_s(), messages)

    def _of(self, operation: Operation) -> RateLimiter:
        return self._limiters[operation]

    async def held_back(self, rates: Rates, messages: int, operation: Operation = Operation.SEND) -> bool:
        """Whether it had to wait for the rates: then they must be asked again."""
        wait_s = self._of(operation).wait_s(self._address, rates, self._clock.monotonic_s(), messages)
        if wait_s <= 0:
            return False
        if wait_s > _LONG_WAIT_S and operation is Operation.SEND:
            busy_s = self._of(operation).busy_until_s(self._address) - self._clock.monotonic_s()
            await self._remember(f"{CHAT_WAIT}:{self._address}", busy_s)
        await self._wait(wait_s)
        return True

    def refused(self, rates: Rates, *, account: bool) -> None:
        """A 429: the rates of the latest kind of call count as used up."""
        if self._latest is not None and (windows := rates.of(self._latest)) is not UNLIMITED:
            self._of(self._latest).refused(self._address, windows, self._clock.monotonic_s(), account=account)

    async def remember_account_wait(self, seconds: float) -> None:
        await self._remember(f"{ACCOUNT_WAIT}:{self._address.account}", seconds)

    async def _remember(self, name: str, seconds: float) -> None:
        if seconds > _LONG_WAIT_S:
            await self._keep(name, timedelta(seconds=seconds))
