"""Before an attempt: waits until the account may be used and its rates allow a message, and resolves the target. The account and
the route's end are looked up again whenever something changes: a reload may replace or remove them."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.accounts.supervisor import AccountSupervisor
from bridge.delivery.lane_services import LaneServices
from bridge.delivery.state import DeliveryState
from bridge.delivery.target import ResolvedTarget, can_reconcile
from bridge.delivery.throttle import LaneThrottle, rates_of
from bridge.delivery.waits import Waits
from bridge.journal.contract import OpenDelivery
from bridge.model.capabilities import UNLIMITED, RetrySchedule
from bridge.model.errors import RetryLater
from bridge.model.events import MessageCreated
from bridge.model.refs import ChatAddress, ChatRef
from bridge.policy.routing import RouteEnd
from bridge.render.attachments import Target


@dataclass(frozen=True, slots=True)
class Opened:
    """The account and end that a delivery may use now."""

    supervisor: AccountSupervisor
    end: RouteEnd


class Gate:
    """The gate of one lane. `waits` does all waiting of the lane."""

    def __init__(self, address: ChatAddress, services: LaneServices) -> None:
        self._address = address
        self._services = services
        self._at_work: DeliveryState | None = None
        self.waits = Waits(services.clock, stopping=services.is_stopping, where=self._where)

    def dissolve(self) -> None:
        """The lane's work is over; see `Lane.dissolve`."""
        del self.waits

    def begin(self, delivery: DeliveryState) -> None:
        """Work on this delivery begins: waits are for it."""
        self._at_work = delivery

    def _where(self) -> object:
        """The account and end of the current delivery: a reload may replace or remove them."""
        end = self.end(self._at_work.pending) if self._at_work is not None else None
        return self.supervisor, end

    @property
    def supervisor(self) -> AccountSupervisor | None:
        return self._services.supervisor_of(self._address.account)

    def end(self, pending: OpenDelivery) -> RouteEnd | None:
        """None: its route was removed."""
        return self._services.table().end(pending.route, pending.target, pending.thread_id)

    async def opened(self, delivery: DeliveryState) -> Opened | None:
        """Returns once the account may be used. None: the route or the account was removed meanwhile."""

        def asked_again_after_s() -> float | None:
            supervisor = self.supervisor
            if supervisor is None or self.end(delivery.pending) is None or supervisor.is_open:
                return None
            return supervisor.opens_in_s

        await self.waits.until(asked_again_after_s)
        supervisor, end = self.supervisor, self.end(delivery.pending)
        return None if supervisor is None or end is None else Opened(supervisor, end)

    async def ready(self, delivery: DeliveryState, throttle: LaneThrottle) -> Opened | None:
        """As `opened`, and the rates allow a message."""
        while True:
            opened = await self.opened(delivery)
            if opened is None:
                return None
            is_created = isinstance(delivery.pending.event, MessageCreated)
            rates = rates_of(opened.end, opened.supervisor) if is_created else UNLIMITED
            if rates is UNLIMITED or delivery.unknown.is_open or not await throttle.held_back(rates, 1):
                return opened
            delivery.is_rate_limited = True

    async def resolve(self, opened: Opened) -> ResolvedTarget:
        """Raises what the adapter raises."""
        supervisor, end = opened.supervisor, opened.end
        chat_id = await supervisor.resolve(self._address)
        platform, adapter = self._services.platform_of(self._address.account), supervisor.adapter
        rendering = Target(
            account=self._address.account,
            platform=platform,
            platform_title=self._services.title_of(platform),
            capabilities=adapter.capabilities,
            measure=adapter.measure,
            options=end.options,
        )
        chat = ChatRef(self._address.account, chat_id)
        return ResolvedTarget(end=end, chat=chat, adapter=adapter, rendering=rendering, call=supervisor.call)

    def can_reconcile(self) -> bool:
        supervisor = self.supervisor
        try:
            return supervisor is not None and can_reconcile(supervisor.adapter)
        except RetryLater:
            return True  # not built yet: asked again later

    def knows_repeats(self) -> bool:
        """Whether a message may be sent again without harm, whatever became of the attempts before."""
        supervisor = self.supervisor
        try:
            return supervisor is not None and supervisor.adapter.capabilities.knows_repeats
        except RetryLater:
            return False  # not built yet: nothing was sent

    def may_double(self, delivery: DeliveryState) -> bool:
        """Whether another attempt could post something twice."""
        supervisor = self.supervisor
        try:
            adapter = None if supervisor is None else supervisor.adapter
        except RetryLater:
            adapter = None  # not built yet
        if adapter is None:
            return delivery.posts_further or delivery.pending.event.traits.posts
        return delivery.posts(adapter) and not adapter.capabilities.knows_repeats

    def schedule(self) -> RetrySchedule | None:
        """When the account's platform wants failed deliveries to be tried again; None: whenever the core does."""
        supervisor = self.supervisor
        try:
            return None if supervisor is None else supervisor.adapter.capabilities.retry
        except RetryLater:
            return None  # not built yet: nothing was tried

    def longest_wait_s(self) -> float:
        """The longest single wait of a delivery, whatever was recorded."""
        schedule = self.schedule()
        scheduled_s = 0.0 if schedule is None else max(schedule.waits_s) * (1.0 + schedule.jitter)
        return max(self._services.policy.longest_told_s, scheduled_s)

    def may_run_ahead(self, following: OpenDelivery | None) -> bool:
        """Whether attempts on the next deliveries may be recorded ahead of their turn."""
        supervisor = self.supervisor
        if following is None or supervisor is None or not (self.can_reconcile() or self.knows_repeats()):
            return False
        end = self.end(following)
        return end is not None and rates_of(end, supervisor) is UNLIMITED
