"""Resolves the ends of routes to native chat ids: before a routing table is in force, and later until each end is found.

A message from a chat whose end is not resolved has no route. So a reload resolves its new ends first, and messages from there wait
in the intake until the table is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from bridge.accounts.state import AccountState
from bridge.accounts.supervisor import AccountSupervisor
from bridge.journal.contract import AddressStore
from bridge.model.clock import Clock
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.tasks import end, within
from bridge.policy.routing import RoutingTable

log = structlog.get_logger("app")

_AHEAD_S = 15.0
"""How long a reload waits for its new ends to be found."""
_AT_ONCE = 4
"""How many new ends of one account are looked up at once: one without an answer must not use up the time of the others."""
_RESOLVE_S = 60.0
_LOOK_UP_S = 5.0
"""A first second look at an end that was not found; then it is `_LOOK_UP_LATER` times as long."""
_LOOK_UP_LATER = 12.0


@dataclass(slots=True)
class _Coming:
    """A table that is about to be in force. `looked_up` has the accounts whose new ends are being looked up for it."""

    table: RoutingTable
    looked_up: dict[AccountName, asyncio.Event]
    in_force: asyncio.Event = field(default_factory=asyncio.Event)


class Ends:
    """`supervisors` are the accounts as they are, `table` the routing table in force; the journal remembers what was found."""

    def __init__(
        self,
        supervisors: Callable[[], Mapping[AccountName, AccountSupervisor]],
        table: Callable[[], RoutingTable],
        journal: AddressStore,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._supervisors = supervisors
        self._table = table
        self._clock = clock
        self._coming: _Coming | None = None
        self._look_now = asyncio.Event()

    async def recall(self, account: AccountName, table: RoutingTable) -> None:
        """Give the table the last known chat ids of the account's ends. Raises JournalError."""
        known = await self._journal.native_ids(account)
        for address in table.addresses(account):
            if address.address in known:
                table.set_native_id(address, known[address.address])

    async def remember(self, address: ChatAddress, chat_id: str) -> None:
        """Raises JournalError."""
        if chat_id != address.address:
            await self._journal.set_native_id(self._journal.lease(address.account), address, chat_id)

    def keep(self, table: RoutingTable, accounts: Iterable[AccountName]) -> None:
        """Ends that stay keep their chat ids: messages from there always have a route."""
        for name in accounts:
            for address in table.addresses(name):
                known = self._table().native_id(address)
                if known is not None:
                    table.set_native_id(address, known)

    async def look_up_ahead(self, table: RoutingTable, accounts: Mapping[AccountName, AccountSupervisor]) -> None:
        """Find the ends that `table` adds to these accounts, before it is in force; call `in_force` afterwards in any case.
        Bounded in time: an end that is not found is looked up again later."""
        coming = self._coming = _Coming(table, {name: asyncio.Event() for name in accounts})
        async with asyncio.TaskGroup() as looking:
            for name, supervisor in accounts.items():
                looking.create_task(self._ahead(supervisor, coming), name=f"new ends of {name}")

    async def _ahead(self, supervisor: AccountSupervisor, coming: _Coming) -> None:
        account, table = supervisor.account, coming.table
        before = set(self._table().addresses(account))
        few = asyncio.Semaphore(_AT_ONCE)

        async def look_up(address: ChatAddress) -> None:
            async with few:
                await supervisor.resolve(address, table)

        new = [one for one in table.addresses(account) if one not in before and table.native_id(one) is None]
        tasks = [asyncio.create_task(look_up(address), name=f"look up {address}") for address in new]
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=_AHEAD_S)
        finally:
            await end(tasks, within_s=1.0)
            coming.looked_up[account].set()
        missing = [str(one) for one in new if table.native_id(one) is None]
        if missing:
            # the lanes ask again when they need it, and `run` until it is found
            log.warning("new ends not resolved yet", account=account, ends=missing)

    def in_force(self) -> None:
        """The table is in force, or will not be. Ends that were not found are looked up again at once, and nothing waits for
        that."""
        if self._coming is not None:
            for looked_up in self._coming.looked_up.values():
                looked_up.set()  # also of an account whose look-up never began
            self._coming.in_force.set()
            self._coming = None
        self._look_now.set()

    async def until_routed(self, chat: ChatRef) -> None:
        """For a chat that has no route: returns when no reload is about to give it one."""
        coming = self._coming
        if coming is None or chat.account not in coming.looked_up:
            return
        await coming.looked_up[chat.account].wait()
        if coming.table.addresses_of(chat):
            await coming.in_force.wait()

    async def run(self) -> None:
        """Messages from a chat whose end is not resolved are not relayed: it is looked up until it is found."""
        pauses: dict[AccountName, float] = {}
        while True:
            if await self._clock.wait(self._look_now, _LOOK_UP_S):
                self._look_now.clear()
                pauses.clear()
            now_s = self._clock.monotonic_s()
            for name, supervisor in list(self._supervisors().items()):
                if supervisor.health.state is not AccountState.UP or not supervisor.has_unresolved:
                    pauses.pop(name, None)
                elif pauses.get(name, 0.0) <= now_s:
                    await self._look_up(supervisor)
                    pauses[name] = now_s + _LOOK_UP_S * (1.0 if name not in pauses else _LOOK_UP_LATER)

    async def _look_up(self, supervisor: AccountSupervisor) -> None:
        try:
            await within(_RESOLVE_S, supervisor.resolve_all())
        except Exception as error:
            # the lanes ask again when they need it, and the supervisor when it connects
            log.warning("ends not resolved yet", account=supervisor.account, reason=str(error) or type(error).__name__)
