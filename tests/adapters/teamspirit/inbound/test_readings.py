"""An item of a history as far as it can be read, and where a page of them lies among what was seen."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.inbound.readings import Reading, expected_in, in_order, order_told

LOADED = load_dialect("teamspirit", {"message_fields": {"deleted": "gone"}}).dialect
assert LOADED is not None
FIELDS = LOADED.message_fields


def reading(message_id: str | None, at: str | None = None) -> Reading:
    return Reading.of({"id": message_id, "sent_at": at}, "no author", FIELDS)


def test_what_is_no_message_has_its_id_and_times_as_far_as_it_says() -> None:
    whole = Reading.of({"id": 5, "sent_at": "1970-01-01T00:00:02Z", "gone": "true"}, "no author", FIELDS)
    assert (whole.message_id, whole.changed_ms, whole.is_deleted, whole.message) == ("5", 2000, True, None)
    odd: tuple[Any, ...] = ({}, [], None, "text", {"id": {"a": 1}, "sent_at": ["x"]})
    for item in odd:
        nothing = Reading.of(item, "no author", FIELDS)
        assert (nothing.changed_ms, nothing.is_deleted, nothing.sent_at) == (0, False, None)


def test_a_full_page_tells_about_what_lies_before_its_end_alone() -> None:
    seen = ["a", "b", "c", "d"]
    assert expected_in([reading("x"), reading("c")], seen, 1000) == ["a", "b"]
    assert expected_in([reading("c"), reading(None), reading("x")], seen, 1000) == ["a", "b"]
    assert expected_in([reading("x", "1970-01-01T00:00:02Z")], seen, 1000) == seen
    assert not expected_in([reading("x", "1970-01-01T00:00:01Z"), reading(None)], seen, 1000)


@pytest.mark.parametrize(
    ("seen", "ids", "page", "expected"),
    [
        ("abc", "abcxy", "bcxy", "abcxy"),
        ("abc", "abcx", "bxc", "abxc"),
        ("abc", "abcx", "x", "abcx"),
        ("abc", "acx", "xc", "axc"),
        ("abc", "abc", "cba", "abc"),
        ("", "xy", "xy", "xy"),
    ],
)
def test_what_was_met_late_comes_where_the_page_has_it(seen: str, ids: str, page: str, expected: str) -> None:
    assert in_order(list(seen), ids, list(page)) == list(expected)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ((3, 2, 1), (True, 3)),
        ((3, 3, 1), (True, 2)),
        ((1, 2, 3), (False, 3)),
        ((1, 3, 2), (None, 3)),
        ((2, 2), (None, 1)),
        ((2,), (None, 1)),
        ((), (None, 0)),
    ],
)
def test_times_tell_the_order_of_a_page(seconds: tuple[int, ...], told: tuple[bool | None, int]) -> None:
    page = [reading("x", f"1970-01-01T00:00:0{second}Z") for second in seconds]
    assert order_told([*page, reading("no time")]) == told
