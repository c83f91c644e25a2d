"""One lane's pace: how its target's rates hold it back, and which waits survive a restart. `bridge.limits` measures; this waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bridge.capabilities import UNLIMITED, Rates
from bridge.clock import Clock
from bridge.errors import RetryLater
from bridge.limits import Budgets
from bridge.outbox.work import Place
from bridge.refs import ChatAddress
from bridge.routing import Pace, RouteEnd
from bridge.supervisor import AccountSupervisor

CHAT_WAIT, ACCOUNT_WAIT = "chat", "account"
"""Kinds of waits that survive a restart; the journal knows them as `<kind>:<address>`."""

_LONG_WAIT_S = 1.0
"""Waits above this are kept on disk."""


def rates_of(end: RouteEnd, supervisor: AccountSupervisor) -> Rates:
    """What holds messages for this end back; nothing where it is to be fast, or before its adapter was built."""
    if end.options.pace is Pace.FAST:
        return UNLIMITED
    try:
        return supervisor.adapter.capabilities.rates
    except RetryLater:
        return UNLIMITED


class LanePace:
    """`wait` is the lane's own way to wait that long; `keep` has the journal keep a wait under a name until a moment."""

    def __init__(
        self,
        address: ChatAddress,
        budgets: Budgets,
        clock: Clock,
        *,
        wait: Callable[[float], Awaitable[None]],
        keep: Callable[[str, timedelta], Awaitable[None]],
    ) -> None:
        self._address = address
        self._budgets = budgets
        self._clock = clock
        self._wait = wait
        self._keep = keep

    async def admit(self, place: Place, messages: int) -> None:
        """Returns once so many messages may be sent; they count from now on."""
        rates = UNLIMITED if place.options.pace is Pace.FAST else place.target.capabilities.rates
        if rates is UNLIMITED:
            return
        while await self.held_back(rates, messages):
            pass
        self._budgets.take(self._address, rates, self._clock.monotonic_s(), messages)

    def arrived(self, place: Place, messages: int) -> None:
        if place.options.pace is not Pace.FAST:
            self._budgets.arrived(self._address, place.target.capabilities.rates, self._clock.monotonic_s(), messages)

    async def held_back(self, rates: Rates, messages: int) -> bool:
        """Whether it had to wait for the rates: then they are to be asked again."""
        wait_s = self._budgets.wait_s(self._address, rates, self._clock.monotonic_s(), messages)
        if wait_s <= 0:
            return False
        if wait_s > _LONG_WAIT_S:
            busy_s = self._budgets.busy_until_s(self._address) - self._clock.monotonic_s()
            await self._remember(f"{CHAT_WAIT}:{self._address}", busy_s)
        await self._wait(wait_s)
        return True

    def refused(self, rates: Rates, *, account: bool) -> None:
        """A 429: the rates are taken for used up."""
        if rates is not UNLIMITED:
            self._budgets.refused(self._address, rates, self._clock.monotonic_s(), account=account)

    async def remember_account_wait(self, seconds: float) -> None:
        await self._remember(f"{ACCOUNT_WAIT}:{self._address.account}", seconds)

    async def _remember(self, name: str, seconds: float) -> None:
        if seconds > _LONG_WAIT_S:
            await self._keep(name, timedelta(seconds=seconds))
