"""What lasts is written down when it begins, when it changes, and ever more rarely."""

from __future__ import annotations

from bridge.policy.repeats import Repeats


def test_the_same_reason_is_said_ever_more_rarely() -> None:
    repeats = Repeats()
    said = [repeats.again(f"retry after {number / 7} s") for number in range(1, 1001)]
    assert [count for count in said if count] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


def test_another_reason_and_another_time_are_new() -> None:
    repeats = Repeats()
    assert [repeats.again("busy"), repeats.again("busy"), repeats.again("busy"), repeats.again("kicked")] == [1, 2, 0, 1]
    assert [repeats.again("busy"), repeats.again("busy"), repeats.again("busy")] == [1, 2, 0]
    repeats.over()
    assert repeats.again("busy") == 1
