"""The delivery being executed: attempts, unknown outcomes and time spent, across restarts and clocks that step."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from bridge.delivery.state import Attempts, DeliveryState, Faults, MergeGroup, TimeSpent, UnknownOutcome, taken_up
from bridge.journal.contract import DeliveryStatus, Piece
from tests.support.clock import ManualClock
from tests.support.deliveries import NOW, delivery


def test_a_failure_before_the_attempt_began_counts_as_well() -> None:
    attempts = Attempts()
    assert attempts.fail() is False
    assert attempts.number == 1
    attempts.count()
    attempts.begin()
    assert attempts.fail() is True
    assert (attempts.number, attempts.total, attempts.is_underway) == (2, 1, False)


def test_an_unknown_outcome_is_dated_by_the_first_attempt_it_may_be_of() -> None:
    clock = ManualClock()
    unknown = UnknownOutcome()
    first = clock.now()
    unknown.posting(first, clock.monotonic_s())
    unknown.is_open = True
    clock.forward(5.0)
    unknown.posting(clock.now(), clock.monotonic_s())
    assert unknown.since(clock) == first
    unknown.close()
    unknown.posting(clock.now(), clock.monotonic_s())
    assert unknown.since(clock) == clock.now()


def test_time_is_counted_from_the_first_attempt_and_added_to_what_was_spent_before() -> None:
    time = TimeSpent(before_s=10.0)
    assert not time.is_counted
    time.start(100.0)
    time.start(200.0)
    assert time.spent_s(103.0) == 13.0


def test_the_time_in_which_the_bridge_did_not_run_is_not_counted() -> None:
    clock = ManualClock()
    pending = msgspec.structs.replace(
        delivery(1), attempt=3, first_attempt_at=NOW - timedelta(hours=9), recorded_at=NOW - timedelta(hours=8)
    )
    state = taken_up(pending, clock, prerecorded=False)
    assert state.attempts.number == 3
    assert state.time.spent_s(clock.monotonic_s()) == 3600.0


def test_an_attempt_on_disk_that_was_not_made_does_not_count() -> None:
    pending = msgspec.structs.replace(delivery(1), attempt=1, first_attempt_at=NOW, recorded_at=NOW)
    state = taken_up(pending, ManualClock(), prerecorded=True)
    assert state.attempts.number == 0
    assert not state.time.is_counted


def test_the_next_part_starts_afresh_and_losses_are_noted_once() -> None:
    state = DeliveryState(pending=delivery(1), parts=[])
    state.attempts.count()
    state.attempts.begin()
    state.unknown.is_open = True
    state.faults.beside_others = 2
    state.part_over()
    assert (state.attempts.number, state.attempts.is_underway, state.unknown.is_open) == (0, False, False)
    assert all(getattr(state.faults, one.name) == getattr(Faults(), one.name) for one in msgspec.structs.fields(Faults))


def test_a_group_is_dissolved_once() -> None:
    group = MergeGroup(followers=[delivery(2)], pieces=(Piece(event_seq=1, content=b""),))
    state = DeliveryState(pending=delivery(1), parts=[], group=group)
    assert [one.delivery_id for one in state.together] == [1, 2]
    assert [one.delivery_id for one in group.dissolve()] == [2]
    assert group.dissolve() == []
    assert group.pieces == ()


def test_a_delivery_beside_the_line_is_known_by_its_state() -> None:
    behind = msgspec.structs.replace(delivery(1), state=DeliveryStatus.BEHIND)
    assert DeliveryState(pending=behind, parts=[]).is_beside_line
    assert not DeliveryState(pending=delivery(1), parts=[]).is_beside_line


def test_what_may_have_been_tried_is_no_delay_that_has_time() -> None:
    """Lost in a crash, it would leave an attempt without its outcome on disk."""
    clock = ManualClock()
    assert taken_up(delivery(1), clock, prerecorded=False).is_untried
    assert not taken_up(delivery(1), clock, prerecorded=True).is_untried
    stopped = msgspec.structs.replace(delivery(1), state=DeliveryStatus.SENDING)
    assert not taken_up(stopped, clock, prerecorded=False).is_untried
    tried = taken_up(delivery(1), clock, prerecorded=False)
    tried.attempts.count()
    assert not tried.is_untried
