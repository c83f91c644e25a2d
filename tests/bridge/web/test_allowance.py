"""How often a caller may ask."""

from __future__ import annotations

import pytest

from bridge.web.allowance import Allowances


def test_a_minutes_worth_at_once_and_then_evenly() -> None:
    allowances = Allowances()
    assert [allowances.take("a", 60, 0.0) for _ in range(60)] == [0.0] * 60
    assert allowances.take("a", 60, 0.0) == pytest.approx(1.0)
    assert allowances.take("a", 60, 0.5) == pytest.approx(0.5), "a refused call costs nothing"
    assert allowances.take("a", 60, 1.0) == 0.0
    assert allowances.take("a", 60, 1.0) > 0
    assert allowances.take("b", 60, 1.0) == 0.0, "another caller has its own"


def test_silence_saves_up_no_more_than_a_minutes_worth() -> None:
    allowances = Allowances()
    allowances.take("a", 2, 0.0)
    assert [allowances.take("a", 2, 10_000.0) == 0.0 for _ in range(3)] == [True, True, False]


def test_a_clock_that_goes_back_gives_nothing() -> None:
    allowances = Allowances()
    allowances.take("a", 1, 100.0)
    assert allowances.take("a", 1, 50.0) == pytest.approx(60.0)


def test_callers_beyond_the_bound_push_out_the_one_that_is_longest_silent() -> None:
    allowances = Allowances(most_buckets=2)
    for caller in ("a", "b", "a", "c"):
        allowances.take(caller, 2, 0.0)
    assert allowances.take("a", 2, 0.0) > 0, "it spoke later than b"
    assert len(allowances._buckets) == 2
