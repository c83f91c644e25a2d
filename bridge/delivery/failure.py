"""What an error means for a delivery: it ends, it waits, it is set aside, the platform is asked, or it is tried alone.

`policy.retry` decides about time; this module combines its answer with what is known of the delivery, its chat and its account. The
lane acts on the result."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from msgspec.structs import replace

from bridge.accounts.supervisor import AccountSupervisor
from bridge.delivery import doubt, poison
from bridge.delivery.execution import NotNow, Poisoned
from bridge.delivery.gate import Gate, Opened
from bridge.delivery.lane_services import LaneServices
from bridge.delivery.message_plan import as_of_a_former_chat
from bridge.delivery.poison import Poison
from bridge.delivery.state import DeliveryState
from bridge.journal.contract import Change, Dead, JournalError, OpenDelivery, Skipped
from bridge.model.errors import (
    AccountDown,
    ChatDown,
    ChatMoved,
    ChatOff,
    DeliveryError,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Scope,
)
from bridge.model.outcomes import Skip
from bridge.model.refs import ChatAddress
from bridge.policy.retry import GiveUp, Hold, Reconcile, Resend, Step, Wait, next_step
from bridge.policy.routing import RouteEnd

log = structlog.get_logger("outbox")

MAX_UNEXPECTED_ERRORS = 5


# -- what it can mean -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """It is final, or set aside: the changes say how. The lane continues with the next delivery."""

    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Again:
    """Another attempt follows at once; everything is looked up again."""


@dataclass(frozen=True, slots=True)
class Anew:
    """It is taken up again in this form, as if it had just been read, with those that were one message with it."""

    letters: Sequence[OpenDelivery]


@dataclass(frozen=True, slots=True)
class Aside:
    """The rest of it is tried beside the line after this time; later deliveries continue."""

    after_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer:
    """It waits, and its chat or account with it. `firm`: the platform asked for the wait (a 429)."""

    after_s: float
    reason: str
    scope: Scope
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """It may have arrived. After this time, in which its echo can come back, the platform is asked for it where possible, and it is
    sent again if it is not there."""

    after_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Split:
    """It will not be sent merged with others. `refused`: each is tried alone, since one of them may be the cause; otherwise the
    first one's time is over, and the others may have time left."""

    refused: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Follow:
    """The chat has a new id."""

    old_chat_id: str
    new_chat_id: str


@dataclass(frozen=True, slots=True)
class JournalDown:
    """The bridge's own disk failed before the attempt began."""

    error: JournalError


Meaning = Done | Again | Aside | Defer | Ask | Split | Follow | JournalDown


# -- what it means ----------------------------------------------------------------------------------------------------------


