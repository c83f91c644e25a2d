"""(error, attempt, time spent) -> wait, reconcile, hold or give up. Pure; the outbox asks after every attempt that failed.

Adapters only classify what happened (`model.errors`); every decision about time is here, and so are the reasons of dead letters. A
target may have a schedule of its own (`RetrySchedule`), which takes the place of the back-off and of the usual moment of giving up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from bridge.model.capabilities import RetrySchedule
from bridge.model.errors import ChatDown, ChatMoved, ChatOff, DeliveryError, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.policy.routing import OnUnknown, RelayOptions

_ALMOST = 1.0 - 1e-9
"""Waits that were added up in another order differ by as much."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """Exponential back-off with full jitter: the n-th wait is random between `floor_s` and base_s * 2^(n-1), at most `cap_s`; but
    for the first `early_attempts` at most `early_cap_s`, so that a short outage ends soon after the platform is back."""

    base_s: float = 1.0
    cap_s: float = 300.0
    early_attempts: int = 12
    early_cap_s: float = 4.0
    floor_s: float = 0.1
    chat_down_base_s: float = 30.0
    chat_down_cap_s: float = 900.0
    """A chat that refuses until a human acts is tried again at least this often."""
    longest_told_s: float = 6 * 3600.0
    """The longest wait kept on a platform's request: after that the platform is asked again."""
    give_up_after_h: float = 168.0
    """Where neither the route nor the target says when."""
    fewest_attempts: int = 5
    """The minimum number of attempts before giving up, so that a host that slept long does not lose the backlog."""
    poison_attempts: int = 10
    poison_after_s: float = 600.0
    """So many attempts, over so long, on a message that fails while other chats of its account are served: then it is its own
    trouble, and its chat goes on without it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Try again after `after_s` seconds; with `scope` ACCOUNT the whole account waits."""

    after_s: float
    scope: Scope = Scope.CHAT


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconcile:
    """The message may exist: ask the platform after `after_s` seconds (it may be arriving), and send it only if it does not."""

    after_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Resend:
    """The message may exist, that cannot be found out, and the route says to send it again, after `after_s` seconds."""

    after_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """The message may exist, that cannot be found out, and the route leaves it to a human. `reason` is for the dead letter."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GiveUp:
    """To the dead letters. `reason` is in plain words for an admin."""

    reason: str


Step = Wait | Reconcile | Resend | Hold | GiveUp


def next_step(
    error: DeliveryError,
    attempt: int,
    *,
    spent_s: float,
    options: RelayOptions,
    random: Callable[[], float],
    can_reconcile: bool = False,
    schedule: RetrySchedule | None = None,
    policy: Policy = Policy(),
) -> Step:
    """What to do after the `attempt`-th attempt (1 is the first) ended in `error`.

    `spent_s` is the time since the first attempt in which the bridge ran. `random` gives numbers from 0 to 1; `can_reconcile` says
    whether the adapter can ask its platform what became of a message; `schedule` is the target's own.
    """
    if isinstance(error, Rejected):
        return GiveUp(reason=f"refused: {error.reason}")
    if isinstance(error, OutcomeUnknown) and not can_reconcile and options.unknown is OnUnknown.HOLD:
        return Hold(reason=f"may have arrived, and nobody can tell: {error.reason}; the route says to leave that to you")
    if isinstance(error, ChatOff):
        return Wait(after_s=policy.chat_down_cap_s)
    limited = isinstance(error, RetryLater) and error.rate_limited
    if not limited and _too_late(attempt, spent_s, options, schedule, policy):
        return GiveUp(reason=_given_up(error, attempt, _patience_h(options, schedule, policy)))
    back_off_s = _scheduled_s(attempt, spent_s, schedule, random) if schedule else _usual_back_off_s(attempt, policy, random)
    match error:
        case RetryLater(after_s=float() | int() as told_s):
            return Wait(after_s=_told_s(told_s, attempt, policy, random), scope=error.scope)
        case RetryLater():
            return Wait(after_s=back_off_s, scope=error.scope)
        case OutcomeUnknown():
            return Reconcile(after_s=back_off_s) if can_reconcile else Resend(after_s=back_off_s)
        case ChatDown() if schedule is None:
            wait_s = _back_off_s(attempt, policy.chat_down_base_s, policy.chat_down_cap_s, policy, random)
            return Wait(after_s=max(wait_s, policy.chat_down_base_s / 2))
        case ChatMoved() if attempt <= 1:
            return Wait(after_s=0.0)
        case _:
            return Wait(after_s=back_off_s)


def _usual_back_off_s(attempt: int, policy: Policy, random: Callable[[], float]) -> float:
    if attempt <= policy.early_attempts:
        return _back_off_s(attempt, policy.base_s, min(policy.cap_s, policy.early_cap_s), policy, random)
    later = attempt - policy.early_attempts + 3  # continues to double from the early cap
    return _back_off_s(later, policy.base_s, policy.cap_s, policy, random)


def _back_off_s(attempt: int, base_s: float, cap_s: float, policy: Policy, random: Callable[[], float]) -> float:
    most_s = min(cap_s, base_s * 2.0 ** min(max(attempt - 1, 0), 32))
    return max(policy.floor_s, random() * most_s)


def _scheduled_s(attempt: int, spent_s: float, schedule: RetrySchedule, random: Callable[[], float]) -> float:
    """The wait that the time spent so far leads to: attempts that somebody hurried, or that waited for as long as they were told,
    take nothing away from the schedule. An attempt that took longer than the wait after it does not skip that wait either."""
    passed, due_s = 0, 0.0
    for wait_s in schedule.waits_s:
        due_s += wait_s
        if spent_s < due_s * _ALMOST:
            break
        passed += 1
    wait_s = schedule.waits_s[min(passed, max(attempt - 1, 0), len(schedule.waits_s) - 1)]
    return wait_s * (1.0 + random() * schedule.jitter)


def _told_s(told_s: float, attempt: int, policy: Policy, random: Callable[[], float]) -> float:
    """Never earlier than asked for. A little later, so that not all lanes return at once, and more if the platform keeps giving
    waits that are too short."""
    told_s = 0.0 if math.isnan(told_s) else min(max(told_s, 0.0), policy.longest_told_s)
    least_s = min(policy.floor_s * 2.0 ** min(max(attempt - 1, 0), 32), 10.0)
    return max(told_s, least_s) + random() * min(1.0, 0.1 + told_s * 0.05)


def _too_late(attempt: int, spent_s: float, options: RelayOptions, schedule: RetrySchedule | None, policy: Policy) -> bool:
    return attempt >= policy.fewest_attempts and spent_s >= _patience_h(options, schedule, policy) * 3600.0 * _ALMOST


def _patience_h(options: RelayOptions, schedule: RetrySchedule | None, policy: Policy) -> float:
    if options.give_up_after_h is not None:
        return options.give_up_after_h
    return policy.give_up_after_h if schedule is None else schedule.span_s / 3600.0


def _given_up(error: DeliveryError, attempt: int, patience_h: float) -> str:
    text = f"given up after {_hours(patience_h)} and {attempt} attempts; the last one: {error.reason}"
    if isinstance(error, ChatDown) and error.action:
        text += f". What to do: {error.action}"
    if isinstance(error, OutcomeUnknown):
        text += ". It may have arrived"
    return text


def _hours(hours: float) -> str:
    number, unit = (hours / 24, "day") if hours >= 48 else (hours, "hour")
    return f"{number:.3g} {unit}" + ("" if number == 1 else "s")
