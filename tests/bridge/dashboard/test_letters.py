"""Dead letters: listed, one in full with what its attempts were answered, retried and dropped by who may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.journal.contract import Answered, Audited, DeliveryStatus
from bridge.model.errors import Answer
from tests.bridge.journal.journal_makers import A, B, accept, at, created, kill
from tests.support.dashboard import Board, Visitor


async def dead(board: Board, count: int = 1, *, held: bool = False) -> list[int]:
    ids = []
    for number in range(count):
        accepted = await accept(board.journal, created(f"m{number}{held}", text="what a person wrote"), A)
        await kill(board.journal, accepted.delivery_ids[0], f"refused <{number}>", held=held)
        ids.append(accepted.delivery_ids[0])
    return ids


async def states(board: Board, ids: list[int]) -> list[DeliveryStatus]:
    found = [await board.journal.trace_delivery(number) for number in ids]
    return [one.event.deliveries[0].state for one in found if one is not None]


async def test_they_are_listed_in_pages_and_by_route(anna: Visitor) -> None:
    ids = await dead(anna.board, 60)
    first = await anna.get("dead")
    assert f"Choose {ids[49]}" in first.html
    assert f"Choose {ids[50]}" not in first.html
    assert "refused <0>" in first.words
    assert "what a person wrote" not in first.words
    second = await anna.get(f"dead?after={ids[49]}")
    assert f"Choose {ids[50]}" in second.html
    assert "Later ones" not in second.words
    assert f"Choose {ids[0]}" in (await anna.get("dead?route=r1")).html
    assert "None here" in (await anna.get("dead?route=other")).words


async def test_one_is_shown_with_its_attempts_and_without_words(anna: Visitor) -> None:
    (number,) = await dead(anna.board, 1, held=True)
    answer = Answer(status=502, took_s=0.25, body="Bad <Gateway>")
    await anna.board.journal.record(anna.board.journal.lease(A.account), [Answered(delivery_id=number, answer=answer, at=at(7))])
    shown = await anna.get(f"letter?id={number}")
    for words in ("HTTP 502", "0.25", "Bad <Gateway>", "refused <0>", "Anna", "target/A", "held", "message created"):
        assert words in shown.words
    assert "what a person wrote" not in shown.words
    assert (await anna.get("letter?id=999")).status == 404
    assert (await anna.get("letter?id=x")).status == 404


async def test_who_is_not_signed_in_sees_neither_answers_nor_the_audit(make: Callable[..., Awaitable[Board]]) -> None:
    board = await make(dashboard={})
    (number,) = await dead(board)
    answer = Answer(status=502, took_s=0.25, body="key of 10.0.0.7")
    await board.journal.record(board.journal.lease(A.account), [Answered(delivery_id=number, answer=answer, at=at(7))])
    await board.journal.persons.audit(Audited(at=at(8), actor="anna", action="optin", subject="8"))
    async with board.visitor() as visitor:
        for place, status, words in (
            (f"letter?id={number}", 200, "refused <0>"),
            (f"message?what={number}", 200, "dead"),
            ("audit", 403, ""),
        ):
            shown = await visitor.get(place)
            assert (shown.status, words in shown.words) == (status, True), place
            assert "10.0.0.7" not in shown.html
            assert "optin" not in shown.html


async def test_the_chosen_ones_are_retried_once_and_it_is_noted(anna: Visitor) -> None:
    ids = await dead(anna.board, 3)
    chosen = [("id", str(ids[2])), ("id", str(ids[0])), ("id", str(ids[0])), ("id", "999"), ("id", "x"), ("id", "-1")]
    done = await anna.act("dead", "retry", chosen)
    assert "retried: 2" in done.words
    assert await states(anna.board, ids) == [DeliveryStatus.BEHIND, DeliveryStatus.DEAD, DeliveryStatus.BEHIND]
    again = await anna.act("dead", "retry", chosen)
    assert "retried: 0" in again.words
    newest, first = await anna.board.noted()
    assert (first.actor, first.action, first.result) == ("dashboard anna", "retry", "2 retried")
    assert first.subject == f"dead letters {ids[0]}, {ids[2]}, 999"
    assert newest.result == "0 retried"
    assert "dashboard anna" in (await anna.get("audit")).words


async def test_dropping_is_asked_a_second_time(anna: Visitor) -> None:
    ids = await dead(anna.board, 2)
    asked = await anna.act("dead", "drop", {"id": str(ids[0])})
    assert f"never delivered: {ids[0]}" in asked.words
    assert await states(anna.board, ids) == [DeliveryStatus.DEAD] * 2
    done = await anna.post("drop", {"token": asked.token, "id": str(ids[0]), "sure": "yes"})
    assert "dropped: 1" in done.words
    assert await states(anna.board, ids) == [DeliveryStatus.SKIPPED, DeliveryStatus.DEAD]
    (noted,) = await anna.board.noted()
    assert (noted.action, noted.result) == ("drop", "1 dropped")


async def test_one_of_another_target_stays(anna: Visitor) -> None:
    accepted = await accept(anna.board.journal, created("1"), A, B)
    for number in accepted.delivery_ids:
        await kill(anna.board.journal, number)
    await anna.act("dead", "retry", {"id": str(accepted.delivery_ids[0])})
    assert [one.delivery_id for one in await anna.board.journal.dead_letters()] == [accepted.delivery_ids[1]]
