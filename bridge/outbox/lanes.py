"""One ordered lane per target chat. A lane exists only while it has work; it takes deliveries strictly one after the other, waits
out failures as `bridge.retry` decides, and never holds up another lane.

Memory is bounded: a lane keeps at most `_QUEUE` deliveries at hand, the rest is read from the journal when their turn comes.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol, TypeVar

import structlog

from bridge.clock import Clock
from bridge.contract import ShowsTyping
from bridge.errors import AccountDown, BridgeError, ChatMoved, DeliveryError, OutcomeUnknown, RetryLater, Scope
from bridge.events import ChatEvent, MessageCreated
from bridge.journal.contract import Change, Dead, Deferred, Delivered, Journal, JournalError, Pending, Skipped, State
from bridge.outbox.courier import Courier, Place, Work, can_reconcile, is_message
from bridge.outbox.files import FileFetcher
from bridge.refs import AccountName, ChatAddress, ChatRef
from bridge.retry import GiveUp, Hold, Policy, Reconcile, Resend, Step, Wait, next_step
from bridge.routing import Planned, RouteEnd, RoutingTable
from bridge.supervisor import AccountSupervisor

log = structlog.get_logger("outbox")

_QUEUE = 64
_FILE_PATIENCE_S = 600.0
_BUGS = 5
_JOURNAL_RETRY_S = 2.0
_LAST_WRITE_S = 5.0

T = TypeVar("T")


class OutboxCounts(Protocol):
    """What the outbox counts; `bridge.observe.Metrics` keeps it."""

    def delivered(self, account: str, route: str, lag_s: float) -> None: ...

    def outcome(self, account: str, route: str, outcome: str) -> None: ...

    def retried(self, account: str, why: str) -> None: ...


class Outbox:
    """All lanes. `run` owns their tasks; `enqueue` hands a fresh delivery to its lane."""

    def __init__(
        self,
        *,
        journal: Journal,
        courier: Courier,
        files: FileFetcher,
        table: Callable[[], RoutingTable],
        supervisor_of: Callable[[AccountName], AccountSupervisor | None],
        platform_of: Callable[[AccountName], str],
        counts: OutboxCounts,
        clock: Clock,
        policy: Policy | None = None,
    ) -> None:
        self.journal = journal
        self.courier = courier
        self.files = files
        self.table = table
        self.supervisor_of = supervisor_of
        self.platform_of = platform_of
        self.counts = counts
        self.clock = clock
        self.policy = policy or Policy()
        self._lanes: dict[ChatAddress, Lane] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, started: asyncio.Event) -> None:
        """Serve lanes until cancelled; begins with what the journal still has. Sets `started` once every open lane is taken up."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for lane in await self.journal.open_lanes():
                self.wake(lane)
            started.set()
            await asyncio.Event().wait()

    def enqueue(self, pending: Pending) -> None:
        """Take a delivery that was just committed. Ids come in ascending order per lane."""
        if _files(pending):
            self.files.expect(pending.event_seq)
        self._lane(pending.target).put(pending)

    def wake(self, address: ChatAddress) -> None:
        """The journal has deliveries for this lane that it was not handed (after a restart, a retried dead letter)."""
        self._lane(address).reload()

    def wake_if_idle(self, address: ChatAddress) -> None:
        """As `wake`, unless the lane is at work: it will come to them by itself."""
        if address not in self._lanes and not self._stopping:
            self.wake(address)

    def wake_account(self, account: AccountName) -> None:
        """The account is up: its lanes try again at once."""
        for lane in list(self._lanes.values()):
            if lane.address.account == account:
                lane.kick()

    def seen_own(self, event: ChatEvent) -> None:
        """One of our own messages came back: if its outcome is unknown, now it is known."""
        if isinstance(event, MessageCreated) and event.meta.delivery_id:
            for address in self.table().addresses_of(event.meta.origin):
                lane = self._lanes.get(address)
                if lane is not None:
                    lane.kick()

    def show_typing(self, planned: Sequence[Planned]) -> None:
        """Best effort, never kept: a typing notice that comes late is worth nothing."""
        if self._tasks is None or self._stopping:
            return
        for plan in planned:
            supervisor = self.supervisor_of(plan.end.chat.account)
            if plan.skip_rule or supervisor is None or not supervisor.is_open:
                continue
            self._tasks.create_task(self._typing(supervisor, plan), name=f"typing {plan.end}")

    async def _typing(self, supervisor: AccountSupervisor, plan: Planned) -> None:
        chat_id = self.table().native_id(plan.end.chat)
        try:
            adapter = supervisor.adapter
            if chat_id is not None and isinstance(adapter, ShowsTyping):
                async with asyncio.timeout(5):
                    await adapter.show_typing(chat_id, plan.end.thread_id)
        except (BridgeError, TimeoutError, OSError) as error:
            self.counts.retried(plan.end.chat.account, f"typing not shown: {type(error).__name__}")

    async def drain(self, deadline_s: float) -> int:
        """Take nothing new from the journal's backlog that must wait; let lanes finish what can be sent now, at most that long.
        Returns how many lanes still had work; their deliveries stay in the journal."""
        self._stopping = True
        for lane in list(self._lanes.values()):
            lane.kick()
        await self.clock.wait(self._idle, deadline_s)
        return len(self._lanes)

    @property
    def active_lanes(self) -> int:
        return len(self._lanes)

    @property
    def stopping(self) -> bool:
        return self._stopping

    def _lane(self, address: ChatAddress) -> Lane:
        lane = self._lanes.get(address)
        if lane is None:
            lane = self._lanes[address] = Lane(self, address)
            self._idle.clear()
            if self._tasks is not None:
                self._tasks.create_task(self._serve(lane), name=f"lane {address}")
            else:
                raise RuntimeError("the outbox is not running")
        return lane

    async def _serve(self, lane: Lane) -> None:
        try:
            await lane.run()
        except Exception:
            # a bug of ours: the lane is taken up anew from the journal, the others never notice
            log.exception("lane failed unexpectedly", target=str(lane.address))
            self.counts.retried(lane.address.account, "lane failed")
        finally:
            if self._lanes.get(lane.address) is lane:
                del self._lanes[lane.address]
            if not self._lanes:
                self._idle.set()


