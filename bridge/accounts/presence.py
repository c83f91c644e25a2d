"""Bots' own statuses, which say how the bridge is: online while everything is connected, away while an account connects again, busy
while a human must act, offline after the end. Only for accounts whose options ask for it (`AccountSupervisor.shows_health`).

A status is set when it changes and has been so for a moment, and never more often than `PresencePace` allows. That it cannot be
set holds nothing else back: it is tried again. The words name accounts, never reasons: everybody on the platform can read them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bridge.accounts.health import HealthReport, Status
from bridge.accounts.state import AccountState
from bridge.accounts.supervisor import AccountSupervisor
from bridge.model.adapter import Adapter, SetsStatus
from bridge.model.clock import Clock
from bridge.model.errors import BridgeError, OutcomeUnknown, RetryLater
from bridge.model.events import Status as Shown
from bridge.model.refs import AccountName

log = structlog.get_logger("presence")

_CALL_S = 10.0
_LAST_CALL_S = 3.0
_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class PresencePace:
    look_every_s: float = 2.0
    settled_s: float = 10.0
    """A change that lasts for less is not shown: connections come and go."""
    between_s: float = 30.0
    """The least time from one call to the next, for each account."""


@dataclass(slots=True)
class _Shown:
    adapter: Adapter
    status: tuple[Shown, str] | None
    """None: it could not be set."""
    at_s: float
    may_show: bool = False
    """Whether the platform may show something of ours: it took a status, or never said."""


class Presence:
    def __init__(
        self,
        supervisors: Callable[[], Mapping[AccountName, AccountSupervisor]],
        report: Callable[[], HealthReport],
        clock: Clock,
        pace: PresencePace | None = None,
    ) -> None:
        self._supervisors = supervisors
        self._report = report
        self._clock = clock
        self._pace = pace or PresencePace()
        self._shown: dict[AccountName, _Shown] = {}
        self._wanted: tuple[Shown, str] | None = None
        self._wanted_since_s = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep(self._pace.look_every_s)

    async def look(self) -> None:
        """Set what is due now."""
        showing = [one for one in self._supervisors().values() if one.shows_health]
        for gone in self._shown.keys() - {one.account for one in showing}:
            del self._shown[gone]
        if not showing:
            return
        wanted, now_s = words(self._report().accounts()), self._clock.monotonic_s()
        if wanted != self._wanted:
            self._wanted, self._wanted_since_s = wanted, now_s
        due = [one for one in showing if self._is_due(one, wanted, now_s)]
        async with asyncio.TaskGroup() as tasks:
            for supervisor in due:
                tasks.create_task(self._set(supervisor, wanted), name=f"status of {supervisor.account}")

    async def off(self) -> None:
        """The bridge ends: whoever shows a status is offline. Bounded."""
        async with asyncio.TaskGroup() as tasks:
            for name, shown in self._shown.items():
                supervisor = self._supervisors().get(name)
                if supervisor is not None and supervisor.is_built and shown.may_show:
                    work = self._set(supervisor, (Shown.OFFLINE, ""), within_s=_LAST_CALL_S)
                    tasks.create_task(work, name=f"status of {name}")
        self._shown.clear()

    def _is_due(self, supervisor: AccountSupervisor, wanted: tuple[Shown, str], now_s: float) -> bool:
        if supervisor.health.state is not AccountState.UP or not supervisor.is_built:
            return False
        shown = self._shown.get(supervisor.account)
        if shown is None or shown.adapter is not supervisor.adapter:
            return True
        if shown.status == wanted or now_s - shown.at_s < self._pace.between_s:
            return False
        return now_s - self._wanted_since_s >= self._pace.settled_s

    async def _set(self, supervisor: AccountSupervisor, wanted: tuple[Shown, str], *, within_s: float = _CALL_S) -> None:
        adapter = supervisor.adapter
        before = self._shown.get(supervisor.account)
        shown = _Shown(adapter, None, self._clock.monotonic_s(), before is not None and before.may_show)
        self._shown[supervisor.account] = shown
        if not isinstance(adapter, SetsStatus):
            return
        try:
            async with asyncio.timeout(within_s):
                await supervisor.call(adapter.set_status(wanted[0].value, wanted[1]))
            shown.status, shown.may_show = wanted, True
        except (BridgeError, OSError, TimeoutError) as error:
            shown.may_show |= isinstance(error, TimeoutError | OutcomeUnknown | RetryLater)
            reason = getattr(error, "reason", "") or str(error) or type(error).__name__
            log.info("status not set", account=supervisor.account, status=wanted[0].value, reason=reason)
        except Exception:
            log.exception("status could not be set", account=supervisor.account)


def words(accounts: Mapping[AccountName, Status]) -> tuple[Shown, str]:
    """What a status says of accounts that are so."""
    failed = sorted(name for name, status in accounts.items() if status is Status.FAIL)
    waiting = sorted(name for name, status in accounts.items() if status is Status.WARN)
    if failed:
        return Shown.BUSY, f"not relaying: {_names(failed)}"
    if waiting:
        return Shown.AWAY, f"connecting: {_names(waiting)}"
    return Shown.ONLINE, "relaying"


def _names(accounts: list[AccountName]) -> str:
    more = len(accounts) - _MOST_NAMED
    return ", ".join(accounts[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
