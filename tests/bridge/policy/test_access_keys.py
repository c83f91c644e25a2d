"""What a key looks like, and whether it opens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from bridge.policy.access_keys import KEY_PREFIX, LINK_PREFIX, Terms, hash_of, looks_right, new_key_id, new_secret, opens
from bridge.policy.redact import Masker

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_keys_are_recognised_and_never_the_same() -> None:
    made = {new_secret() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"mbk_[0-9A-Za-z]{38}", key) and looks_right(key) for key in made)
    assert looks_right(new_secret(LINK_PREFIX), LINK_PREFIX)
    assert not looks_right(new_secret(LINK_PREFIX), KEY_PREFIX)
    assert len({new_key_id() for _ in range(200)}) == 200


def test_one_wrong_letter_anywhere_is_seen() -> None:
    key = new_secret()
    for place in range(len(KEY_PREFIX), len(key)):
        other = "b" if key[place] == "a" else "a"
        assert not looks_right(key[:place] + other + key[place + 1 :])


@pytest.mark.parametrize("odd", ["", "mbk_", "mbk_" + "a" * 38, "mbk_" + "ü" * 38, "mbk_" + "a" * 100_000, "\udcff" * 42, "x" * 42])
def test_what_is_no_key_does_not_look_like_one(odd: str) -> None:
    assert not looks_right(odd)


def test_a_valid_secret_opens_and_no_other() -> None:
    old, new = hash_of("old"), hash_of("new")
    both = [(old, False), (new, True)]
    assert not opens(both, old)
    assert opens(both, new)
    assert not opens(both, hash_of("other"))
    assert not opens([], old)


class Moment:
    """A wall clock beside a steady one."""

    def __init__(self) -> None:
        self.terms = Terms()
        self.now, self.steady_s = NOW, 5000.0

    def passes(self, days: float) -> None:
        self.now += timedelta(days=days)
        self.steady_s += days * 86400

    def holds(self, valid_until: datetime | None, *, is_old: bool = True, name: str = "old") -> bool:
        return self.terms.holds(hash_of(name), valid_until, is_old=is_old, now=self.now, steady_s=self.steady_s)


def test_a_secret_holds_until_its_end() -> None:
    moment, end = Moment(), NOW + timedelta(days=2)
    assert moment.holds(None)
    assert moment.holds(end)
    moment.passes(1.999)
    assert moment.holds(end)
    moment.passes(0.001)
    assert not moment.holds(end)
    assert not moment.holds(end, name="first seen when it is over")


@pytest.mark.parametrize("hours", [-365 * 24, -5, 5, 365 * 24])
def test_a_clock_that_is_set_neither_ends_nor_prolongs_an_overlap(hours: float) -> None:
    moment, end = Moment(), NOW + timedelta(days=2)
    assert moment.holds(end)
    moment.now += timedelta(hours=hours)
    assert moment.holds(end)
    moment.passes(1.9)
    assert moment.holds(end)
    moment.passes(0.2)
    assert not moment.holds(end)


def test_an_overlap_that_a_wrong_clock_wrote_is_no_longer_than_overlaps_are() -> None:
    """The key was rotated while the clock was a year ahead. What ends by its own, as it was made, may last."""
    moment, end = Moment(), NOW + timedelta(days=367)
    assert moment.holds(end)
    assert moment.holds(end, is_old=False, name="made for a year")
    moment.passes(7.1)
    assert not moment.holds(end)
    assert moment.holds(end, is_old=False, name="made for a year")


def test_another_end_counts_anew() -> None:
    moment = Moment()
    assert moment.holds(NOW + timedelta(days=2))
    assert not moment.holds(NOW), "rotated once more, without an overlap"


@pytest.mark.parametrize("around", ["https://example.com/in/{}?a=1", "Bearer {}", "key={}", "({})", '"{}",'])
def test_a_key_in_a_text_is_masked(around: str) -> None:
    for secret in (new_secret(), new_secret(LINK_PREFIX)):
        assert secret[8:] not in Masker()(around.format(secret))