class _Stop(Exception):
    """The outbox is stopping and this lane would have to wait."""


class Lane:
    """The deliveries of one target chat, in order."""

    def __init__(self, outbox: Outbox, address: ChatAddress) -> None:
        self.address = address
        self._outbox = outbox
        self._clock = outbox.clock
        self._queue: collections.deque[Pending] = collections.deque()
        self._behind = False
        self._missed = False
        self._last_id = 0
        self._kicked = asyncio.Event()
        self._unwritten: list[Change] = []

    # -- input --------------------------------------------------------------------------------------------------------------

    def put(self, pending: Pending) -> None:
        if self._behind:
            self._missed = True
        elif len(self._queue) >= _QUEUE:
            self._behind = True
        else:
            self._queue.append(pending)
            self._last_id = pending.delivery_id

    def reload(self) -> None:
        if not self._queue and not self._last_id:
            self._behind = True
        else:
            # something older may have become due again: start over from the beginning once the queue at hand is done
            self._behind = self._missed = True
            self._last_id = 0
            self._queue.clear()

    def kick(self) -> None:
        """End the present wait."""
        self._kicked.set()

    # -- work ---------------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        try:
            while True:
                pending = await self._next()
                if pending is None:
                    return
                await self._finish(pending)
        except _Stop:
            pass
        finally:
            if self._unwritten:
                # what is not written now is found out again after the restart, by reconciling
                with contextlib.suppress(TimeoutError, JournalError):
                    async with asyncio.timeout(_LAST_WRITE_S):
                        await self._outbox.journal.record(self._unwritten)

    async def _next(self) -> Pending | None:
        """The next delivery. None: there is none, decided without yielding to the loop, so that nothing can slip in between."""
        while True:
            if self._queue:
                return self._queue.popleft()
            if self._unwritten:
                await self._record(())
                continue
            if not self._behind:
                return None
            self._missed = False
            after = self._last_id
            loaded = await self._patiently(lambda: self._outbox.journal.pending(self.address, after, _QUEUE))  # noqa: B023
            self._queue.extend(loaded)
            if loaded:
                self._last_id = loaded[-1].delivery_id
            if len(loaded) < _QUEUE and not self._missed:
                self._behind = False

    async def _record(self, changes: Sequence[Change]) -> None:
        """Write what is waiting to be written, then these changes, as one transaction."""
        batch = [*self._unwritten, *changes]
        self._unwritten = []
        await self._patiently(lambda: self._outbox.journal.record(batch))

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The journal is asked until it answers: while its disk is full, the lane stands still and nothing is forgotten."""
        while True:
            try:
                return await ask()
            except JournalError as error:
                log.error("journal unavailable", target=str(self.address), reason=str(error))
                self._outbox.counts.retried(self.address.account, "JournalError")
                await self._clock.sleep(_JOURNAL_RETRY_S)

    async def _finish(self, pending: Pending) -> None:
        """Work on one delivery until it is final."""
        work = Work(
            pending=pending,
            parts=list(pending.parts),
            attempt=pending.attempt,
            first_attempt_at=pending.first_attempt_at,
            started_s=self._clock.monotonic_s(),
        )
        if pending.not_before is not None and pending.not_before > self._clock.now():
            await self._wait((pending.not_before - self._clock.now()).total_seconds(), firm=True)
        changes: Sequence[Change] | None = None
        if pending.state is State.SENDING and is_message(work):
            changes = await self._interrupted(work)
        while changes is None:
            changes = await self._attempt(work)
        await self._close(work, changes)

    async def _interrupted(self, work: Work) -> Sequence[Change] | None:
        """An attempt was recorded and its outcome was not: the process died in between."""
        work.last_unknown_at = work.first_attempt_at
        supervisor = self._outbox.supervisor_of(self.address.account)
        end = self._end(work)
        if supervisor is None or end is None:
            return None
        await self._gate(supervisor)
        return await self._failed(work, supervisor, OutcomeUnknown("the bridge stopped during the attempt"))

    def _end(self, work: Work) -> RouteEnd | None:
        return self._outbox.table().end(work.pending.route, work.pending.target, work.pending.thread_id)

    async def _attempt(self, work: Work) -> Sequence[Change] | None:
        """One attempt. The final changes, or None after having waited for another."""
        supervisor = self._outbox.supervisor_of(self.address.account)
        pending = work.pending
        end = self._end(work)
        if end is None or supervisor is None:
            return [Skipped(delivery_id=pending.delivery_id, rule="its route was removed", at=self._clock.now())]
        try:
            await self._gate(supervisor)
            chat_id = await supervisor.resolve(self.address)
            place = Place(
                end=end,
                chat=ChatRef(self.address.account, chat_id),
                platform=self._outbox.platform_of(self.address.account),
                adapter=supervisor.adapter,
            )
            work.give_up_files = self._clock.monotonic_s() - work.started_s > _FILE_PATIENCE_S
            return await self._outbox.courier.carry(work, place, self._record)
        except AccountDown as error:
            supervisor.report_down(error)
            await self._defer(work, 0.0, error.reason, Scope.ACCOUNT)
        except ChatMoved as error:
            await self._moved(work, supervisor, error)
        except DeliveryError as error:
            return await self._failed(work, supervisor, error)
        except (asyncio.CancelledError, _Stop):
            raise
        except (OSError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            failure = OutcomeUnknown(reason) if work.attempted else RetryLater(reason)
            return await self._failed(work, supervisor, failure)
        except Exception as error:
            work.bugs += 1
            log.exception("delivery failed unexpectedly", target=str(self.address), delivery=pending.delivery_id)
            if work.bugs >= _BUGS:
                return [self._dead(work, f"unexpected {type(error).__name__}: see the log")]
            unclear = OutcomeUnknown if work.attempted else RetryLater
            return await self._failed(work, supervisor, unclear(f"unexpected {type(error).__name__}"))
        return None

    async def _gate(self, supervisor: AccountSupervisor) -> None:
        if supervisor.is_open:
            return
        if self._outbox.stopping:
            raise _Stop
        waiting = asyncio.create_task(supervisor.gate(), name=f"gate {self.address}")
        kicked = asyncio.create_task(self._stop_requested(), name=f"stop {self.address}")
        try:
            await asyncio.wait({waiting, kicked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (waiting, kicked):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self._outbox.stopping and not supervisor.is_open:
            raise _Stop

    async def _stop_requested(self) -> None:
        while not self._outbox.stopping:
            self._kicked.clear()
            await self._kicked.wait()

    # -- failures -----------------------------------------------------------------------------------------------------------

    async def _failed(self, work: Work, supervisor: AccountSupervisor, error: DeliveryError) -> Sequence[Change] | None:
        if isinstance(error, OutcomeUnknown) and not is_message(work):
            error = RetryLater(error.reason)  # edits, deletes and reactions can be repeated freely
        if isinstance(error, OutcomeUnknown):
            work.unknown = True
        work.attempted = False
        self._outbox.counts.retried(self.address.account, type(error).__name__)
        step = self._decide(work, error)
        match step:
            case GiveUp():
                return [self._dead(work, step.reason)]
            case Hold():
                return [self._dead(work, step.reason, held=True)]
            case Reconcile() | Resend():
                await self._unknown(work, error, step.after_s)
            case Wait():
                if step.scope is Scope.ACCOUNT:
                    supervisor.pause(step.after_s)
                firm = isinstance(error, RetryLater) and error.rate_limited
                await self._defer(work, step.after_s, error.reason, step.scope, firm=firm)
        return None

    def _decide(self, work: Work, error: DeliveryError) -> Step:
        end = self._end(work)
        if end is None:
            return GiveUp(reason="its route was removed")
        return next_step(
            error,
            max(work.attempt, 1),
            first_attempt_at=work.first_attempt_at,
            now=self._clock.now(),
            options=end.options,
            random=random.random,
            can_reconcile=self._can_reconcile(),
            policy=self._outbox.policy,
        )

    def _can_reconcile(self) -> bool:
        supervisor = self._outbox.supervisor_of(self.address.account)
        try:
            return supervisor is not None and can_reconcile(supervisor.adapter)
        except RetryLater:
            return True  # not built yet: asked again when it is

    async def _unknown(self, work: Work, error: DeliveryError, after_s: float) -> None:
        """Before the message is sent again after an unknown outcome: a breath, so that the platform can settle and its echo come
        back; then `courier` reconciles where the platform allows it."""
        self._outbox.counts.outcome(self.address.account, work.pending.route, "unknown")
        log.warning("outcome unknown", target=str(self.address), delivery=work.pending.delivery_id, reason=error.reason)
        await self._wait(after_s)

    async def _defer(self, work: Work, after_s: float, reason: str, scope: Scope, *, firm: bool = False) -> None:
        due = self._clock.now() + timedelta(seconds=after_s)
        if not work.unknown:
            await self._record([Deferred(delivery_id=work.pending.delivery_id, attempt=work.attempt, not_before=due, error=reason)])
        log.info("waiting", target=str(self.address), wait_s=round(after_s, 1), scope=scope.value, reason=reason)
        await self._wait(after_s, firm=firm)

    async def _wait(self, seconds: float, *, firm: bool = False) -> None:
        """A kick ends the wait, unless it is firm (the platform asked for it); stopping ends it always."""
        if self._unwritten:
            await self._record(())
        due_s = self._clock.monotonic_s() + seconds
        while not self._outbox.stopping and (left_s := due_s - self._clock.monotonic_s()) > 0:
            self._kicked.clear()
            if await self._clock.wait(self._kicked, left_s) and not firm:
                break
        if self._outbox.stopping:
            raise _Stop

    async def _moved(self, work: Work, supervisor: AccountSupervisor, error: ChatMoved) -> None:
        old = self._outbox.table().native_id(self.address)
        if old is None or old == error.new_chat_id:
            await self._defer(work, 1.0, error.reason, Scope.CHAT)
            return
        await supervisor.chat_moved(old, error.new_chat_id)

    def _dead(self, work: Work, reason: str, *, held: bool = False) -> Dead:
        log.error(
            "dead letter", target=str(self.address), route=work.pending.route, delivery=work.pending.delivery_id, reason=reason
        )
        return Dead(delivery_id=work.pending.delivery_id, reason=reason, at=self._clock.now(), held=held)

    # -- ends ---------------------------------------------------------------------------------------------------------------

    async def _close(self, work: Work, changes: Sequence[Change]) -> None:
        pending = work.pending
        if _files(pending):
            self._outbox.files.finished(pending.event_seq, _files(pending))
        last = changes[-1]
        lag_s = (self._clock.now() - pending.event.meta.received_at).total_seconds()
        match last:
            case Delivered():
                self._outbox.counts.delivered(self.address.account, pending.route, lag_s)
                self._outbox.counts.outcome(self.address.account, pending.route, "delivered")
            case Skipped():
                self._outbox.counts.outcome(self.address.account, pending.route, f"skipped: {last.rule}")
            case _:
                self._outbox.counts.outcome(self.address.account, pending.route, "dead")
        self._unwritten.extend(changes)
        following = self._queue[0] if self._queue else None
        if following is None or not _simple(following):
            await self._record(())


def _files(pending: Pending) -> int:
    return len(pending.event.content.attachments) if isinstance(pending.event, MessageCreated) else 0


def _simple(pending: Pending) -> bool:
    """Whether the next delivery begins with recording its attempt, so that both go into one transaction."""
    event = pending.event
    return (
        isinstance(event, MessageCreated)
        and not event.content.attachments
        and event.content.reply_to is None
        and pending.state is State.WAITING
        and pending.not_before is None
    )
