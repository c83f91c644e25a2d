"""Which refusals are about a poll: known codes alone, and what else a refused message may mean."""

from __future__ import annotations

import pytest

from adapters.common.http_errors import Effect
from adapters.discord.errors import INVALID_FORM, MISSING_PERMISSIONS, Refusal, Refused, classify
from adapters.discord.outbound.polls import is_about_poll
from bridge.model.errors import ChangeRefused, Rejected


def refused(code: int, fields: tuple[str, ...] = ()) -> Refused:
    refusal = Refusal(status=400, code=code, message="no", fields=fields)
    return Refused(refusal, classify(refusal, effect=Effect.CREATES))


@pytest.mark.parametrize("code", [520000, 520001, 520002, 520003, 520004, 520006, MISSING_PERMISSIONS])
def test_a_known_code_is_about_the_poll(code: int) -> None:
    assert is_about_poll(refused(code))


@pytest.mark.parametrize("code", [0, 520005, 520007, 50006])
def test_a_code_that_is_not_known_refuses_the_message_and_is_told(code: int) -> None:
    """The reason that a dead letter shows names it."""
    assert not is_about_poll(refused(code))
    error = refused(code).error
    assert isinstance(error, Rejected)
    assert not isinstance(error, ChangeRefused)
    assert f"code {code}" in error.reason


def test_a_faulty_form_is_about_the_poll_where_its_fields_are() -> None:
    assert is_about_poll(refused(INVALID_FORM, ("poll.answers.0.poll_media.text",)))
    assert not is_about_poll(refused(INVALID_FORM, ("content",)))
