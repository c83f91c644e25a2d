"""Our own messages coming back, and the tokens that show it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.events import Content, MessageCreated, TypingStarted
from bridge.policy.echo import TOKEN_LENGTH, Token, Tokens, is_own, journal_id_from, mark_from, parse_token, token_for
from tests.support.strategies import meta

OURS, THEIRS = "abc123", "zzz999"
journal_ids = st.binary(min_size=8, max_size=32).map(journal_id_from)


marks = st.just("") | st.binary(min_size=8, max_size=32).map(mark_from)


@given(st.integers(0, 36**8 - 1), st.integers(0, 36**3 - 1), journal_ids, marks)
def test_a_token_says_what_it_was_made_of_and_every_platform_can_carry_it(
    delivery_id: int, part: int, journal_id: str, mark: str
) -> None:
    token = token_for(delivery_id, part, journal_id, mark)
    assert parse_token(token) == Token(journal_id=journal_id, delivery_id=delivery_id, part=part, mark=mark)
    assert len(token) <= TOKEN_LENGTH
    assert re.fullmatch(r"[0-9A-Za-z-]+", token)


@given(st.text(max_size=30))
def test_only_real_tokens_are_understood(text: str) -> None:
    found = parse_token(text)
    assert found is None or token_for(found.delivery_id, found.part, found.journal_id, found.mark) == text


@pytest.mark.parametrize(
    "text", ["", "mbabc123-1", "mbabc123-01-0", "MBABC123-1-0", "mbabc123-1-0\n", "xmbabc123-1-0", "mbabc12-1-0", "mbabc123x-1-0"]
)
def test_look_alikes_are_no_tokens(text: str) -> None:
    assert parse_token(text) is None


@pytest.mark.parametrize(
    ("delivery_id", "part", "journal_id", "mark"),
    [(-1, 0, OURS, ""), (36**8, 0, OURS, ""), (1, 36**3, OURS, ""), (1, 0, "x", ""), (1, 0, OURS, "abc"), (1, 0, OURS, "ab.c")],
)
def test_what_no_token_can_say(delivery_id: int, part: int, journal_id: str, mark: str) -> None:
    with pytest.raises(ValueError, match=r"journal|token"):
        token_for(delivery_id, part, journal_id, mark)


def test_a_delivery_has_the_mark_of_the_run_that_accepted_it() -> None:
    tokens = Tokens(OURS, [(9, "cccc"), (5, "bbbb")])
    assert [tokens.of(number) for number in (1, 4, 5, 8, 9, 36**8 - 1)] == [
        *("mbabc123-1-0", "mbabc123-4-0", "mbabc123bbbb-5-0", "mbabc123bbbb-8-0", "mbabc123cccc-9-0", "mbabc123cccc-zzzzzzzz-0")
    ]
    assert all(is_own(message(delivery_id=tokens.of(number)), OURS) for number in (1, 5, 9))
    assert not is_own(message(delivery_id=tokens.of(9)), THEIRS)


def test_a_journals_id_needs_enough_randomness() -> None:
    with pytest.raises(ValueError, match="random"):
        journal_id_from(b"1234567")
    with pytest.raises(ValueError, match="random"):
        mark_from(b"1234567")
    assert len(journal_id_from(bytes(16))) == 6
    assert journal_id_from(b"a" * 16) != journal_id_from(b"b" * 16)


def message(*, sent_by_us: bool = False, delivery_id: str = "") -> MessageCreated:
    return MessageCreated(meta=meta(sent_by_us=sent_by_us, delivery_id=delivery_id), message_id="1", content=Content())


def test_what_the_platform_calls_ours_is_ours() -> None:
    assert is_own(message(sent_by_us=True), OURS)
    assert is_own(TypingStarted(meta=meta(sent_by_us=True)))
    assert not is_own(message(), OURS)


def test_our_token_makes_a_message_ours_and_another_bridges_does_not() -> None:
    assert is_own(message(delivery_id=token_for(5, 0, OURS)), OURS)
    assert not is_own(message(delivery_id=token_for(5, 0, THEIRS)), OURS)
    assert is_own(message(delivery_id=token_for(5, 0, THEIRS)))
    assert not is_own(message(delivery_id="somebody's nonce"), OURS)
