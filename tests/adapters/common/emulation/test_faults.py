"""The fault plan: rules that end after a number of calls, or after a time."""

from __future__ import annotations

import math

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.common.emulation.faults import FaultPlan


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_rule_with_a_time_ends_by_itself() -> None:
    clock = Clock()
    plan = FaultPlan(clock)
    plan.add(Fault(kind=FaultKind.RATE_LIMIT, for_s=20.0))
    plan.add(Fault(kind=FaultKind.DROP, operation="send*"))
    first = plan.decide("sendMessage")
    assert first is not None
    assert first.kind is FaultKind.RATE_LIMIT
    clock.now_s += 19.9
    assert plan.decide("getMe") is not None
    clock.now_s += 0.2
    assert plan.decide("getMe") is None
    after = plan.decide("sendMessage")
    assert after is not None, "the rule behind it is still there"
    assert after.kind is FaultKind.DROP


@pytest.mark.parametrize("for_s", [0.0, -1.0, math.inf, math.nan])
def test_a_time_is_more_than_nothing(for_s: float) -> None:
    with pytest.raises(ValueError, match="for_s must be more than 0"):
        FaultPlan().add(Fault(kind=FaultKind.DROP, for_s=for_s))
