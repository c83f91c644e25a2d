"""A route's page: its ends, its latest deliveries with their outcomes, in pages."""

from __future__ import annotations

import pytest

from bridge.journal.contract import Skipped
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatRef, MessageRef
from bridge.observability.history import Point
from tests.bridge.journal.journal_makers import A, accept, at, created, deliver, edited, kill
from tests.support.dashboard import Board, Visitor


async def test_deliveries_are_shown_with_their_outcomes_and_without_words(anna: Visitor) -> None:
    journal = anna.board.journal
    first = await accept(journal, created("11", text="what a person wrote"), A, when=1)
    await deliver(journal, first, (A, "70"))
    skipped = await accept(journal, created("12"), A)
    skip = Skipped(delivery_id=skipped.delivery_ids[0], rule=Skip.DROPPED_BY_ADMIN, at=at(3))
    await journal.record(journal.lease(A.account), [skip])
    dead = await accept(journal, created("13"), A)
    await kill(journal, dead.delivery_ids[0], "chat <not> found")
    await accept(journal, edited("11"), A)
    shown = await anna.get("route?name=r1")
    assert "There is no such route in bridge.yaml any more" in shown.words
    for words in (
        "origin/C1#11",
        "by Anna",
        "after 1.0 s",
        "skipped",
        "dropped by an admin",
        "chat <not> found",
        "edit",
        "waiting",
    ):
        assert words in shown.words, words
    assert "what a person wrote" not in shown.words
    assert f'href="message?what={dead.delivery_ids[0]}"' in shown.html


async def test_a_route_without_deliveries_shows_its_ends_and_rates(anna: Visitor) -> None:
    anna.board.points = [Point(length_s=10, came=5, delivered=4, lag_s=1.0, routes={"engineering": 4})]
    shown = await anna.get("route?name=engineering")
    assert "spirit/engineering" in shown.words
    assert "24 at most" in shown.words
    assert (await anna.get("route?name=nothing")).status == 404
    assert (await anna.get("route")).status == 404


async def test_pages_go_on(anna: Visitor) -> None:
    ids = [(await accept(anna.board.journal, created(f"{number}"), A)).delivery_ids[0] for number in range(60)]
    first = await anna.get("route?name=r1")
    assert f"what={ids[59]}" in first.html
    assert f"what={ids[9]}" not in first.html
    assert f"before={ids[10]}" in first.html
    second = await anna.get(f"route?name=r1&before={ids[10]}")
    assert f"what={ids[9]}" in second.html
    assert "Earlier ones" not in second.words
    assert "data-live" not in second.html, "a page of the past does not change under its reader"


async def test_authors_are_for_who_is_signed_in(make: object, tmp_path: object) -> None:
    board: Board = await make(dashboard={})  # type: ignore[operator]
    await accept(board.journal, created("1"), A)
    async with board.visitor() as visitor:
        shown = await visitor.get("route?name=r1")
        assert "origin/C1#1" in shown.words
        assert "Anna" not in shown.words
        assert "Anna" not in (await visitor.get("message?what=1")).words


PAGES = ("route?name=r1", "message?what=1")
SAID = {MessageRef(ChatRef(AccountName("origin"), "C1"), "1"): "<b>what Anna said</b>"}


@pytest.mark.parametrize("page", PAGES)
async def test_words_that_may_be_shown_are_shown_as_they_are(anna: Visitor, page: str) -> None:
    anna.board.words |= SAID
    await accept(anna.board.journal, created("1"), A)
    assert "&lt;b&gt;what Anna said&lt;/b&gt;" in (await anna.get(page)).html


@pytest.mark.parametrize("page", PAGES)
async def test_words_are_for_who_is_signed_in(make: object, page: str) -> None:
    board: Board = await make(dashboard={})  # type: ignore[operator]
    board.words |= SAID
    await accept(board.journal, created("1"), A)
    async with board.visitor() as visitor:
        shown = await visitor.get(page)
        assert "origin/C1#1" in shown.words
        assert "what Anna said" not in shown.html
