"""What is old by a clock that may be wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bridge.policy.retention import TrustedNow
from tests.support.strategies import NOON

START = NOON.replace(year=2027)
DAY_S = 86400.0


@given(st.lists(st.tuples(st.floats(0, DAY_S), st.timedeltas(timedelta(days=-400), timedelta(days=400))), max_size=20))
def test_the_moment_never_outruns_the_time_that_passed(steps: list[tuple[float, timedelta]]) -> None:
    """Whatever the wall clock says in between."""
    trusted, passed_s, before = TrustedNow(START, START, 0.0), 0.0, START
    for step_s, off in steps:
        passed_s += step_s
        moment = trusted.moment(START + timedelta(seconds=passed_s) + off, passed_s)
        assert before <= moment <= START + timedelta(seconds=2 * passed_s + 1e-3)
        before = moment


def test_with_a_right_clock_it_is_now() -> None:
    trusted = TrustedNow(START, START, 0.0)
    assert trusted.moment(START + timedelta(hours=1), 3600.0) == START + timedelta(hours=1)


def test_it_catches_up_after_a_time_without_the_bridge() -> None:
    trusted = TrustedNow(START, START + timedelta(days=2), 0.0)
    assert trusted.moment(START + timedelta(days=3), DAY_S) == START + timedelta(days=2)
    assert trusted.moment(START + timedelta(days=4), 2 * DAY_S) == START + timedelta(days=4)


def test_a_clock_that_begins_in_1970_is_not_believed() -> None:
    trusted = TrustedNow(None, datetime(1970, 1, 1, tzinfo=UTC), 0.0)
    assert trusted.moment(START, 60.0) == START
