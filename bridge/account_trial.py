"""Accounts that a reload adds or connects anew, before the new configuration is in force: they have to come up, or everything is as
it was before.

An account on trial is connected, but sends nothing, and what it hears is not accepted yet: its platform keeps that. So the trial
can be undone without losing or doubling anything. Routes are as they were, so that nothing waiting is given up. Called by `app`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

import structlog

from bridge.accounts.state import AccountState
from bridge.accounts.supervisor import AccountSupervisor
from bridge.config.model import AccountConfig, Config
from bridge.config.restart import same_account
from bridge.model.adapter import LooksAtChats
from bridge.model.clock import Clock
from bridge.model.errors import BridgeError, ChatDown, RetryLater
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.routing import RoutingTable
from bridge.running_accounts import RunningAccounts

log = structlog.get_logger("app")

_AT_ONCE = 4
_MOST_LOOKS = 100
"""New ends that are looked at; a file with more has the others looked at later, as after a start."""
_LOOK_S = 10.0


class NotUp(Exception):
    """What a reload brings does not come up; everything is as it was before. `faults`: what, why and what to do, a line each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


class AccountTrial:
    """`begin`, `until_up`, then `settle` or `undo`."""

    def __init__(self, accounts: RunningAccounts, config: Config, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock
        self._tried: dict[AccountName, tuple[AccountConfig | None, AccountConfig]] = {}
        """Accounts that differ: as they were, and as they are to be."""
        for name, wanted in config.accounts.items():
            before = accounts.made_of(name)
            if not same_account(wanted, before):
                self._tried[name] = (before, wanted)

    async def begin(self) -> None:
        """Connections of accounts with other options are replaced, those of new accounts are made."""
        await self._accounts.put({name: wanted for name, (_, wanted) in self._tried.items()}, on_trial=True)

    async def until_up(self, within_s: float) -> None:
        """Raises NotUp with every account that needs a human, or is not up in time."""
        until_s = self._clock.monotonic_s() + within_s
        while True:
            self._accounts.changed.clear()
            waiting = [one for one in self._supervisors() if not _is_up(one)]
            parked = [one for one in waiting if one.health.state is AccountState.PARKED]
            left_s = until_s - self._clock.monotonic_s()
            if not waiting:
                return
            if len(parked) == len(waiting) or left_s <= 0:
                raise NotUp(_why(one, within_s) for one in waiting)
            await self._clock.wait(self._accounts.changed, left_s)

    async def look_at_ends(self, new: Sequence[ChatAddress], table: RoutingTable) -> None:
        """Raises NotUp with the new ends whose chats cannot be used. Ends that cannot be asked about are looked at later. `table`
        is the new one."""
        gone = {one: fault for one in new if isinstance(fault := self._end_faults(one).get(one), ChatDown)}
        found = {one: told(fault.reason, fault.action) for one, fault in gone.items()}
        few = asyncio.Semaphore(_AT_ONCE)

        async def look(address: ChatAddress, chat_id: str) -> None:
            async with few:
                reason = await self._dead(address.account, chat_id)
            if reason:
                found[address] = reason

        ids = {one: chat_id for one in new if one not in found and (chat_id := table.native_id(one)) is not None}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S), asyncio.TaskGroup() as looking:
                for address, chat_id in list(ids.items())[:_MOST_LOOKS]:
                    looking.create_task(look(address, chat_id), name=f"look at {address}")
        if found:
            for address in new:
                self._end_faults(address).pop(address, None)
            raise NotUp(f"{address}: {reason}" for address, reason in found.items())

    def _end_faults(self, address: ChatAddress) -> dict[ChatAddress, ChatDown | RetryLater]:
        supervisor = self._accounts.supervisor(address.account)
        return supervisor.end_faults if supervisor is not None else {}

    async def _dead(self, account: AccountName, chat_id: str) -> str:
        """Why nothing can be sent or received there; empty if that is not known."""
        supervisor = self._accounts.supervisor(account)
        try:
            adapter = supervisor.built if supervisor is not None else None
            if not isinstance(adapter, LooksAtChats):
                return ""
            items = await adapter.look_at(chat_id)
        except (BridgeError, OSError):
            return ""
        except Exception:
            log.exception("a chat could not be looked at", account=account, end=chat_id)
            return ""
        dead = next((item for item in items if item.dead and not item.ok and not item.temporary), None)
        return "" if dead is None else told(f"{dead.name}: {dead.detail}" if dead.detail else dead.name, dead.action)

    def settle(self) -> None:
        """The new configuration is in force."""
        for supervisor in self._supervisors():
            supervisor.settle()

    async def undo(self) -> None:
        """Every account as it was before."""
        await self._accounts.put({name: before for name, (before, _) in self._tried.items()}, on_trial=False)

    def _supervisors(self) -> list[AccountSupervisor]:
        found = (self._accounts.supervisor(name) for name in self._tried)
        return [one for one in found if one is not None]


def new_ends(before: RoutingTable, table: RoutingTable, accounts: Iterable[AccountName]) -> list[ChatAddress]:
    """The ends of these accounts that `table` adds."""
    return [one for name in accounts for one in set(table.addresses(name)) - set(before.addresses(name))]


def _is_up(supervisor: AccountSupervisor) -> bool:
    """Some accounts are not up before what has waited for them is accepted, and that waits for the end of the trial."""
    return supervisor.health.state is AccountState.UP or supervisor.was_heard


def told(reason: str, action: str) -> str:
    return f"{reason} - {action}" if action else reason


def _why(supervisor: AccountSupervisor, within_s: float) -> str:
    health = supervisor.health
    if health.state is AccountState.PARKED:
        return f"{supervisor.account}: {told(health.reason, health.action)}"
    return f"{supervisor.account}: not connected within {within_s:g} s" + (f": {health.reason}" if health.reason else "")
