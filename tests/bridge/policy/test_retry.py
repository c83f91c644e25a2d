"""Waiting and giving up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.capabilities import RetrySchedule
from bridge.model.errors import ChatDown, ChatMoved, ChatOff, DeliveryError, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.policy.retry import GiveUp, Hold, Policy, Reconcile, Resend, Step, Wait, next_step
from bridge.policy.routing import OnUnknown, RelayOptions

POLICY = Policy()
HOLD = RelayOptions(unknown=OnUnknown.HOLD)
fractions = st.floats(0, 1, exclude_max=True)


def step(
    error: DeliveryError,
    attempt: int = 1,
    *,
    since_h: float = 0.0,
    options: RelayOptions | None = None,
    fraction: float = 0.5,
    can_reconcile: bool = False,
) -> Step:
    return next_step(
        error,
        attempt,
        spent_s=since_h * 3600,
        options=options or RelayOptions(),
        random=lambda: fraction,
        can_reconcile=can_reconcile,
    )


def waited_s(made: Step) -> float:
    assert isinstance(made, Wait | Resend | Reconcile)
    return made.after_s


# -- back-off ---------------------------------------------------------------------------------------------------------------


def test_waits_double_up_to_the_cap() -> None:
    waits = [waited_s(step(RetryLater("500"), attempt, fraction=1.0)) for attempt in range(1, 21)]
    assert waits == [1, 2, *[4] * 10, 8, 16, 32, 64, 128, 256, 300, 300]


@given(st.integers(1, 10**6), fractions)
def test_jitter_is_full_and_never_a_hot_loop(attempt: int, fraction: float) -> None:
    after_s = waited_s(step(RetryLater("500"), attempt, fraction=fraction))
    assert POLICY.floor_s <= after_s <= POLICY.cap_s
    assert after_s <= max(POLICY.floor_s, fraction * POLICY.cap_s)


def test_the_scope_of_the_wait_is_the_errors() -> None:
    made = step(RetryLater("429", after_s=3, scope=Scope.ACCOUNT))
    assert isinstance(made, Wait)
    assert made.scope is Scope.ACCOUNT
    assert step(RetryLater("503", scope=Scope.ACCOUNT)) == Wait(after_s=0.5, scope=Scope.ACCOUNT)


# -- told waits -------------------------------------------------------------------------------------------------------------


@given(st.floats(0, POLICY.longest_told_s), st.integers(1, 50), fractions)
def test_never_earlier_than_told_and_only_a_little_later(told_s: float, attempt: int, fraction: float) -> None:
    after_s = waited_s(step(RetryLater("429", after_s=told_s, rate_limited=True), attempt, fraction=fraction))
    assert told_s <= after_s <= max(told_s, 10.0) + 1.0


@pytest.mark.parametrize("told_s", [0.0, -5.0, float("nan")])
def test_a_platform_that_tells_no_real_wait_is_not_hammered(told_s: float) -> None:
    waits = [waited_s(step(RetryLater("429", after_s=told_s), attempt, fraction=0.0)) for attempt in range(1, 9)]
    assert waits == sorted(waits)
    assert waits[0] >= 0.1
    assert waits[-1] == 10.0


@pytest.mark.parametrize("told_s", [float("inf"), 1e18])
def test_an_absurd_wait_is_bounded(told_s: float) -> None:
    assert waited_s(step(RetryLater("429", after_s=told_s))) <= 7 * 86400 + 1


# -- giving up --------------------------------------------------------------------------------------------------------------


def test_refused_is_final_at_once() -> None:
    assert step(Rejected("message is too long")) == GiveUp(reason="refused: message is too long")


def test_after_the_routes_time_a_message_is_given_up() -> None:
    day = RelayOptions(give_up_after_h=24)
    assert isinstance(step(RetryLater("HTTP 503"), 40, since_h=23.9, options=day), Wait)
    assert step(RetryLater("HTTP 503"), 40, since_h=24, options=day) == GiveUp(
        reason="given up after 24 hours and 40 attempts; the last one: HTTP 503"
    )


def test_words_for_an_admin() -> None:
    made = step(ChatDown("the bot was removed", action="add it to the group again"), 700, since_h=168)
    assert made == GiveUp(
        reason="given up after 7 days and 700 attempts; the last one: the bot was removed. What to do: add it to the group again"
    )
    made = step(OutcomeUnknown("no answer in 30 s"), 9, since_h=1, options=RelayOptions(give_up_after_h=1))
    assert made == GiveUp(reason="given up after 1 hour and 9 attempts; the last one: no answer in 30 s. It may have arrived")


def test_a_clock_that_jumps_does_not_give_up_the_backlog() -> None:
    assert isinstance(step(RetryLater("x"), 1, since_h=24 * 365), Wait)
    assert isinstance(step(RetryLater("x"), 100, since_h=-24 * 365), Wait)


def test_without_time_spent_nothing_is_given_up() -> None:
    made = next_step(RetryLater("x"), 99, spent_s=0.0, options=RelayOptions(), random=lambda: 0.5)
    assert isinstance(made, Wait)


def test_a_rate_limit_never_gives_up() -> None:
    assert isinstance(step(RetryLater("429", after_s=30, rate_limited=True), 10_000, since_h=1000), Wait)


# -- chats ------------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 10**6), fractions)
def test_a_chat_that_refuses_is_tried_again_within_a_quarter_of_an_hour(attempt: int, fraction: float) -> None:
    made = step(ChatDown("kicked", action="invite the bot"), attempt, fraction=fraction)
    assert isinstance(made, Wait)
    assert made.scope is Scope.CHAT
    assert 15 <= made.after_s <= 900


def test_a_moved_chat_is_tried_at_once_but_not_for_ever() -> None:
    assert step(ChatMoved("migrated", new_chat_id="-100")) == Wait(after_s=0.0)
    assert waited_s(step(ChatMoved("migrated", new_chat_id="1"), 5)) > 1


# -- unknown outcomes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [RelayOptions(), HOLD])
def test_where_the_platform_can_be_asked_it_is(options: RelayOptions) -> None:
    assert isinstance(step(OutcomeUnknown("timeout"), can_reconcile=True, options=options), Reconcile)


def test_else_the_route_decides() -> None:
    assert step(OutcomeUnknown("timeout")) == Resend(after_s=0.5)
    held = step(OutcomeUnknown("timeout"), options=HOLD)
    assert isinstance(held, Hold)
    assert "timeout" in held.reason


ERRORS = st.sampled_from(
    [
        RetryLater("a"),
        RetryLater("a", after_s=5, rate_limited=True),
        OutcomeUnknown("b"),
        Rejected("c"),
        ChatDown("d", action="e"),
        ChatMoved("f", new_chat_id="g"),
        DeliveryError("some other"),
    ]
)


@given(ERRORS, st.integers(0, 2000), st.floats(-1e4, 1e4), st.booleans(), st.sampled_from([HOLD, RelayOptions()]), fractions)
def test_every_error_has_an_answer(
    error: DeliveryError, attempt: int, since_h: float, can: bool, options: RelayOptions, fraction: float
) -> None:
    made = step(error, attempt, since_h=since_h, can_reconcile=can, options=options, fraction=fraction)
    match made:
        case Wait() | Resend() | Reconcile():
            assert 0 <= made.after_s <= 900
        case Hold() | GiveUp():
            assert made.reason


# -- a target's own schedule ------------------------------------------------------------------------------------------------

HOUR = 3600.0
SCHEDULE = RetrySchedule(waits_s=(5, 300, 1800, 2 * HOUR, 5 * HOUR), jitter=0.2)


def scheduled(
    error: DeliveryError, attempt: int, spent_s: float, *, fraction: float = 0.0, options: RelayOptions | None = None
) -> Step:
    return next_step(error, attempt, spent_s=spent_s, options=options or RelayOptions(), random=lambda: fraction, schedule=SCHEDULE)


@given(st.lists(fractions, min_size=6, max_size=6))
def test_a_schedule_is_followed_to_its_end_and_never_earlier(luck: list[float]) -> None:
    spent_s, waits = 0.0, []
    for attempt, fraction in enumerate(luck, 1):
        made = scheduled(RetryLater("503"), attempt, spent_s, fraction=fraction)
        if isinstance(made, GiveUp):
            break
        waits.append(waited_s(made))
        spent_s += waits[-1]
    assert isinstance(made, GiveUp)
    assert len(waits) == len(SCHEDULE.waits_s)
    for wait, due in zip(waits, SCHEDULE.waits_s, strict=True):
        assert due <= wait <= due * 1.2


def test_hurried_attempts_take_nothing_from_the_schedule() -> None:
    assert waited_s(scheduled(RetryLater("503"), 40, 400.0)) == 1800
    assert isinstance(scheduled(RetryLater("503"), 400, SCHEDULE.span_s - 1), Wait)


def test_an_attempt_that_takes_long_skips_no_wait() -> None:
    assert waited_s(scheduled(RetryLater("no answer"), 1, 20.0)) == 5
    assert waited_s(scheduled(RetryLater("no answer"), 2, 45.0)) == 300


def test_the_end_of_a_schedule_is_in_the_words() -> None:
    made = scheduled(RetryLater("HTTP 503"), 6, SCHEDULE.span_s)
    assert made == GiveUp(reason="given up after 7.58 hours and 6 attempts; the last one: HTTP 503")


def test_what_a_route_says_of_giving_up_wins_over_the_schedule() -> None:
    soon, late = RelayOptions(give_up_after_h=1), RelayOptions(give_up_after_h=100)
    assert isinstance(scheduled(RetryLater("503"), 5, HOUR, options=soon), GiveUp)
    assert waited_s(scheduled(RetryLater("503"), 9, SCHEDULE.span_s + 1, options=late)) == 5 * HOUR
    assert isinstance(scheduled(RetryLater("503"), 30, 100 * HOUR, options=late), GiveUp)


def test_a_told_wait_wins_over_the_schedule_and_an_unknown_outcome_follows_it() -> None:
    assert waited_s(scheduled(RetryLater("503", after_s=77), 1, 0.0)) == 77
    assert scheduled(OutcomeUnknown("no answer"), 1, 0.0) == Resend(after_s=5)
    assert scheduled(ChatDown("404", action="correct the url"), 2, 5.0) == Wait(after_s=300)


def test_a_chat_that_is_switched_off_is_never_given_up() -> None:
    off = ChatOff("switched off", action="switch it on")
    for made in (scheduled(off, 10**6, 10**9), step(off, 10**6, since_h=10**6, options=RelayOptions(give_up_after_h=1))):
        assert made == Wait(after_s=POLICY.chat_down_cap_s)
