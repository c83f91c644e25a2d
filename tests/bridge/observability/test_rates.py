"""Rates of the last minute, from totals."""

from __future__ import annotations

from bridge.model.outcomes import Arrival, Outcome
from bridge.observability.metrics import Metrics
from bridge.observability.rates import EVERY_S, Rates
from tests.support.clock import ManualClock


def test_what_happened_in_the_last_minute_counts() -> None:
    clock, metrics = ManualClock(), Metrics()
    rates = Rates(metrics.totals, clock)
    assert rates.per_minute() == {}
    for _ in range(5):
        metrics.event("tg", Arrival.ACCEPTED)
    metrics.event("tg", Arrival.ECHO)
    metrics.outcome("team", "lobby", Outcome.DELIVERED)
    metrics.outcome("team", "lobby", Outcome.DEFERRED)
    assert rates.per_minute() == {("in", "tg"): 5, ("out", "team"): 1, ("route", "lobby"): 1}
    for _ in range(5):
        clock.forward(EVERY_S)
        rates._sample()
    metrics.event("tg", Arrival.ACCEPTED)
    assert rates.per_minute()["in", "tg"] == 6, "not older than a minute"
    clock.forward(EVERY_S)
    rates._sample()
    clock.forward(EVERY_S)
    rates._sample()
    assert rates.per_minute() == {("in", "tg"): 1}
    for _ in range(20):
        clock.forward(EVERY_S)
        rates._sample()
    assert rates.per_minute() == {}
    assert len(rates._samples) == 7


def test_a_loop_that_was_held_up_counts_what_it_can() -> None:
    clock, metrics = ManualClock(), Metrics()
    rates = Rates(metrics.totals, clock)
    metrics.event("tg", Arrival.ACCEPTED)
    clock.forward(3600)
    assert rates.per_minute() == {("in", "tg"): 1}
