"""One lane: the deliveries of one target chat, strictly in order. It waits out failures as `policy.retry` decides and rates as
`policy.rate_limit` measures them, merges what it had to hold back (`render.merge`), and never holds up another lane."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog
from msgspec.structs import replace

from bridge.accounts.supervisor import AccountSupervisor
from bridge.delivery import poison
from bridge.delivery.attempt_log import AttemptLog, is_simple
from bridge.delivery.backlog import Backlog
from bridge.delivery.line import Line
from bridge.delivery.message_plan import as_of_a_former_chat
from bridge.delivery.poison import Poison
from bridge.delivery.state import DeliveryState, NotNow, ResolvedTarget, can_reconcile, is_message, is_one_message
from bridge.delivery.superseded import as_it_is_now
from bridge.delivery.throttle import LaneThrottle, rates_of
from bridge.delivery.waits import Stopping, Waits
from bridge.files.fetch import Patience
from bridge.journal.contract import Change, Damaged, Dead, Deferred, Delivered, DeliveryStatus, JournalError, OpenDelivery, Skipped
from bridge.model.capabilities import UNLIMITED, Operation
from bridge.model.errors import AccountDown, ChatDown, ChatMoved, DeliveryError, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.outcomes import Outcome, Skip
from bridge.model.refs import ChatAddress, ChatRef
from bridge.observability.outcome_log import Verdicts
from bridge.policy.repeats import Repeats
from bridge.policy.retry import GiveUp, Hold, Reconcile, Resend, Step, Wait, next_step
from bridge.policy.routing import RouteEnd
from bridge.render.attachments import Target

if TYPE_CHECKING:
    from bridge.delivery.outbox import Outbox

log = structlog.get_logger("outbox")

_FILE_WAIT_S = 3.0
"""So long a message waits for files that cannot be fetched now; then it goes, and they come behind it."""
_DOWNLOAD_WAIT_S = _FILE_WAIT_S
"""So long it waits for downloads that are under way."""
_LEAST_DOWNLOAD_WAIT_S = 1.0
"""The same for one that is begun late, because another file could not be fetched before."""
_FILE_PATIENCE_S = 3600.0
"""Then a file that was not to be had is a line."""
MAX_UNEXPECTED_ERRORS = 5
_JOURNAL_RETRY_S = 2.0

T = TypeVar("T")


class Lane:
    """See the module. `executor` carries out what the lane takes up, and calls `record`, `admit` and `mark_accepted` on the way."""

    def __init__(self, outbox: Outbox, address: ChatAddress) -> None:
        self.address = address
        self._outbox = outbox
        lease = self._lease = outbox.journal.lease(address.account)
        self._clock = outbox.clock
        self._work: DeliveryState | None = None
        self._waits = Waits(outbox.clock, stopping=lambda: outbox.stopping, where=self._where)
        self._backlog = Backlog(
            lambda after, limit: self._patiently(lambda: outbox.journal.pending(address, after, limit)),
            self._bury,
            outbox.handed,
        )
        self._pace = LaneThrottle(
            address,
            outbox.budgets,
            outbox.change_budgets,
            outbox.clock,
            wait=lambda wait_s: self._wait(wait_s, firm=True),
            keep=self._keep_wait,
        )
        self._records = AttemptLog(
            address,
            outbox.clock,
            write=lambda changes: self._patiently(lambda: outbox.journal.record(lease, changes)),
            waiting=self._backlog,
            may_run_ahead=self._may_run_ahead,
        )
        self._verdicts = Verdicts(address, outbox.counts)
        self._poison = Poison(outbox.policy)
        self._line = Line(
            self._backlog,
            self._records,
            self._waits,
            outbox.clock,
            read_behind=lambda limit: self._patiently(lambda: outbox.journal.behind(address, limit)),
            bury=self._bury,
            longest_s=outbox.policy.longest_told_s,
        )
        self._full = Repeats()
        """How often the bridge's own disk failed."""
        self._settled = False
        """Whether the platform had its moment to settle since the process started."""
        self._apart_until = 0
        """Deliveries up to this one are not merged: together they were refused."""

    # -- input --------------------------------------------------------------------------------------------------------------

    def put(self, pending: OpenDelivery, *, begun: bool = False) -> None:
        self._backlog.put(pending)
        self._waits.tell()
        if begun:
            self._records.put_begun(pending)

    def was_begun(self, pending: OpenDelivery) -> None:
        """A delivery that a reading took up was accepted together with its first attempt, which was not made."""
        if any(one.delivery_id == pending.delivery_id for one in self._backlog):
            self._records.put_begun(pending)

    def reload(self) -> None:
        self._backlog.reload()
        self.look_behind()

    def look_behind(self) -> None:
        """The journal may have deliveries beside the line that are due."""
        self._line.look_behind()

    def kick(self) -> None:
        """Look again at what is waited for: it may have come, or be gone."""
        self._waits.kick()

    def hurry(self) -> None:
        """End the present wait, whatever it is for."""
        self._line.look_behind()
        self._waits.hurry()

    # -- work ---------------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        try:
            while True:
                pending = await self._line.next()
                if pending is None:
                    return
                await self._finish(pending)
        except Stopping:
            pass
        finally:
            await self._records.close()

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The journal is asked until it answers: while its disk is full, the lane stands still and nothing is forgotten."""
        while True:
            try:
                answer = await ask()
            except JournalError as error:
                await self._journal_failed(error)
            else:
                self._full.over()
                return answer

    async def _journal_failed(self, error: JournalError) -> None:
        """The bridge's own disk is never a reason to give a message up."""
        times = self._full.again(str(error))
        if times:
            log.error("journal unavailable", target=str(self.address), reason=str(error), times=times)
        self._outbox.counts.retried(self.address.account, "JournalError")
        await self._clock.sleep(_JOURNAL_RETRY_S)

    async def _finish(self, pending: OpenDelivery) -> None:
        """Work on one delivery until it is final, or set aside."""
        now = as_it_is_now(pending)
        if isinstance(now, Skip):
            await self._close(self._begin(pending), [Skipped(delivery_id=pending.delivery_id, rule=now, at=self._clock.now())])
            return
        reworded, pending = now is not pending, now
        self._pace.begin(Operation.SEND if isinstance(pending.event, MessageCreated) else None)
        begun = self._records.is_begun(pending)
        work = self._begin(pending)
        work.reworded = reworded
        if pending.lead_seq is not None:
            while (following := self._backlog.following) is not None and is_one_message(pending, following):
                work.followers.append(self._backlog.take())
        if pending.not_before is not None and (left_s := self._line.left_s(pending)) > 0:
            await self._correct(pending, left_s)
            await self._wait(left_s, firm=True)
        changes: Sequence[Change] | None = None
        if pending.state is DeliveryStatus.SENDING and is_message(work) and not begun:
            changes = await self._interrupted(work)
        while changes is None:
            changes = await self._attempt(work)
        await self._close(work, changes)

    async def _correct(self, pending: OpenDelivery, left_s: float) -> None:
        """The moment that was recorded is of a clock that was wrong: everybody who reads it shall see the right one."""
        assert pending.not_before is not None
        now = self._clock.now()
        due = now + timedelta(seconds=left_s)
        if pending.not_before - due > timedelta(seconds=1) and pending.state is DeliveryStatus.WAITING:
            spent = timedelta(seconds=self._work.spent_s(self._clock.monotonic_s())) if self._work is not None else timedelta()
            await self._records.record(
                [
                    Deferred(
                        delivery_id=pending.delivery_id,
                        attempt=pending.attempt,
                        not_before=due,
                        error=pending.last_error,
                        at=now,
                        first_attempt_at=now - spent,
                    )
                ]
            )

    def _begin(self, pending: OpenDelivery) -> DeliveryState:
        begun, now_s = self._records.is_begun(pending), self._clock.monotonic_s()
        work = self._work = DeliveryState(
            pending=pending,
            parts=list(pending.parts),
            attempt=0 if begun else pending.attempt,
            first_attempt_at=pending.first_attempt_at,
            started_s=now_s,
        )
        if pending.first_attempt_at is not None and not begun:
            until = pending.recorded_at or self._clock.now()
            if pending.state is DeliveryStatus.BEHIND:
                until = pending.not_before or until  # it waited beside the line
            spent = until - pending.first_attempt_at
            work.spent_before_s = max(spent.total_seconds(), 0.0)
            work.counting_since_s = now_s
        return work

    async def _interrupted(self, work: DeliveryState) -> Sequence[Change] | None:
        """An attempt was recorded and its outcome was not: the process died in between."""
        work.last_unknown_at = work.pending.recorded_at or work.first_attempt_at
        opened = await self._opened(work)
        if opened is None:
            return None
        work.attempted = True
        return await self._failed(work, opened[0], OutcomeUnknown("the bridge stopped during the attempt"), settled=self._settled)

    async def _bury(self, damaged: Sequence[Damaged]) -> None:
        """Deliveries that cannot be read are dead letters by themselves; what comes after them goes on."""
        if not damaged:
            return
        now = self._clock.now()
        for one in damaged:
            log.error("dead letter", target=str(self.address), delivery=one.delivery_id, reason=one.reason)
            self._outbox.counts.outcome(self.address.account, "", Outcome.DEAD)
        await self._records.record([Dead(delivery_id=one.delivery_id, reason=one.reason, at=now) for one in damaged])

    def _where(self) -> object:
        """What the delivery at hand goes through: a reload may replace or remove it."""
        end = self._end(self._work) if self._work is not None else None
        return self._outbox.supervisor_of(self.address.account), end

    def _end(self, work: DeliveryState) -> RouteEnd | None:
        return self._outbox.table().end(work.pending.route, work.pending.target, work.pending.thread_id)

    async def _attempt(self, work: DeliveryState) -> Sequence[Change] | None:
        """One attempt. The final changes, or None after having waited for another."""
        ready = await self._ready(work)
        if ready is None:
            now = self._clock.now()
            return [Skipped(delivery_id=one.delivery_id, rule=Skip.ROUTE_REMOVED, at=now) for one in work.together]
        supervisor, end = ready
        try:
            place = self._place(end, supervisor, await supervisor.resolve(self.address))
            alone = work.unknown or work.parts or work.pending.state is DeliveryStatus.BEHIND
            if work.limited and end.options.merge and not alone:
                self._take_followers(work, place)
            self._be_patient(work)
            with supervisor.using():
                changes = await self._outbox.executor.execute(work, place, self)
            if isinstance(changes[-1], Delivered):
                supervisor.served += 1
                self._poison.delivered()
                supervisor.chat_faults.pop(self.address, None)
            return changes
        except AccountDown as error:
            supervisor.report_down(error)
            await self._defer(work, 0.0, error.reason, Scope.ACCOUNT)
        except ChatMoved as error:
            return await self._moved(work, supervisor, error)
        except DeliveryError as error:
            return await self._failed(work, supervisor, error)
        except NotNow as error:
            return self._set_aside(work, end, error)
        except (asyncio.CancelledError, Stopping):
            raise
        except JournalError as error:
            if work.attempted:
                return await self._failed(work, supervisor, OutcomeUnknown(str(error)))
            await self._journal_failed(error)
        except (OSError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            failure = OutcomeUnknown(reason) if work.attempted else RetryLater(reason)
            return await self._failed(work, supervisor, failure)
        except Exception as error:
            work.bugs += 1
            log.exception("delivery failed unexpectedly", target=str(self.address), delivery=work.pending.delivery_id)
            if work.bugs >= MAX_UNEXPECTED_ERRORS:
                return self._dead(work, f"unexpected {type(error).__name__}: see the log")
            unclear = OutcomeUnknown if work.attempted else RetryLater
            return await self._failed(work, supervisor, unclear(f"unexpected {type(error).__name__}"))
        return None

    def _be_patient(self, work: DeliveryState) -> None:
        """With files that cannot be fetched, or slowly. A message that was not begun waits a moment for them; then it goes without.
        Beside the line nothing waits: what is under way is looked at."""
        now_s = self._clock.monotonic_s()
        if work.files_asked_s is None:
            work.files_asked_s = now_s
        waited_s, is_behind = now_s - work.files_asked_s, work.pending.state is DeliveryStatus.BEHIND
        work.file_wait_s = 0.0 if is_behind else max(_DOWNLOAD_WAIT_S - waited_s, _LEAST_DOWNLOAD_WAIT_S)
        if work.spent_s(now_s) > _FILE_PATIENCE_S:
            work.patience = Patience.OVER
        else:
            waits = not work.parts and not is_behind and waited_s < _FILE_WAIT_S
            work.patience = Patience.WAIT if waits else Patience.LATER

    def _set_aside(self, work: DeliveryState, end: RouteEnd, error: NotNow) -> Sequence[Change]:
        """What is left of it is tried beside the line; what comes after it goes on."""
        self._count_failure(work)
        step = self._decide(work, RetryLater(error.reason, after_s=error.after_s), end)
        if not isinstance(step, Wait):
            return self._dead(work, getattr(step, "reason", error.reason))
        return self._aside(work, step.after_s, error.reason)

    def _aside(self, work: DeliveryState, after_s: float, reason: str) -> Sequence[Change]:
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        self._outbox.counts.retried(self.address.account, "set aside")
        self._line.set_aside(after_s)
        return [
            *work.unrecorded,
            Deferred(
                delivery_id=work.pending.delivery_id,
                attempt=work.attempt,
                not_before=now + timedelta(seconds=after_s),
                error=reason,
                at=now,
                first_attempt_at=now - timedelta(seconds=work.spent_s(now_s)),
                behind=True,
            ),
        ]

    def _count_failure(self, work: DeliveryState) -> None:
        """Attempts are counted where they begin; what fails before that counts as well, or it would be the first for ever."""
        if not work.attempted:
            work.attempt += 1
            if work.counting_since_s is None:
                work.counting_since_s = self._clock.monotonic_s()

    async def _ready(self, work: DeliveryState) -> tuple[AccountSupervisor, RouteEnd] | None:
        """Waits until the account is open and its rates allow a message. None: the route or the account was removed meanwhile."""
        while True:
            opened = await self._opened(work)
            if opened is None:
                return None
            supervisor, end = opened
            rates = rates_of(end, supervisor) if isinstance(work.pending.event, MessageCreated) else UNLIMITED
            if rates is UNLIMITED or work.unknown or not await self._pace.held_back(rates, 1):
                return supervisor, end
            work.limited = True

    async def _opened(self, work: DeliveryState) -> tuple[AccountSupervisor, RouteEnd] | None:
        """Waits until the account may be used; looks both up anew whenever something changes."""

        def asked_again_after_s() -> float | None:
            supervisor = self._outbox.supervisor_of(self.address.account)
            if supervisor is None or self._end(work) is None or supervisor.is_open:
                return None
            return supervisor.opens_in_s

        await self._waits.until(asked_again_after_s)
        supervisor, end = self._outbox.supervisor_of(self.address.account), self._end(work)
        return None if supervisor is None or end is None else (supervisor, end)

    def _place(self, end: RouteEnd, supervisor: AccountSupervisor, chat_id: str) -> ResolvedTarget:
        platform, adapter = self._outbox.platform_of(self.address.account), supervisor.adapter
        target = Target(
            account=self.address.account,
            platform=platform,
            platform_title=self._outbox.title_of(platform),
            capabilities=adapter.capabilities,
            measure=adapter.measure,
            options=end.options,
        )
        chat = ChatRef(self.address.account, chat_id)
        return ResolvedTarget(end=end, chat=chat, platform=platform, adapter=adapter, target=target, call=supervisor.call)

    # -- records ------------------------------------------------------------------------------------------------------------

    async def record(self, changes: Sequence[Change]) -> None:
        await self._records.record(changes)

    def claim(self, pending: OpenDelivery) -> bool:
        return self._records.claim(pending)

    def prerecord_next(self, now: datetime) -> Sequence[Change]:
        return self._records.prerecord_next(now)

    def _may_run_ahead(self) -> bool:
        following, supervisor = self._backlog.following, self._outbox.supervisor_of(self.address.account)
        if following is None or supervisor is None or not self._can_reconcile():
            return False
        end = self._outbox.table().end(following.route, following.target, following.thread_id)
        return end is not None and rates_of(end, supervisor) is UNLIMITED

    # -- rates --------------------------------------------------------------------------------------------------------------

    async def admit(self, place: ResolvedTarget, messages: int, operation: Operation = Operation.SEND) -> None:
        await self._pace.admit(place, messages, operation)

    def mark_accepted(self, place: ResolvedTarget, messages: int, operation: Operation = Operation.SEND) -> None:
        self._pace.mark_accepted(place, messages, operation)

    async def _keep_wait(self, name: str, wait: timedelta) -> None:
        now = self._clock.now()
        await self._patiently(lambda: self._outbox.journal.set_wait(self._lease, name, now + wait, at=now))

    def _take_followers(self, work: DeliveryState, place: ResolvedTarget) -> None:
        """What piled up behind it meanwhile may go out in the same message."""
        if work.pending.lane_seq > self._apart_until:
            for _ in range(self._outbox.executor.joining(work, place, self._backlog)):
                follower = self._backlog.take()
                self._records.drop_begun(follower)
                work.followers.append(follower)

    def _part_company(self, work: DeliveryState) -> list[Change]:
        """The others go their own way again: nothing of them was sent. The changes that say so."""
        now = self._clock.now()
        changes: list[Change] = [work.set_pieces(())]
        changes += [Deferred(delivery_id=one.delivery_id, attempt=0, not_before=now, error="", at=now) for one in work.followers]
        alone = [replace(one, state=DeliveryStatus.WAITING, attempt=0, not_before=None, lead_seq=None) for one in work.followers]
        self._backlog.put_back(alone)
        work.followers, work.pieces = [], ()
        return changes

    # -- failures -----------------------------------------------------------------------------------------------------------

    async def _failed(
        self, work: DeliveryState, supervisor: AccountSupervisor, error: DeliveryError, *, settled: bool = False
    ) -> Sequence[Change] | None:
        """`settled`: enough time has passed since an attempt of unknown outcome for the platform to show it."""
        if isinstance(error, OutcomeUnknown) and not is_message(work):
            error = RetryLater(error.reason)  # edits, deletes and reactions can be repeated freely
        if isinstance(error, OutcomeUnknown):
            work.unknown = True
        self._count_failure(work)
        attempted, work.attempted = work.attempted, False
        end = self._end(work)
        if end is None:
            return None  # its route was removed meanwhile: `_ready` says so
        if isinstance(error, ChatDown):
            if work.elsewhere:
                return self._left_behind(work)
            supervisor.chat_faults[self.address] = error
        self._outbox.counts.retried(self.address.account, type(error).__name__)
        if attempted and self._poison.is_one(work, error, supervisor.served, self._clock.monotonic_s()):
            self._poison.given_up()
            return self._dead(work, poison.reason(work, error))
        step = self._decide(work, error, end)
        match step:
            case GiveUp() if work.followers and not work.unknown:
                return await self._given_up_together(work, error, step.reason)
            case GiveUp():
                return self._dead(work, step.reason)
            case Hold():
                return self._dead(work, step.reason, held=True)
            case Reconcile() | Resend():
                await self._unknown(work, error, 0.0 if settled else step.after_s)
                self._settled = True
            case Wait():
                firm = isinstance(error, RetryLater) and error.rate_limited
                if self._is_its_own_trouble(work, error, step):
                    return self._aside(work, step.after_s, error.reason)
                if firm:
                    self._learn(work, supervisor, step.scope)
                if step.scope is Scope.ACCOUNT:
                    supervisor.pause(step.after_s)
                    if firm:
                        await self._pace.remember_account_wait(step.after_s)
                await self._defer(work, step.after_s, error.reason, step.scope, firm=firm)
        return None

    def _is_its_own_trouble(self, work: DeliveryState, error: DeliveryError, step: Wait) -> bool:
        """Whether it waits beside the line as it came: nothing says that the chat itself cannot be used."""
        told = isinstance(error, ChatDown) or (isinstance(error, RetryLater) and error.rate_limited) or step.scope is not Scope.CHAT
        return work.pending.state is DeliveryStatus.BEHIND and not (told or work.unknown or work.bugs)

    def _learn(self, work: DeliveryState, supervisor: AccountSupervisor, scope: Scope) -> None:
        """A 429: others may join the message that has to wait, and the rates are taken for used up."""
        work.limited = True
        end = self._end(work)
        if end is not None:
            self._pace.refused(rates_of(end, supervisor), account=scope is Scope.ACCOUNT)

    async def _given_up_together(self, work: DeliveryState, error: DeliveryError, reason: str) -> Sequence[Change] | None:
        """A merged message that will not be sent: if it was refused, each of its messages is tried by itself, since one may have
        spoilt it for all; if its time is over, the others may have more."""
        refused = isinstance(error, Rejected)
        if refused:
            self._apart_until = work.together[-1].lane_seq
            log.info("merged message refused; sent one by one", target=str(self.address), reason=error.reason)
        await self.record(self._part_company(work))
        return None if refused else self._dead(work, reason)

    def _decide(self, work: DeliveryState, error: DeliveryError, end: RouteEnd) -> Step:
        return next_step(
            error,
            max(work.attempt, 1),
            spent_s=work.spent_s(self._clock.monotonic_s()),
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

    async def _unknown(self, work: DeliveryState, error: DeliveryError, after_s: float) -> None:
        """Before the message is sent again after an unknown outcome: a breath, so that the platform can settle and its echo come
        back; then `executor` reconciles where the platform allows it."""
        self._verdicts.unknown(work.together, error.reason, attempt=work.attempt)
        await self._wait(after_s)

    async def _defer(self, work: DeliveryState, after_s: float, reason: str, scope: Scope, *, firm: bool = False) -> None:
        now = self._clock.now()
        if not work.unknown:
            spent = timedelta(seconds=work.spent_s(self._clock.monotonic_s()))
            changes: list[Change] = [work.set_pieces(())] if work.followers else []
            changes += [
                Deferred(
                    delivery_id=one.delivery_id,
                    attempt=work.attempt,
                    not_before=now + timedelta(seconds=after_s),
                    error=reason,
                    at=now,
                    first_attempt_at=now - spent if work.counting_since_s is not None else None,
                    behind=one.state is DeliveryStatus.BEHIND,
                )
                for one in work.together
            ]
            await self.record(changes)
        self._verdicts.deferred(work.together, after_s, scope, reason, attempt=work.attempt)
        await self._wait(after_s, firm=firm)

    async def _wait(self, seconds: float, *, firm: bool = False) -> None:
        """A kick ends the wait, unless it is firm (the platform asked for it); stopping ends it always."""
        if not self._records.are_complete:
            await self._records.record()
        await self._waits.sleep(seconds, firm=firm)

    async def _moved(self, work: DeliveryState, supervisor: AccountSupervisor, error: ChatMoved) -> Sequence[Change] | None:
        old = self._outbox.table().native_id(self.address)
        if not work.parts:
            work.plan, work.refused = None, False  # it names messages of the chat as it was, as does the one on disk
            work.pending = replace(work.pending, plan=as_of_a_former_chat(work.pending.plan))
        if old is not None and old != error.new_chat_id:
            await self._patiently(lambda: supervisor.chat_moved(old, error.new_chat_id))
        elif work.elsewhere:
            return self._left_behind(work)
        else:
            await self._defer(work, 1.0, error.reason, Scope.CHAT)
        return None

    def _left_behind(self, work: DeliveryState) -> Sequence[Change]:
        return [Skipped(delivery_id=work.pending.delivery_id, rule=Skip.LEFT_BEHIND, at=self._clock.now())]

    def _dead(self, work: DeliveryState, reason: str, *, held: bool = False) -> Sequence[Change]:
        for one in work.together:
            log.error("dead letter", target=str(self.address), route=one.route, delivery=one.delivery_id, reason=reason)
        now = self._clock.now()
        return [Dead(delivery_id=one.delivery_id, reason=reason, at=now, held=held) for one in work.together]

    # -- ends ---------------------------------------------------------------------------------------------------------------

    async def _close(self, work: DeliveryState, changes: Sequence[Change]) -> None:
        deliveries = {pending.delivery_id: pending for pending in work.together}
        for change in changes:
            if isinstance(change, Delivered | Skipped | Dead):
                self._ended(deliveries[change.delivery_id], change, work.attempts_made)
        self._records.later(changes)
        following = self._backlog.following
        if following is None or not is_simple(following) or not isinstance(changes[-1], Delivered):
            await self._records.record()

    def _ended(self, pending: OpenDelivery, end: Delivered | Skipped | Dead, attempt: int) -> None:
        self._outbox.files.finished(pending.event_seq, file_count(pending))
        lag_s = (self._clock.now() - pending.event.meta.received_at).total_seconds()
        self._verdicts.ended(pending, end, lag_s=lag_s, attempt=attempt)


def file_count(pending: OpenDelivery) -> int:
    event = pending.event
    return len(event.content.attachments) if isinstance(event, MessageCreated | MessageEdited) else 0
