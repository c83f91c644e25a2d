"""The last hour is kept as differences, and no more than that."""

from __future__ import annotations

from bridge.observability.history import _MOST_ROUTES, _POINTS, History
from tests.support.clock import ManualClock


def test_points_tell_what_happened_in_between() -> None:
    clock = ManualClock()
    totals: dict[tuple[str, str], int] = {("in", "tg"): 5, ("out", "team"): 4, ("route", "lobby"): 4}
    lags = [4, 2.0]
    history = History(lambda: totals, lambda: (int(lags[0]), lags[1]), clock)
    clock.forward(10)
    totals |= {("in", "tg"): 8, ("out", "team"): 6, ("out", "guild"): 1, ("route", "lobby"): 6, ("route", "idle"): 0}
    lags[:] = [7, 8.0]
    history.sample()
    clock.forward(10)
    history.sample()
    first, second = history.points
    assert (first.length_s, first.came, first.delivered, first.lag_s) == (10, 3, 3, 2.0)
    assert first.routes == {"lobby": 2}
    assert (second.came, second.delivered, second.lag_s, second.routes) == (0, 0, None, {})


def test_it_is_bounded() -> None:
    clock = ManualClock()
    totals: dict[tuple[str, str], int] = {}
    history = History(lambda: totals, lambda: (0, 0.0), clock)
    for round_ in range(_POINTS + 50):
        totals |= {("route", f"r{number}"): (round_ + 1) * (number + 1) for number in range(_MOST_ROUTES + 5)}
        clock.forward(10)
        history.sample()
    assert len(history.points) == _POINTS
    newest = history.points[-1].routes
    assert len(newest) == _MOST_ROUTES
    assert newest[f"r{_MOST_ROUTES + 4}"] == _MOST_ROUTES + 5, "the busiest are kept"
    assert "r0" not in newest
