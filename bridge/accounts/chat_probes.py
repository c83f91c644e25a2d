"""Checks the chats of routes regularly, as `check --online` does: a chat from which the bot was removed does not report that.

At most one chat every two seconds, over all accounts. Each chat is checked half an hour after the last check, sooner while
something is wrong with it, and at once if its adapter reports something about it or it refuses a message. The result goes into the
account's health. Deliveries that wait for a chat are tried when it is found usable again; nothing else is decided here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from bridge.accounts.state import AccountState
from bridge.accounts.supervisor import AccountSupervisor
from bridge.model.adapter import LooksAtChats
from bridge.model.clock import Clock
from bridge.model.errors import BridgeError
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.policy.routing import RoutingTable

log = structlog.get_logger("lookout")

_FIRST_S = 15.0
_IDLE_S = 5.0
_BETWEEN_S = 2.0
_AGAIN_S = 1800.0
_SOON_S = 60.0
_LONGEST_S = 30.0


class Lookout:
    def __init__(
        self,
        supervisors: Callable[[], Mapping[AccountName, AccountSupervisor]],
        table: Callable[[], RoutingTable],
        clock: Clock,
        *,
        first_s: float = _FIRST_S,
        soon_s: float = _SOON_S,
    ) -> None:
        self._supervisors = supervisors
        self._table = table
        self._clock = clock
        self._first_s = first_s
        self._soon_s = soon_s
        self._round_at_s: dict[AccountName, float] = {}
        """When all chats of an account are checked again."""
        self._connected: dict[AccountName, datetime] = {}
        """Since when the account was up at the last round: a new connection is a new round."""
        self._noticed: dict[AccountName, dict[str, tuple[str, str]]] = {}
        """The notices that led to a check, by native chat id."""
        self._refused: dict[AccountName, set[ChatAddress]] = {}
        """Ends that refused a message and were checked for that reason."""

    async def run(self) -> None:
        """Until cancelled."""
        await self._clock.sleep(self._first_s)
        while True:
            for supervisor in list(self._supervisors().values()):
                if supervisor.health.state is AccountState.UP and supervisor.is_built:
                    await self._account(supervisor)
            await self._clock.sleep(min(_IDLE_S, self._soon_s))

    async def _account(self, supervisor: AccountSupervisor) -> None:
        adapter, name = supervisor.adapter, supervisor.account
        if not isinstance(adapter, LooksAtChats):
            return
        now_s = self._clock.monotonic_s()
        if self._connected.get(name) != supervisor.health.since or now_s >= self._round_at_s.get(name, 0.0):
            self._connected[name] = supervisor.health.since
            self._round_at_s[name] = now_s + _AGAIN_S
            due = self._table().addresses(name)
        else:
            due = [address for address, seen in supervisor.seen_faults.items() if now_s - seen.at_s >= self._soon_s]
        due = list(dict.fromkeys([*due, *self._newly_noticed(supervisor)]))
        wanted = set(self._table().addresses(name)) if supervisor.seen_faults else set()
        for gone in [address for address in supervisor.seen_faults if address not in wanted]:
            supervisor.saw(gone, None)
        for address in due:
            chat_id = self._table().native_id(address)
            if chat_id is not None and supervisor.health.state is AccountState.UP:
                await self._chat(supervisor, adapter, address, chat_id)
                await self._clock.sleep(min(_BETWEEN_S, self._soon_s))

    def _newly_noticed(self, supervisor: AccountSupervisor) -> list[ChatAddress]:
        """Ends about which the adapter reported something new, or that now refuse messages."""
        before, now = self._noticed.get(supervisor.account, {}), dict(supervisor.notices)
        self._noticed[supervisor.account] = now
        new = [chat_id for chat_id, notice in now.items() if chat_id and before.get(chat_id) != notice]
        refused, self._refused[supervisor.account] = self._refused.get(supervisor.account, set()), set(supervisor.chat_faults)
        noticed = [one for chat_id in new for one in self._table().addresses_of(ChatRef(supervisor.account, chat_id))]
        return [*noticed, *sorted(self._refused[supervisor.account] - refused)]

    async def _chat(self, supervisor: AccountSupervisor, adapter: LooksAtChats, address: ChatAddress, chat_id: str) -> None:
        try:
            async with asyncio.timeout(_LONGEST_S):
                items = await adapter.look_at(chat_id)
        except (BridgeError, OSError, TimeoutError):
            return  # the platform could not be asked: that says nothing about the chat
        except Exception:
            log.exception("a chat could not be looked at", account=supervisor.account, end=str(address))
            return
        faults = [item for item in items if not item.ok and not item.temporary and (not item.deaf or self._table().hears(address))]
        wrong = max(faults, key=lambda item: (item.dead, item.deaf), default=None)
        before = supervisor.seen_faults.get(address)
        if wrong is None:
            supervisor.saw(address, None)
        else:
            reason = f"{wrong.name}: {wrong.detail}" if wrong.detail else wrong.name
            supervisor.saw(address, (reason, wrong.action), dead=wrong.dead, deaf=wrong.deaf)
        if before is not None and before.dead and (wrong is None or not wrong.dead):
            supervisor.chat_is_back(chat_id)
