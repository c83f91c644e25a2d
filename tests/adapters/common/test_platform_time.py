"""A platform's clock, whatever this machine's shows: minutes to a year wrong, in both directions, and set while the bridge runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.common.platform_time import DATE_ERROR, Attempts, PlatformTime, steady_s

START = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
MINUTE, DAY, YEAR = 60.0, 86_400.0, 365 * 86_400.0
WRONG = (0.0, 1.0, MINUTE, -MINUTE, 10 * MINUTE, -10 * MINUTE, DAY, -DAY, YEAR, -YEAR)


class Machine:
    """A host with a wrong clock, and a platform with the right one."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.steady_s = 1000.0
        self.ahead_s = ahead_s
        self.time = PlatformTime(local_s=self.local_s, steady_s=lambda: self.steady_s)
        self.attempts = Attempts(self.time)

    def right(self) -> datetime:
        return START + timedelta(seconds=self.steady_s - 1000.0)

    def local_s(self) -> float:
        return self.right().timestamp() + self.ahead_s

    def local(self) -> datetime:
        return datetime.fromtimestamp(self.local_s(), UTC)

    def answer(self, **headers: str) -> None:
        self.time.learn({"Date": format_datetime(self.right().replace(microsecond=0), usegmt=True), **headers})

    def passes(self, seconds: float) -> None:
        self.steady_s += seconds


@pytest.mark.parametrize("ahead_s", WRONG)
def test_now_is_the_platforms(ahead_s: float) -> None:
    machine = Machine(ahead_s)
    assert not machine.time.is_known
    assert machine.time.local_ahead_s == 0.0
    machine.answer()
    assert machine.time.is_known
    machine.passes(3 * DAY)
    assert abs(machine.time.now() - machine.right()) <= DATE_ERROR
    assert abs(machine.time.local_ahead_s - ahead_s) <= DATE_ERROR.total_seconds()


@pytest.mark.parametrize("ahead_s", [*WRONG, 0.3, -0.3])
@pytest.mark.parametrize("cut_s", [0.0, 0.4, 0.99])
def test_where_reading_begins_is_never_too_late(ahead_s: float, cut_s: float) -> None:
    machine = Machine(ahead_s)
    machine.passes(cut_s)
    machine.answer()
    machine.passes(5.0)
    # a clock that differs by less than a `Date` can tell is believed
    late = timedelta(seconds=ahead_s if 0 < ahead_s < 1.5 else 0)
    assert machine.right() - DATE_ERROR <= machine.time.earliest_now() <= machine.right() + late
    if ahead_s == 0:
        assert machine.time.earliest_now() == machine.right()


@pytest.mark.parametrize("ahead_s", WRONG)
@pytest.mark.parametrize("step_s", WRONG)
def test_an_attempt_is_dated_exactly_although_the_clock_is_set(ahead_s: float, step_s: float) -> None:
    machine = Machine(ahead_s)
    machine.answer()
    machine.passes(10.4)
    tried, sent_after = machine.right(), machine.local()
    machine.attempts.begin("token")
    machine.ahead_s += step_s
    machine.passes(90.0)
    machine.attempts.begin("token")
    machine.answer()
    since = machine.attempts.since("token", sent_after, margin=timedelta(days=1))
    assert since is not None
    assert tried - 2 * DATE_ERROR <= since <= tried


@pytest.mark.parametrize("ahead_s", WRONG)
def test_a_reading_of_an_earlier_process_of_the_same_clock(ahead_s: float) -> None:
    machine = Machine(ahead_s)
    machine.answer()
    tried, sent_after = machine.right() - timedelta(hours=2), machine.local() - timedelta(hours=2)
    since = machine.attempts.since("token", sent_after, margin=timedelta(minutes=1))
    assert since is not None
    assert tried - timedelta(minutes=1) - DATE_ERROR <= since <= tried


@given(st.lists(st.tuples(st.floats(-YEAR, YEAR), st.floats(0.5, DAY)), max_size=6), st.floats(0.0, DAY))
def test_a_reading_of_this_process_never_gives_too_late_a_moment(steps: list[tuple[float, float]], last_s: float) -> None:
    machine = Machine()
    machine.answer()
    moments = [(machine.right(), machine.local())]
    for ahead_s, after_s in steps:
        machine.passes(after_s)
        machine.ahead_s = ahead_s
        machine.answer()
        moments.append((machine.right(), machine.local()))
    machine.passes(last_s)
    for right, local in moments:
        found = machine.time.of_local(local)
        assert found is None or found <= right + DATE_ERROR


def test_a_reading_that_lies_ahead_means_nothing() -> None:
    machine = Machine()
    machine.answer()
    assert machine.time.of_local(machine.local() + timedelta(days=300)) is None
    assert machine.attempts.since("other", machine.local() + timedelta(days=300), margin=timedelta(0)) is None


def test_one_odd_answer_decides_nothing() -> None:
    machine = Machine(MINUTE)
    for _ in range(3):
        machine.answer()
    machine.time.learn({"Date": "Thu, 01 Jan 1970 00:00:00 GMT"})
    machine.time.learn({"Date": "Thu, 01 Jan 2099 00:00:00 GMT"})
    assert abs(machine.time.now() - machine.right()) <= DATE_ERROR


def test_the_platforms_own_clock_may_be_set() -> None:
    machine = Machine()
    for _ in range(20):
        machine.answer()
    for _ in range(9):
        machine.time.learn_moment(machine.right() + timedelta(minutes=3))
    assert abs(machine.time.now() - machine.right() - timedelta(minutes=3)) <= DATE_ERROR


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Date": ""},
        {"Date": "soon"},
        {"Date": "Thu, 99 Foo 2026 99:99:99 GMT"},
        {"Date": "Thu, 26 Nov 99999 12:00:00 GMT"},
        {"Date": "Thu, 26 Nov 2020 12:00:00 GMT", "Age": "17"},
    ],
)
def test_headers_that_tell_nothing(headers: dict[str, str]) -> None:
    machine = Machine()
    machine.time.learn(headers)
    assert not machine.time.is_known


def test_a_date_without_a_zone_is_utc() -> None:
    machine = Machine(DAY)
    machine.time.learn({"Date": "Thu, 26 Nov 2026 12:00:00 -0000"})
    assert abs(machine.time.now() - machine.right()) <= DATE_ERROR


def test_what_is_remembered_is_bounded() -> None:
    machine = Machine()
    for number in range(5001):
        machine.attempts.begin(f"token-{number}")
    assert machine.attempts.begun("token-0") is None
    assert machine.attempts.begun("token-5000") is not None
    for number in range(100):
        machine.ahead_s = number * MINUTE
        machine.answer()
    assert machine.time.of_local(machine.local()) is not None


def test_the_steady_clock_goes_on() -> None:
    assert steady_s() <= steady_s()
