"""What a key looks like, and whether it opens."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from bridge.policy.access_keys import KEY_PREFIX, LINK_PREFIX, hash_of, looks_right, new_key_id, new_secret, opens
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


def test_a_secret_opens_until_its_end() -> None:
    old, new = hash_of("old"), hash_of("new")
    both = [(old, NOW + timedelta(seconds=1)), (new, None)]
    assert opens(both, old, NOW)
    assert opens(both, new, NOW)
    assert not opens(both, old, NOW + timedelta(seconds=1))
    assert opens(both, new, NOW + timedelta(days=999))
    assert not opens(both, hash_of("other"), NOW)
    assert not opens([], old, NOW)


@pytest.mark.parametrize("around", ["https://example.com/in/{}?a=1", "Bearer {}", "key={}", "({})", '"{}",'])
def test_a_key_in_a_text_is_masked(around: str) -> None:
    for secret in (new_secret(), new_secret(LINK_PREFIX)):
        assert secret[8:] not in Masker()(around.format(secret))
