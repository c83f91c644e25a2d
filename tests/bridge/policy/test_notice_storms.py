"""Statuses that change without end: the others hear of some."""

from __future__ import annotations

from bridge.policy import notice_storms
from bridge.policy.notice_storms import MOST, WITHIN_S, NoticeStorms


def test_a_chat_is_told_so_many_of_one_person_and_later_more() -> None:
    storms = NoticeStorms()
    assert [storms.admits("room", "eve", number, number) for number in range(100)].count(True) == MOST
    assert storms.admits("room", "anna", 200, 1.0), "another person"
    assert storms.admits("other", "eve", 201, 1.0), "another chat"
    assert not storms.admits("room", "eve", 202, WITHIN_S - 0.1)
    assert storms.admits("room", "eve", 203, WITHIN_S)
    assert not storms.admits("room", "eve", 204, WITHIN_S), "one of them was long ago, and no other"


def test_another_attempt_is_no_other_status() -> None:
    storms = NoticeStorms()
    for number in range(MOST):
        assert storms.admits("room", "eve", number, 0.0)
    assert all(storms.admits("room", "eve", MOST - 1, float(second)) for second in range(50))
    assert not storms.admits("room", "eve", MOST, 50.0)


def test_many_people_cost_a_bounded_memory() -> None:
    storms = NoticeStorms()
    for number in range(notice_storms._REMEMBERED + 500):
        assert storms.admits("room", f"person {number}", number, 0.0)
    assert len(storms._told) == notice_storms._REMEMBERED
