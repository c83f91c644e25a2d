"""All lanes: one per target chat, each an ordered queue with a task of its own (`lane`), which exists only while it has work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from bridge.accounts.supervisor import AccountSupervisor
from bridge.delivery.backlog import Handed
from bridge.delivery.executor import DeliveryExecutor
from bridge.delivery.file_patience import file_count
from bridge.delivery.kept_rates import KeptRates
from bridge.delivery.lane import Lane
from bridge.delivery.lane_services import LaneServices, LaneStore
from bridge.delivery.precedence import Precedence
from bridge.delivery.target import can_reconcile
from bridge.delivery.throttle import ACCOUNT_WAIT, CHAT_WAIT
from bridge.files.fetch import FileFetcher
from bridge.journal.contract import OpenDelivery
from bridge.model.adapter import ShowsTyping
from bridge.model.capabilities import Operation
from bridge.model.clock import Clock
from bridge.model.errors import BridgeError
from bridge.model.events import ChatEvent, MessageCreated
from bridge.model.refs import AccountName, ChatAddress
from bridge.observability.outcome_log import OutboxCounts
from bridge.policy.rate_limit import RateLimiter
from bridge.policy.retry import Policy
from bridge.policy.routing import OnUnknown, Pace, Planned, RouteEnd, RoutingTable

log = structlog.get_logger("outbox")

_FAILED_BASE_S, _FAILED_CAP_S = 0.5, 300.0


class Outbox:
    """All lanes. `run` owns their tasks; `enqueue` hands a fresh delivery to its lane."""

    def __init__(
        self,
        *,
        journal: LaneStore,
        executor: DeliveryExecutor,
        files: FileFetcher,
        table: Callable[[], RoutingTable],
        supervisor_of: Callable[[AccountName], AccountSupervisor | None],
        platform_of: Callable[[AccountName], str],
        title_of: Callable[[str], str],
        counts: OutboxCounts,
        clock: Clock,
        policy: Policy | None = None,
    ) -> None:
        limiters = {operation: RateLimiter() for operation in Operation}
        self._kept_rates = KeptRates(journal, limiters, clock)
        self._services = LaneServices(
            journal=journal,
            executor=executor,
            files=files,
            table=table,
            supervisor_of=supervisor_of,
            platform_of=platform_of,
            title_of=title_of,
            counts=counts,
            clock=clock,
            policy=policy or Policy(),
            limiters=limiters,
            kept_rates=self._kept_rates,
            handed=Handed(),
            precedence=Precedence(),
            is_stopping=lambda: self.stopping,
        )
        self._clock = clock
        self._lanes: dict[ChatAddress, Lane] = {}
        self._failures: dict[ChatAddress, int] = {}
        """Lanes that failed by a bug of ours, and how often in a row."""
        self._tasks: asyncio.TaskGroup | None = None
        self._draining = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, started: asyncio.Event) -> None:
        """Serve lanes until cancelled, beginning with what the journal still has. Sets `started` once every open lane was
        loaded."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await self._kept_rates.restore()
            await self._restore_waits()
            tasks.create_task(self._kept_rates.run(), name="kept rates")
            for lane in await self._services.journal.open_lanes():
                self.wake(lane)
            started.set()
            await asyncio.Event().wait()

    async def _restore_waits(self) -> None:
        """Waits that platforms asked for before the restart still apply, so that the restart causes no new refusals."""
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        for name, wait in (await self._services.journal.waits()).items():
            left = wait.until - now if wait.kept_at is None else min(wait.until - now, wait.until - wait.kept_at)
            left_s = min(left / timedelta(seconds=1), self._services.policy.longest_told_s)
            kind, _, rest = name.partition(":")
            account, _, address = rest.partition("/")
            if left_s <= 0:
                continue
            if kind == CHAT_WAIT:
                self._services.limiters[Operation.SEND].restore(ChatAddress(AccountName(account), address), now_s + left_s)
            elif kind == ACCOUNT_WAIT and (supervisor := self._services.supervisor_of(AccountName(rest))) is not None:
                supervisor.pause(left_s)

    def may_begin(self, end: RouteEnd) -> bool:
        """Whether a message for this end would be sent as soon as it is accepted: then its first attempt can be recorded with it,
        which saves a transaction."""
        supervisor = self._services.supervisor_of(end.chat.account)
        if end.options.hold_s is not None:
            return False
        if end.chat in self._lanes or self.stopping or supervisor is None or not supervisor.is_open:
            return False
        if self._services.table().native_id(end.chat) is None or not supervisor.is_built:
            return False
        rates = supervisor.adapter.capabilities.rates
        if (
            end.options.pace is not Pace.FAST
            and self._services.limiters[Operation.SEND].wait_s(end.chat, rates, self._clock.monotonic_s(), 1) > 0
        ):
            return False
        return end.options.unknown is OnUnknown.RESEND or can_reconcile(supervisor.adapter)

    def enqueue(self, pending: OpenDelivery, *, prerecorded: bool = False) -> None:
        """Take a delivery that was just committed. A read of the journal may have been faster: then its lane has it already."""
        if self._services.handed.take(pending.delivery_id):
            if prerecorded and (lane := self._lanes.get(pending.target)) is not None:
                lane.was_prerecorded(pending)
            return
        if file_count(pending):
            self._services.files.expect(pending.event_seq)
        self._lane(pending.target).put(pending, prerecorded=prerecorded)

    def wake(self, address: ChatAddress) -> None:
        """The journal has deliveries for this lane that it was not handed (after a restart, a retried dead letter)."""
        self._lane(address).reload()

    def wake_if_idle(self, address: ChatAddress) -> None:
        """As `wake`; a busy lane reaches what is in the line by itself, and checks what is beside it."""
        if self.stopping:
            return
        if (lane := self._lanes.get(address)) is not None:
            lane.look_behind()
        else:
            self.wake(address)

    def wake_account(self, account: AccountName) -> None:
        """The account is up: its lanes try again at once."""
        for lane in list(self._lanes.values()):
            if lane.address.account == account:
                lane.kick()

    def reloaded(self) -> None:
        """Routes or accounts have changed: every lane checks again what it waits for."""
        for lane in list(self._lanes.values()):
            lane.kick()

    def try_now(self, account: AccountName, address: ChatAddress | None = None) -> None:
        """A human wants what waits for this chat, or for all of the account's, to be tried at once."""
        supervisor = self._services.supervisor_of(account)
        if supervisor is not None:
            supervisor.resume()
        for lane in list(self._lanes.values()):
            if lane.address.account == account and address in (None, lane.address):
                lane.hurry()

    def wake_chat(self, address: ChatAddress) -> None:
        """The chat may be usable again: its lane tries at once."""
        self._services.executor.chat_restored(address)
        lane = self._lanes.get(address)
        if lane is not None:
            lane.kick()

    def make_way(self) -> None:
        self._services.precedence.arrived()

    def has_posted(self, event: ChatEvent) -> bool:
        """Whether it is about a message that was posted a moment ago, of which the journal may not know yet; or the new name that a
        chat was given."""
        return self._services.executor.posted.has(event, self._clock.monotonic_s())

    def on_echo(self, event: ChatEvent) -> None:
        """One of our own messages came back: if its outcome was unknown, it is known now."""
        if isinstance(event, MessageCreated) and event.meta.delivery_id:
            for address in self._services.table().addresses_of(event.meta.origin):
                lane = self._lanes.get(address)
                if lane is not None:
                    lane.kick()

    def show_typing(self, planned: Sequence[Planned]) -> None:
        """Best effort, never stored: a late typing notice is useless."""
        if self._tasks is None or self.stopping:
            return
        for plan in planned:
            supervisor = self._services.supervisor_of(plan.end.chat.account)
            if plan.skip_rule or supervisor is None or not supervisor.is_open:
                continue
            self._tasks.create_task(self._typing(supervisor, plan), name=f"typing {plan.end}")

    async def _typing(self, supervisor: AccountSupervisor, plan: Planned) -> None:
        chat_id = self._services.table().native_id(plan.end.chat)
        try:
            adapter = supervisor.adapter
            if chat_id is not None and isinstance(adapter, ShowsTyping):
                async with asyncio.timeout(5):
                    await adapter.show_typing(chat_id, plan.end.thread_id)
        except (BridgeError, TimeoutError, OSError) as error:
            self._services.counts.retried(plan.end.chat.account, f"typing not shown: {type(error).__name__}")

    async def drain(self, deadline_s: float) -> int:
        """Take nothing new from the journal's backlog that must wait; let lanes finish what can be sent now, at most that long.
        Returns how many lanes still had work; their deliveries stay in the journal."""
        self._draining.set()
        for lane in list(self._lanes.values()):
            lane.kick()
        await self._clock.wait(self._idle, deadline_s)
        await self._kept_rates.close()
        return len(self._lanes)

    def is_busy(self, address: ChatAddress) -> bool:
        """Whether an attempt is under way in the chat, or the receipt of one is not on disk yet; not whether deliveries wait."""
        lane = self._lanes.get(address)
        return lane is not None and lane.is_posting

    @property
    def active_lanes(self) -> int:
        return len(self._lanes)

    @property
    def stopping(self) -> bool:
        return self._draining.is_set()

    def _lane(self, address: ChatAddress) -> Lane:
        lane = self._lanes.get(address)
        if lane is None:
            lane = self._lanes[address] = Lane(address, self._services)
            self._idle.clear()
            if self._tasks is not None:
                self._tasks.create_task(self._serve(lane), name=f"lane {address}")
            else:
                raise RuntimeError("the outbox is not running")
        return lane

    async def _serve(self, lane: Lane) -> None:
        address, failed = lane.address, False
        try:
            try:
                await lane.run()
                self._failures.pop(address, None)
            except Exception:
                # a bug of ours: other lanes are not affected
                failed = True
                log.exception("lane failed unexpectedly", target=str(address))
                self._services.counts.retried(address.account, "lane failed")
                await self._after_failure(address)
        finally:
            if self._lanes.get(address) is lane:
                del self._lanes[address]
            if not self._lanes:
                self._idle.set()
        if not failed:
            lane.dissolve()
        elif not self.stopping:
            # restarted in order from what is on disk, which includes what was put meanwhile
            self.wake(address)

    async def _after_failure(self, address: ChatAddress) -> None:
        """A bug that repeats at once is retried more and more rarely."""
        failures = self._failures[address] = self._failures.get(address, 0) + 1
        await self._clock.wait(self._draining, min(_FAILED_CAP_S, _FAILED_BASE_S * 2.0 ** min(failures - 1, 16)))