class Failures:
    """Of one lane."""

    def __init__(self, address: ChatAddress, services: LaneServices, gate: Gate) -> None:
        self._address = address
        self._services = services
        self._gate = gate
        self._clock = services.clock
        self._poison = Poison(services.policy)

    def delivered(self, supervisor: AccountSupervisor) -> None:
        """The chat accepts messages."""
        self._poison.delivered()
        supervisor.chat_faults.pop(self._address, None)

    def meaning(self, delivery: DeliveryState, opened: Opened, error: Exception) -> Meaning:
        """The meaning of an exception that an attempt raised."""
        match error:
            case AccountDown():
                opened.supervisor.report_down(error)
                return Defer(after_s=0.0, reason=error.reason, scope=Scope.ACCOUNT)
            case ChatMoved():
                return self._moved(delivery, error)
            case DeliveryError():
                return self.meaning_of(delivery, opened.supervisor, error)
            case NotNow():
                return self._not_now(delivery, opened.end, error)
            case Poisoned():
                return self._poisoned(delivery, str(error))
            case JournalError() if not delivery.attempts.is_underway:
                return JournalDown(error)
            case JournalError():
                return self.meaning_of(delivery, opened.supervisor, OutcomeUnknown(str(error)))
            case OSError() | TimeoutError():
                return self.meaning_of(delivery, opened.supervisor, _unclear(delivery, str(error) or type(error).__name__))
        return self._unexpected(delivery, opened.supervisor, error)

    def meaning_of(self, delivery: DeliveryState, supervisor: AccountSupervisor, error: DeliveryError) -> Meaning:
        """The meaning of an adapter's error, or of one treated as such."""
        if isinstance(error, OutcomeUnknown):
            if self._gate.may_double(delivery):
                delivery.unknown.is_open = True
            else:
                error = RetryLater(error.reason)  # edits, deletes, reactions and native pins can be repeated safely
        was_underway = self._count(delivery)
        end = self._gate.end(delivery.pending)
        if end is None:
            return Again()  # its route was removed meanwhile: the gate handles it
        if isinstance(error, ChatDown):
            if delivery.at_former_chat:
                return self._left_behind(delivery)
            supervisor.chat_faults[self._address] = error
        if isinstance(error, ChatOff):
            delivery.kept(self._clock.monotonic_s())
        self._services.counts.retried(self._address.account, type(error).__name__)
        if (
            was_underway
            and self._gate.schedule() is None
            and self._poison.is_one(delivery, error, supervisor.served, self._clock.monotonic_s())
        ):
            why = poison.reason(delivery, error)
            if delivery.unknown.is_open and self._gate.can_reconcile():
                delivery.faults.verdict = why  # the attempt may have succeeded: the platform is asked first
            else:
                return self._poisoned(delivery, why)
        return self._meaning_of_step(self._next_step(delivery, error, end), delivery, supervisor, error)

    def _meaning_of_step(self, step: Step, delivery: DeliveryState, supervisor: AccountSupervisor, error: DeliveryError) -> Meaning:
        match step:
            case GiveUp() if delivery.group.followers and not delivery.unknown.is_open:
                refused = isinstance(error, Rejected)
                return Split(refused, error.reason if refused else step.reason)
            case GiveUp():
                return self.dead(delivery, step.reason)
            case Hold():
                return self.dead(delivery, step.reason, held=True)
            case Reconcile() | Resend():
                return Ask(step.after_s, error.reason)
            case Wait():
                if _is_its_own_trouble(delivery, error, step):
                    return Aside(step.after_s, error.reason)
                if step.scope is Scope.ACCOUNT:
                    supervisor.pause(step.after_s)
                firm = isinstance(error, RetryLater) and error.rate_limited
                return Defer(after_s=step.after_s, reason=error.reason, scope=step.scope, firm=firm)

    def _poisoned(self, delivery: DeliveryState, why: str) -> Done:
        self._poison.given_up()
        return self.dead(delivery, why)

    def _not_now(self, delivery: DeliveryState, end: RouteEnd, error: NotNow) -> Meaning:
        """An operation set the delivery aside."""
        self._count(delivery)
        step = self._next_step(delivery, RetryLater(error.reason, after_s=error.after_s), end)
        if not isinstance(step, Wait):
            return self.dead(delivery, getattr(step, "reason", error.reason))
        return Aside(step.after_s, error.reason)

    def _moved(self, delivery: DeliveryState, error: ChatMoved) -> Meaning:
        old = self._services.table().native_id(self._address)
        if not delivery.parts:
            made = delivery.made  # its plan, like the one on disk, refers to messages of the old chat
            made.plan, made.file_refused = None, False
            delivery.pending = replace(delivery.pending, plan=as_of_a_former_chat(delivery.pending.plan))
        if old is not None and old != error.new_chat_id:
            return Follow(old, error.new_chat_id)
        if delivery.at_former_chat:
            return self._left_behind(delivery)
        return Defer(after_s=1.0, reason=error.reason, scope=Scope.CHAT)

    def _unexpected(self, delivery: DeliveryState, supervisor: AccountSupervisor, error: Exception) -> Meaning:
        """A bug, ours or an adapter's."""
        delivery.attempts.unexpected += 1
        delivery_id = delivery.pending.delivery_id
        log.exception("delivery failed unexpectedly", target=str(self._address), delivery=delivery_id, exc_info=error)
        what = f"unexpected {type(error).__name__}"
        if delivery.attempts.unexpected >= MAX_UNEXPECTED_ERRORS:
            return self.dead(delivery, f"{what}: see the log")
        return self.meaning_of(delivery, supervisor, _unclear(delivery, what))

    # -- parts of it --------------------------------------------------------------------------------------------------------

    def _count(self, delivery: DeliveryState) -> bool:
        """Mark the attempt as over. Returns whether it had begun."""
        delivery.time.start(self._clock.monotonic_s())
        return delivery.attempts.fail()

    def _next_step(self, delivery: DeliveryState, error: DeliveryError, end: RouteEnd) -> Step:
        return next_step(
            error,
            max(delivery.attempts.number, 1),
            spent_s=delivery.time.spent_s(self._clock.monotonic_s()),
            options=end.options,
            random=random.random,
            can_reconcile=self._gate.can_reconcile(),
            schedule=self._gate.schedule(),
            policy=self._services.policy,
        )

    def _left_behind(self, delivery: DeliveryState) -> Done:
        return Done([Skipped(delivery_id=delivery.pending.delivery_id, rule=Skip.LEFT_BEHIND, at=self._clock.now())])

    def dead(self, delivery: DeliveryState, reason: str, *, held: bool = False) -> Done:
        if delivery.unknown.is_open and "may have arrived" not in reason:
            reason += ". It may have arrived"
        for one in delivery.together:
            log.error("dead letter", target=str(self._address), route=one.route, delivery=one.delivery_id, reason=reason)
        now = self._clock.now()
        ends = [Dead(delivery_id=one.delivery_id, reason=reason, at=now, held=held) for one in delivery.together]
        return Done([*doubt.kept(delivery, self._clock), *ends])


def _unclear(delivery: DeliveryState, reason: str) -> DeliveryError:
    """The outcome of the attempt is not known: if it had begun, it may have succeeded."""
    return OutcomeUnknown(reason) if delivery.attempts.is_underway else RetryLater(reason)


def _is_its_own_trouble(delivery: DeliveryState, error: DeliveryError, step: Wait) -> bool:
    """Whether only this delivery, which is beside the line, has to wait: nothing indicates that the chat itself cannot be used."""
    is_of_the_chat = (
        isinstance(error, ChatDown) or (isinstance(error, RetryLater) and error.rate_limited) or step.scope is not Scope.CHAT
    )
    is_in_doubt = delivery.unknown.is_open and not delivery.unknown.is_of_letter  # a letter's doubt is kept while it is set aside
    return delivery.is_beside_line and not (is_of_the_chat or is_in_doubt or delivery.attempts.unexpected)
