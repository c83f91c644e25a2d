"""What is remembered of copies does not grow with them."""

from __future__ import annotations

import pytest

from bridge.delivery.tally_pace import Shown, TallyPace, Turn
from tests.support.clock import ManualClock


def test_copies_that_never_change_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.delivery.tally_pace._MOST", 10)
    pace = TallyPace()
    for number in range(100):
        assert pace.turn(("a/c", None, number, Shown.VOTES), number, 0.0, 10.0) == (Turn.NOW, 0.0)
    assert len(pace._copies) == 10


def test_one_waits_and_the_rest_leave_it_to_that_one() -> None:
    pace, place = TallyPace(), ("a/c", None, 1, Shown.VOTES)
    pace.changed(place, 100.0)
    assert pace.turn(place, 1, 103.0, 10.0) == (Turn.WAIT, 7.0)
    assert pace.turn(place, 2, 104.0, 10.0) == (Turn.SHOWN_LATER, 0.0)
    assert pace.turn(place, 1, 110.0, 10.0) == (Turn.NOW, 0.0)
    pace.changed(place, 110.0)
    assert pace.turn(place, 3, 111.0, 10.0) == (Turn.WAIT, 9.0)
    assert pace.turn(place, 4, 300.0, 10.0) == (Turn.NOW, 0.0), "the one that waited never came"


def test_each_thing_that_is_shown_of_a_copy_has_its_own_pace() -> None:
    clock, pace = ManualClock(), TallyPace()
    place = ("a/c", None, 1)
    pace.changed((*place, Shown.VOTES), clock.monotonic_s())
    clock.forward(4.0)
    assert pace.turn((*place, Shown.REACTIONS), 1, clock.monotonic_s(), 10.0) == (Turn.NOW, 0.0)
    assert pace.turn((*place, Shown.VOTES), 1, clock.monotonic_s(), 10.0) == (Turn.WAIT, 6.0)
    clock.forward(6.0)
    assert pace.turn((*place, Shown.VOTES), 1, clock.monotonic_s(), 10.0) == (Turn.NOW, 0.0)
