"""Rates: never more in any window than declared, never a long standstill, and what 429s and restarts leave behind."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bridge.model.capabilities import UNLIMITED, Operation, Rates, Window
from bridge.model.errors import RetryLater
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.rate_limit import RateLimiter, SlidingWindow
from bridge.policy.routing import Pace, Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, bridge, end, with_options

GROUP = Window(messages=20, span_s=60.0, burst=5)
SHORT = Window(messages=3, span_s=3.0)
CHAT = ChatAddress(AccountName("tg"), "-1001")
OTHER = ChatAddress(AccountName("tg"), "-1002")

windows = st.builds(
    lambda messages, span_s, burst: Window(messages=messages, span_s=span_s, burst=burst),
    st.integers(1, 30),
    st.floats(0.5, 120),
    st.none() | st.integers(1, 30),
)


def overload(meter: SlidingWindow, count: int, *, latency_s: float = 0.0) -> list[float]:
    """When the messages of an endless backlog are sent."""
    now_s, sent = 100.0, []
    for _ in range(count):
        now_s += meter.wait_s(now_s)
        assert meter.wait_s(now_s) <= 1e-6
        meter.take(now_s)
        sent.append(now_s)
        now_s += latency_s
        meter.mark_accepted(now_s)
    return sent


def most_within(sent: list[float], span_s: float) -> int:
    return max(sum(1 for at_s in sent if start_s <= at_s < start_s + span_s) for start_s in sent)


@given(st.lists(windows, min_size=1, max_size=3), st.lists(st.floats(0, 50), max_size=80), st.integers(1, 4))
def test_no_window_ever_holds_more_than_declared(declared: list[Window], pauses: list[float], size: int) -> None:
    meter = SlidingWindow(tuple(declared))
    now_s, sent = 0.0, []
    for pause_s in pauses:
        now_s += pause_s
        messages = min(size, *(window.messages for window in declared))
        now_s += meter.wait_s(now_s, messages) + 1e-6
        meter.take(now_s, messages)
        sent += [now_s] * messages
    for window in declared:
        assert not sent or most_within(sent, window.span_s) <= window.messages


def test_a_backlog_flows_without_standing_still() -> None:
    sent = overload(SlidingWindow((GROUP, SHORT)), 200)
    gaps = [later - earlier for earlier, later in itertools.pairwise(sent)]
    assert max(gaps) < 4.5
    assert most_within(sent, 60) <= 20
    assert 200 / (sent[-1] - sent[0]) * 60 > 18, "the rate is used"


def test_a_slow_platform_counts_at_the_end_of_a_request_at_the_latest() -> None:
    meter = SlidingWindow((SHORT,))
    sent = overload(meter, 4, latency_s=1.0)
    assert sent[3] - (sent[0] + 1.0) >= 3.0


def test_a_quiet_chat_never_waits() -> None:
    meter = SlidingWindow((GROUP, SHORT))
    for second in range(0, 1000, 4):
        assert meter.wait_s(float(second)) == 0.0
        meter.take(float(second))


def test_the_account_is_shared_and_chats_are_not() -> None:
    budgets, rates = RateLimiter(), Rates(per_chat=(SHORT,), per_account=(Window(messages=4, span_s=1.0),))
    for _ in range(3):
        assert budgets.wait_s(CHAT, rates, 10.0) == 0.0
        budgets.take(CHAT, rates, 10.0)
    assert budgets.wait_s(CHAT, rates, 10.0) > 2.9
    assert budgets.wait_s(OTHER, rates, 10.0) == 0.0
    budgets.take(OTHER, rates, 10.0)
    assert 0.9 < budgets.wait_s(OTHER, rates, 10.0) < 1.1, "the account's window is full"


def test_files_may_count() -> None:
    budgets, rates = RateLimiter(), Rates(per_chat=(SHORT,))
    budgets.take(CHAT, rates, 0.0, 2)
    assert budgets.wait_s(CHAT, rates, 0.0, 1) == 0.0
    assert budgets.wait_s(CHAT, rates, 0.0, 2) > 2.9
    assert RateLimiter().wait_s(CHAT, rates, 0.0, 10) == 0.0, "more than a whole window goes into an empty one"


def test_a_refusal_leaves_the_window_full() -> None:
    budgets, rates = RateLimiter(), Rates(per_chat=(GROUP,))
    budgets.refused(CHAT, rates, 100.0, account=False)
    waits = [budgets.wait_s(CHAT, rates, 100.0), budgets.wait_s(OTHER, rates, 100.0)]
    assert 3.0 < waits[0] < 5.0
    assert waits[1] == 0.0


def test_what_was_sent_before_a_restart_still_counts() -> None:
    rates = Rates(per_chat=(GROUP,))
    before = RateLimiter()
    for number in range(20):
        before.take(CHAT, rates, 100.0 + number)
    until_s = before.busy_until_s(CHAT)
    assert until_s > 119 + 60
    after = RateLimiter()
    after.restore(CHAT, until_s)
    assert after.wait_s(CHAT, rates, 120.0) > 2.0
    sent = []
    now_s = 120.0
    for _ in range(30):
        now_s += after.wait_s(CHAT, rates, now_s)
        after.take(CHAT, rates, now_s)
        sent.append(now_s)
    assert most_within([100.0 + number for number in range(15, 20)] + sent, 60) <= 20
    late = RateLimiter()
    late.restore(CHAT, until_s)
    assert late.wait_s(CHAT, rates, 300.0) == 0.0


def test_new_windows_know_what_was_sent() -> None:
    budgets = RateLimiter()
    budgets.take(CHAT, Rates(per_chat=(SHORT,)), 10.0, 2)
    assert budgets.wait_s(CHAT, Rates(per_chat=(Window(messages=2, span_s=5.0),)), 10.0) > 4.9


def test_memory_is_bounded() -> None:
    budgets, rates = RateLimiter(), Rates(per_chat=(SHORT,))
    for number in range(5000):
        budgets.take(ChatAddress(AccountName("tg"), str(number)), rates, number * 10.0)
    assert len(budgets._chats) <= 1025


EDITS = Rates(per_account=(Window(messages=2, span_s=0.8),))
OTHER_CHAT = Route(name="other", ends=(end("one/d"), end("two/d")))


def edited_at(platform: ScriptedPlatform) -> list[tuple[Operation, float]]:
    told: list[tuple[Operation, float]] = []
    platform.before_change = lambda operation, _: told.append((operation, time.monotonic()))
    return told


def test_an_operation_that_is_not_listed_is_not_held_back() -> None:
    rates = Rates(per_chat=(SHORT,), changes={Operation.EDIT: EDITS})
    assert rates.of(Operation.SEND) is rates
    assert rates.of(Operation.EDIT) is EDITS
    assert rates.of(Operation.DELETE) is UNLIMITED


async def test_a_refused_edit_holds_back_edits_of_the_whole_account(tmp_path: Path) -> None:
    """A rate of the whole account holds in its other chats too."""
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two", rates=Rates(changes={Operation.EDIT: EDITS}))
    told = edited_at(two)
    routes = [Route(name="all", ends=(end("one/c"), end("two/c"))), OTHER_CHAT]
    async with bridge(tmp_path, [one, two], routes):
        here, there = one.say("here"), one.say("there", chat="d")
        await eventually(lambda: two.texts() and two.texts("d"))
        two.faults.append((RetryLater("slow down", after_s=0.01, rate_limited=True), False))
        one.edit(here, "here, corrected")
        await eventually(lambda: told)
        one.edit(there, "there, corrected", chat="d")
        await eventually(lambda: two.texts("d") == ["there, corrected"] and two.texts() == ["here, corrected"])
    assert [operation for operation, _ in told] == [Operation.EDIT] * 3
    assert all(at_s - told[0][1] > 0.3 for _, at_s in told[1:])


async def test_messages_do_not_wait_with_refused_edits(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two", rates=Rates(changes={Operation.EDIT: EDITS}))
    async with bridge(tmp_path, [one, two], [Route(name="all", ends=(end("one/c"), end("two/c"))), OTHER_CHAT]):
        here = one.say("here")
        await eventually(two.texts)
        two.faults.append((RetryLater("slow down", after_s=3600.0, rate_limited=True), False))
        one.edit(here, "here, corrected")
        await eventually(lambda: not two.faults)
        one.say("said", chat="d")
        await eventually(lambda: two.texts("d") == ["said"])
    assert two.texts() == ["here"]


async def test_in_a_hurry_changes_are_not_held_back(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two", rates=Rates(changes={Operation.EDIT: EDITS}))
    told = edited_at(two)
    route = with_options(Route(name="all", ends=(end("one/c"), end("two/c"))), pace=Pace.FAST)
    async with bridge(tmp_path, [one, two], [route]):
        said = one.say("0")
        for number in range(1, 6):
            one.edit(said, f"{number}")
        await eventually(lambda: two.texts() == ["5"])
    assert told[-1][1] - told[0][1] < 0.8
