"""Whether a poll can be a native one at a target, and how votes at several places add up."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bridge.model.capabilities import Capabilities, Feature, PollLimits
from bridge.model.events import AttachmentKind, Content, Poll, PollOption
from bridge.render.polls import counted, native_poll
from tests.support.strategies import attachment, capabilities, created, edited, limits

FITS = PollLimits(options_least=2, options_most=3, question_length=10, option_length=5)
LUNCH = Poll(question="Lunch?", options=(PollOption(text="Soup"), PollOption(text="Rice", votes=2)))


def target(poll: PollLimits | None = FITS, *lacking: Feature) -> Capabilities:
    made = capabilities(*lacking)
    return msgspec.structs.replace(made, limits=msgspec.structs.replace(limits(), poll=poll))


def options(*texts: str) -> dict[str, Any]:
    return {"options": tuple(PollOption(text=text) for text in texts)}


def test_a_poll_that_fits_is_one() -> None:
    assert native_poll(created(Content(poll=LUNCH)), target()) == LUNCH
    assert native_poll(created(Content()), target()) is None


@pytest.mark.parametrize(
    "change",
    [
        {"question": "Lunch today?"},
        {"question": " \u200b"},
        options("Soup"),
        options("a", "b", "c", "d"),
        options("Soup", "Potato"),
        options("Soup", "  "),
        {"closed": True},
    ],
)
def test_one_that_does_not_fit_is_text(change: dict[str, Any]) -> None:
    assert native_poll(created(Content(poll=msgspec.structs.replace(LUNCH, **change))), target()) is None


def test_where_there_are_none_and_in_edits_and_beside_files_it_is_text() -> None:
    assert native_poll(created(Content(poll=LUNCH)), target(None)) is None
    assert native_poll(created(Content(poll=LUNCH)), target(FITS, Feature.POLL)) is None
    assert native_poll(edited(Content(poll=LUNCH)), target()) is None
    beside = Content(poll=LUNCH, attachments=(attachment("a.jpg", AttachmentKind.PHOTO),))
    assert native_poll(created(beside), target()) is None


def test_counts_add_up_whatever_is_counted() -> None:
    def votes(*counts: tuple[int, ...]) -> list[int | None]:
        return [option.votes for option in counted(LUNCH, counts, closed=False).options]

    assert votes() == [0, 0]
    assert votes((1, 2), (3, 4)) == [4, 6]
    assert votes((1,), (3, 4, 5, 6), ()) == [4, 4], "of fewer or more options than it has"
    assert votes((-5, 1), (2, 0)) == [2, 1]
    assert counted(LUNCH, (), closed=True).closed
    assert counted(msgspec.structs.replace(LUNCH, closed=True), (), closed=False).closed is False
