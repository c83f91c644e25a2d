"""What rules left out is counted by rule, for an hour, and in bounds."""

from __future__ import annotations

from bridge.model.outcomes import Loss, LossOf, NamedSkip, Skip
from bridge.observability.left_out import LeftOut, Omission
from tests.support.clock import ManualClock

LINE = NamedSkip(Skip.FILTER, "filter 1: drop text ^DEBUG (line 25)")


def test_it_is_counted_by_route_account_and_rule_for_an_hour() -> None:
    clock, told = ManualClock(), list[Omission]()
    left_out = LeftOut(clock)
    left_out.on_omission = told.append
    left_out.skipped("tg", "lobby", LINE)
    left_out.skipped("tg", "lobby", LINE)
    left_out.skipped("team", "lobby", Skip.MUTED)
    found = left_out.lately()
    assert [(one["account"], one["rule"], one["count"]) for one in found] == [
        ("team", "its author is muted", 1),
        ("tg", "filter 1: drop text ^DEBUG (line 25)", 2),
    ]
    assert all(one["action"] for one in found)
    assert len(told) == 3
    clock.forward(3601)
    assert left_out.lately() == []
    left_out.skipped("tg", "lobby", LINE)
    assert left_out.lately()[0]["count"] == 1


def test_what_goes_on_for_longer_counts_for_the_last_hour_alone() -> None:
    clock = ManualClock()
    left_out = LeftOut(clock)
    for _ in range(1000):
        left_out.skipped("tg", "lobby", LINE)
        clock.forward(60)
    assert 55 <= left_out.lately()[0]["count"] <= 60
    assert all(len(one.slots) <= 13 for one in left_out._counts.values())
    clock.forward(2 * 3600)
    assert left_out.lately() == []
    assert not left_out._counts


def test_files_that_became_lines_count_and_other_losses_do_not() -> None:
    left_out = LeftOut(ManualClock())
    left_out.lost("tg", "lobby", LossOf(Loss.FILE_AS_LINE, "document shown as a line: larger than 1 MB"))
    left_out.lost("tg", "lobby", Loss.UNDERLINE)
    left_out.skipped("tg", "lobby", Skip.SUPERSEDED)
    assert [one["rule"] for one in left_out.lately()] == ["document shown as a line: larger than 1 MB"]


def test_endless_reasons_of_a_platform_cost_nothing() -> None:
    left_out = LeftOut(ManualClock())
    for number in range(1000):
        left_out.skipped("tg", "lobby", NamedSkip(Skip.REACTION_REFUSED, f"{Skip.REACTION_REFUSED}: {number}"))
    assert len(left_out._counts) == 200
    assert [one["rule"][-3:] for one in left_out.lately()[:2]] == ["999", "998"]
    assert len(left_out.lately()) == 50
