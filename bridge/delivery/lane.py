"""One lane: the deliveries of one target chat, strictly in order. It takes them, lets the executor run them, and does what
`failure` says about errors: waits, sets aside, asks, splits. It never delays another lane."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from bridge.delivery import doubt
from bridge.delivery.age import after_hold
from bridge.delivery.attempt_log import AttemptLog, is_simple
from bridge.delivery.backlog import Backlog
from bridge.delivery.changed_since import ChangedSince
from bridge.delivery.execution import AsItIsNow
from bridge.delivery.failure import Again, Anew, Aside, Ask, Defer, Done, Failures, Follow, JournalDown, Meaning, Split
from bridge.delivery.file_patience import be_patient, file_count
from bridge.delivery.gate import Gate, Opened
from bridge.delivery.groups import Groups
from bridge.delivery.lane_services import LaneServices
from bridge.delivery.line import Line
from bridge.delivery.patient_journal import PatientJournal
from bridge.delivery.state import DeliveryState, taken_up
from bridge.delivery.superseded import as_it_is_now, copy_came_late
from bridge.delivery.target import ResolvedTarget
from bridge.delivery.throttle import LaneThrottle, rates_of
from bridge.delivery.waits import Stopping
from bridge.journal.contract import Answered, Change, Damaged, Dead, Deferred, Delivered, DeliveryStatus, OpenDelivery, Skipped
from bridge.model.capabilities import Operation
from bridge.model.errors import Answer, OutcomeUnknown, Scope
from bridge.model.events import MessageCreated
from bridge.model.outcomes import Outcome, Skip
from bridge.model.refs import ChatAddress
from bridge.observability import spans
from bridge.observability.outcome_log import Verdicts

log = structlog.get_logger("outbox")


class Lane:
    """See the module. It is the `DeliveryContext` of the operations it runs."""

    def __init__(self, address: ChatAddress, services: LaneServices) -> None:
        self.address = address
        self._services = services
        self._clock = services.clock
        self._journal = PatientJournal(address, services)
        self._gate = Gate(address, services)
        self._waits = self._gate.waits
        self._changed = ChangedSince()
        self._backlog = Backlog(self._journal.pending, self._bury, services.handed, self._changed.applied)
        self._throttle = LaneThrottle(
            address,
            services.limiters,
            services.clock,
            wait=self._wait_firmly,
            keep=self._journal.keep_wait,
            filling=services.kept_rates.filling,
        )
        self._attempt_log = AttemptLog(
            address,
            services.clock,
            write=self._journal.record,
            waiting=self._backlog,
            may_run_ahead=lambda: self._gate.may_run_ahead(self._backlog.following),
            give_way=self._give_way,
        )
        self._line = Line(
            self._backlog,
            self._attempt_log,
            self._waits,
            services.clock,
            read_behind=self._journal.behind,
            bury=self._bury,
            longest_s=self._gate.longest_wait_s,
        )
        self._groups = Groups(
            address,
            services.executor,
            services.clock,
            backlog=self._backlog,
            line=self._line,
            attempt_log=self._attempt_log,
            journal=self._journal,
        )
        self._failures = Failures(address, services, self._gate)
        self._verdicts = Verdicts(address, services.counts)
        self._platform_settled = False
        """Whether the platform had time to deliver echoes since the process started."""
        self._current: DeliveryState | None = None
        self._is_attempting = False
        """From the moment that the limits let a message go until what became of it is handed to the log."""

    # -- input --------------------------------------------------------------------------------------------------------------

    def put(self, pending: OpenDelivery, *, prerecorded: bool = False) -> None:
        self._changed.note(pending)
        self._backlog.put(pending)
        self._waits.tell()
        if prerecorded:
            self._attempt_log.put_prerecorded(pending)

    def was_prerecorded(self, pending: OpenDelivery) -> None:
        """A delivery that a read has taken was accepted with its first attempt recorded, which was not made."""
        if any(one.delivery_id == pending.delivery_id for one in self._backlog):
            self._attempt_log.put_prerecorded(pending)

    def reload(self) -> None:
        self._backlog.reload()
        self.look_behind()

    def look_behind(self) -> None:
        """The journal may have deliveries beside the line that are due."""
        self._line.look_behind()

    def kick(self) -> None:
        """Check again what is waited for: it may have happened, or be gone."""
        self._waits.kick()

    def hurry(self) -> None:
        """End the current wait, whatever it is for."""
        self._line.look_behind()
        self._waits.hurry()

    # -- one delivery after the other ---------------------------------------------------------------------------------------

    @property
    def is_posting(self) -> bool:
        """Whether something may be in the chat already of which the journal does not know yet; a backlog alone is nothing."""
        is_unknown = self._current is not None and self._current.unknown.is_open
        return self._is_attempting or is_unknown or not self._attempt_log.are_complete

    async def run(self) -> None:
        try:
            while True:
                pending = await self._line.next()
                if pending is None:
                    return
                await self._give_way()
                letters = await self._groups.letters(pending)
                while letters:
                    letters = await self._work_on(letters)
        except Stopping:
            pass
        finally:
            await self._attempt_log.close()

    async def _give_way(self) -> None:
        """A lane that works off a backlog lets what was just said go first."""
        if self._backlog.is_behind:
            await self._services.precedence.give_way()

    async def _work_on(self, letters: Sequence[OpenDelivery]) -> Sequence[OpenDelivery]:
        """Until it is final, or set aside. Several: retried dead letters that were one message. Returns what is to be taken up
        next, before anything else."""
        pending, *others = letters
        if not self._attempt_log.is_prerecorded(pending):
            end = partial(self._gate.end, pending)
            pending = await after_hold(pending, end, self._clock, self._wait, self._journal.pending)
        now = as_it_is_now(pending)
        is_prerecorded = self._attempt_log.is_prerecorded(pending)
        if isinstance(now, Skip):
            delivery = self._begin(pending, is_prerecorded)
            await self._close(delivery, [Skipped(delivery_id=pending.delivery_id, rule=now, at=self._clock.now())])
            return others
        reworded, pending = now is not pending, now
        if reworded:
            self._attempt_log.drop_prerecorded(pending)  # the attempt is recorded with the words that are sent
        self._throttle.begin(Operation.SEND if isinstance(pending.event, MessageCreated) else None)
        delivery = self._begin(pending, is_prerecorded, reworded=reworded)
        self._groups.begin(delivery, others)
        if pending.not_before is not None and (left_s := self._line.left_s(pending)) > 0:
            await self._correct(delivery, left_s)
            await self._wait_firmly(left_s)
        result: Again | Anew | Done = Again()
        if pending.state is DeliveryStatus.SENDING and pending.event.traits.posts and not is_prerecorded:
            result = await self._interrupted(delivery)
        while isinstance(result, Again):
            result = await self._attempt(delivery)
        if isinstance(result, Anew):
            return result.letters
        await self._close(delivery, result.changes)
        return ()

    def dissolve(self) -> None:
        """Its work is over, and nobody uses it again. A quiet chat has a lane for each message, and the parts of a lane know each
        other: left to the collector of cycles, they would cost a tenth of the work of relaying, in long pauses."""
        self._gate.dissolve()
        vars(self).clear()

    def _begin(self, pending: OpenDelivery, is_prerecorded: bool, *, reworded: bool = False) -> DeliveryState:
        delivery = taken_up(pending, self._clock, prerecorded=is_prerecorded, reworded=reworded)
        self._gate.begin(delivery)
        self._current = delivery
        return delivery

    async def _correct(self, delivery: DeliveryState, left_s: float) -> None:
        """The recorded time is from a wrong clock: it is corrected for everyone who reads it."""
        pending, now, now_s = delivery.pending, self._clock.now(), self._clock.monotonic_s()
        assert pending.not_before is not None
        due = now + timedelta(seconds=left_s)
        if pending.not_before - due > timedelta(seconds=1) and pending.state is DeliveryStatus.WAITING:
            change = Deferred(
                delivery_id=pending.delivery_id,
                attempt=pending.attempt,
                not_before=due,
                error=pending.last_error,
                at=now,
                first_attempt_at=now - timedelta(seconds=delivery.time.spent_s(now_s)),
            )
            await self.record([change])

    # -- attempts -----------------------------------------------------------------------------------------------------------

    async def _attempt(self, delivery: DeliveryState) -> Again | Anew | Done:
        opened = await self._gate.ready(delivery, self._throttle)
        if opened is None:
            now = self._clock.now()
            return Done([Skipped(delivery_id=one.delivery_id, rule=Skip.ROUTE_REMOVED, at=now) for one in delivery.together])
        if (changed := self._changed.taken_up_anew(delivery, self._clock)) is not None:
            return await self._groups.anew(delivery, changed)
        try:
            changes = await self._execute(delivery, opened)
        except Stopping:
            raise
        except AsItIsNow:
            if (changed := self._changed.taken_up_anew(delivery, self._clock, is_asked=True)) is not None:
                return await self._groups.anew(delivery, changed)
            letters, plans = doubt.settled(delivery)
            await self.record(plans)
            return Anew(letters)
        except Exception as error:
            self._keep_answer(delivery, error)
            return await self._carry_out(self._failures.meaning(delivery, opened, error), delivery, opened)
        if isinstance(changes[-1], Delivered):
            opened.supervisor.served += 1
            self._failures.delivered(opened.supervisor)
        return Done(changes)

    async def _execute(self, delivery: DeliveryState, opened: Opened) -> Sequence[Change]:
        target = await self._gate.resolve(opened)
        self._groups.join(delivery, target)
        be_patient(delivery, self._clock.monotonic_s())
        try:
            with opened.supervisor.using():
                if spans.active is None:
                    return await self._services.executor.execute(delivery, target, self)
                with spans.active.sending(delivery.together, delivery.attempts.number + 1) as over:
                    changes = await self._services.executor.execute(delivery, target, self)
                    over(changes)
                    return changes
        finally:
            self._is_attempting = False

    def _keep_answer(self, delivery: DeliveryState, error: Exception) -> None:
        answer = getattr(error, "answer", None)
        if isinstance(answer, Answer):
            now = self._clock.now()
            self._attempt_log.later([Answered(delivery_id=one.delivery_id, at=now, answer=answer) for one in delivery.together])

    async def _interrupted(self, delivery: DeliveryState) -> Again | Done:
        """An attempt was recorded and its outcome was not: the process died in between."""
        delivery.unknown.stopped(delivery.pending.recorded_at or delivery.pending.first_attempt_at)
        opened = await self._gate.opened(delivery)
        if opened is None or not self._gate.may_double(delivery):
            return Again()
        delivery.attempts.begin()
        error = OutcomeUnknown("the bridge stopped during the attempt")
        meaning = self._failures.meaning_of(delivery, opened.supervisor, error)
        if isinstance(meaning, Ask) and self._platform_settled:
            meaning = Ask(0.0, meaning.reason)
        return await self._carry_out(meaning, delivery, opened)

    # -- failures -----------------------------------------------------------------------------------------------------------

    async def _carry_out(self, meaning: Meaning, delivery: DeliveryState, opened: Opened) -> Again | Done:
        match meaning:
            case Done() | Again():
                return meaning
            case Aside(after_s, reason):
                return self._set_aside(delivery, after_s, reason)
            case Split():
                await self._groups.split(delivery, meaning)
                return Again() if meaning.refused else self._failures.dead(delivery, meaning.reason)
            case Ask(after_s, reason):
                self._verdicts.unknown(delivery.together, reason, attempt=delivery.attempts.number)
                await self._wait(after_s)
                self._platform_settled = True
            case Defer():
                await self._defer(delivery, opened, meaning)
            case Follow(old, new):
                await self._journal.ask(lambda: opened.supervisor.chat_moved(old, new))
            case JournalDown(error):
                await self._journal.wait_after(error)
        return Again()

    def _set_aside(self, delivery: DeliveryState, after_s: float, reason: str) -> Done:
        self._services.counts.retried(self.address.account, "set aside")
        self._line.set_aside(after_s)
        changes: list[Change] = [*delivery.made.unrecorded, *doubt.kept(delivery, self._clock)]
        if delivery.group.followers and not delivery.unknown.is_open:
            changes.append(delivery.set_pieces(()))
        return Done([*changes, *(delivery.deferred(one, self._clock, after_s, reason, behind=True) for one in delivery.together)])

    async def _defer(self, delivery: DeliveryState, opened: Opened, wait: Defer) -> None:
        if wait.firm:
            await self._learn(delivery, opened, wait)
        if not delivery.unknown.is_open:
            changes: list[Change] = [delivery.set_pieces(())] if delivery.group.followers else []
            for one in delivery.together:
                behind = one.state is DeliveryStatus.BEHIND
                changes.append(delivery.deferred(one, self._clock, wait.after_s, wait.reason, behind=behind))
            await self._attempt_log.record(changes, has_time=delivery.is_untried and not wait.firm)
        self._verdicts.deferred(delivery.together, wait.after_s, wait.scope, wait.reason, attempt=delivery.attempts.number)
        await self._wait(wait.after_s, firm=wait.firm)

    async def _learn(self, delivery: DeliveryState, opened: Opened, wait: Defer) -> None:
        """A 429: others may join the message that has to wait, and the rates count as used up."""
        delivery.is_rate_limited = True
        end = self._gate.end(delivery.pending)
        if end is not None:
            self._throttle.refused(rates_of(end, opened.supervisor), account=wait.scope is Scope.ACCOUNT)
        if wait.scope is Scope.ACCOUNT:
            await self._throttle.remember_account_wait(wait.after_s)

    async def _wait(self, seconds: float, *, firm: bool = False) -> None:
        """A kick ends the wait, unless it is firm (the platform asked for it); stopping always ends it."""
        if not self._attempt_log.are_complete:
            await self._attempt_log.record()
        await self._waits.sleep(seconds, firm=firm)

    async def _wait_firmly(self, seconds: float) -> None:
        await self._wait(seconds, firm=True)

    # -- the journal and the rates ------------------------------------------------------------------------------------------

    async def record(self, changes: Sequence[Change]) -> None:
        await self._attempt_log.record(changes)

    def is_changed(self, delivery: DeliveryState) -> bool:
        return self._changed.taken_up_anew(delivery, self._clock, is_asked=True) is not None

    def claim(self, pending: OpenDelivery) -> bool:
        return self._attempt_log.claim(pending)

    def prerecord_next(self, now: datetime) -> Sequence[Change]:
        return self._attempt_log.prerecord_next(now)

    async def admit(self, target: ResolvedTarget, messages: int, operation: Operation = Operation.SEND) -> None:
        await self._throttle.admit(target, messages, operation)
        self._is_attempting = True

    def mark_accepted(self, target: ResolvedTarget, messages: int, operation: Operation = Operation.SEND) -> None:
        self._throttle.mark_accepted(target, messages, operation)

    async def _bury(self, damaged: Sequence[Damaged]) -> None:
        """Deliveries that cannot be read become dead letters; later ones continue."""
        if not damaged:
            return
        now = self._clock.now()
        for one in damaged:
            log.error("dead letter", target=str(self.address), delivery=one.delivery_id, reason=one.reason)
            self._services.counts.outcome(self.address.account, "", Outcome.DEAD)
        await self.record([Dead(delivery_id=one.delivery_id, reason=one.reason, at=now) for one in damaged])

    # -- ends ---------------------------------------------------------------------------------------------------------------

    async def _close(self, delivery: DeliveryState, changes: Sequence[Change]) -> None:
        deliveries = {pending.delivery_id: pending for pending in delivery.together}
        for change in changes:
            if isinstance(change, Delivered | Skipped | Dead):
                self._ended(deliveries[change.delivery_id], change, delivery.attempts.total)
        late = [one for one in map(copy_came_late, delivery.together) if one is not None]
        if delivery.group.asked is not None:
            self.look_behind()  # those that were changed since go on
        if delivery.is_untried and not late and all(isinstance(one, Deferred) for one in changes):
            await self._attempt_log.record(changes, has_time=True)
            return
        self._attempt_log.later([*changes, *late])
        following = self._backlog.following
        if late:
            await self._attempt_log.record()
            self._backlog.reload()  # what follows the copy is in the journal, behind what is at hand
        elif following is None or not is_simple(following) or not isinstance(changes[-1], Delivered):
            await self._attempt_log.record()

    def _ended(self, pending: OpenDelivery, end: Delivered | Skipped | Dead, attempt: int) -> None:
        self._services.files.finished(pending.event_seq, file_count(pending))
        lag_s = (self._clock.now() - pending.event.meta.received_at).total_seconds()
        self._verdicts.ended(pending, end, lag_s=lag_s, attempt=attempt)
