"""What was given up: listed with its reason, retried, dropped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.journal.contract import Answered, AttemptStarted, DeadLetter, Delivered, DeliveryStatus, Journal, OpenDelivery
from bridge.journal.contract.changes import ANSWER_BODY_CHARS, ANSWERS_KEPT
from bridge.model.errors import Answer
from tests.bridge.journal.journal_makers import A, B, accept, at, created, deliver, kill, sent

Reopen = Callable[[Journal], Awaitable[Journal]]


async def test_a_dead_letter_tells_all_an_admin_needs(journal: Journal, reopen: Reopen) -> None:
    event = created("1", text="important")
    accepted = await accept(journal, event, A)
    (delivery,) = accepted.delivery_ids
    await journal.record(journal.lease(A.account), [sent(delivery, accepted.event_seq, A, "70")])
    await journal.record(journal.lease(A.account), [AttemptStarted(delivery_id=delivery, part=1, attempt=3, at=at(1))])
    await kill(journal, delivery, "chat not found")
    expected = DeadLetter(
        delivery_id=delivery,
        route="r1",
        target=A,
        state=DeliveryStatus.DEAD,
        reason="chat not found",
        attempts=3,
        died_at=at(3),
        event=event,
        parts_sent=1,
    )
    journal = await reopen(journal)
    assert await journal.dead_letter(delivery) == expected
    assert await journal.dead_letters() == [expected]
    assert (await journal.figures()).dead == 1


async def test_only_dead_and_held_ones_are_dead_letters(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A, B)
    dead, held = accepted.delivery_ids
    assert await journal.dead_letter(dead) is None
    await kill(journal, dead)
    await kill(journal, held, held=True)
    assert [letter.state for letter in await journal.dead_letters()] == [DeliveryStatus.DEAD, DeliveryStatus.HELD]
    assert await journal.dead_letter(999) is None


async def test_dead_letters_come_in_pages(journal: Journal) -> None:
    ids = [(await accept(journal, created(f"{number}"), A)).delivery_ids[0] for number in range(5)]
    for number, delivery in enumerate(reversed(ids)):
        await kill(journal, delivery, held=bool(number % 2))
    assert [letter.delivery_id for letter in await journal.dead_letters(limit=2)] == ids[:2]
    assert [letter.delivery_id for letter in await journal.dead_letters(after=ids[1])] == ids[2:]


async def test_marks_of_dead_letters_are_for_who_chooses_among_many(journal: Journal) -> None:
    ids = [(await accept(journal, created(f"{number}"), A)).delivery_ids[0] for number in range(3)]
    for number, delivery in enumerate(ids):
        await kill(journal, delivery, f"reason {number}", held=number == 1)
    marks = await journal.dead_marks(after=ids[0])
    assert [(one.delivery_id, one.state, one.reason) for one in marks] == [
        (ids[1], DeliveryStatus.HELD, "reason 1"),
        (ids[2], DeliveryStatus.DEAD, "reason 2"),
    ]
    assert (marks[0].route, marks[0].target, marks[0].died_at) == ("r1", A, at(3))
    assert len(await journal.dead_marks(limit=1)) == 1


async def test_a_retry_begins_anew_but_keeps_what_was_sent(journal: Journal, reopen: Reopen) -> None:
    accepted = await accept(journal, created("1"), A, B)
    first, second = accepted.delivery_ids
    await journal.record(journal.lease(A.account), [AttemptStarted(delivery_id=first, part=0, attempt=7, at=at(1))])
    await journal.record(
        journal.lease(A.account),
        [sent(first, accepted.event_seq, A, "70"), AttemptStarted(delivery_id=first, part=1, attempt=4, at=at(2))],
    )
    await kill(journal, first)
    await kill(journal, second, held=True)
    assert sorted(await journal.retry_dead([first, second, 999])) == [A, B]
    journal = await reopen(journal)
    assert await journal.pending(A, 0, 10) == []  # not in the line: what is in it does not wait for a retry
    (pending,) = await journal.behind(A, 10)
    assert isinstance(pending, OpenDelivery)
    assert (pending.delivery_id, pending.state, pending.attempt) == (first, DeliveryStatus.BEHIND, 0)
    assert (pending.first_attempt_at, pending.not_before, len(pending.parts)) == (None, None, 1)
    assert await journal.dead_letters() == []
    assert await journal.retry_dead([first]) == []


async def test_a_retried_delivery_can_be_delivered(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    await kill(journal, delivery)
    await journal.retry_dead([delivery])
    await journal.record(journal.lease(A.account), [AttemptStarted(delivery_id=delivery, part=0, attempt=1, at=at(5))])
    await deliver(journal, accepted, (A, "70"))
    assert await journal.open_lanes() == []
    assert await journal.prune(before=at(100)) == 1


async def test_dropping_dead_letters(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A, B)
    first, second = accepted.delivery_ids
    await kill(journal, first)
    assert await journal.drop_dead([first, second, 999], at=at(9)) == 1
    assert await journal.drop_dead([first], at=at(9)) == 0
    assert await journal.dead_letters() == []
    assert await journal.retry_dead([first]) == []
    assert await journal.open_lanes() == [B]


async def test_the_event_is_kept_for_a_dead_letter_while_its_siblings_finish(journal: Journal) -> None:
    event = created("1")
    accepted = await accept(journal, event, A, B)
    first, second = accepted.delivery_ids
    await kill(journal, first)
    await journal.record(journal.lease(A.account), [Delivered(delivery_id=second, at=at(4))])
    letter = await journal.dead_letter(first)
    assert letter is not None
    assert letter.event == event


async def test_a_dead_letter_can_turn_out_delivered(journal: Journal) -> None:
    """The answer to an attempt that was given up comes late."""
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    await kill(journal, delivery, held=True)
    await deliver(journal, accepted, (A, "70"))
    assert await journal.dead_letters() == []
    assert (await journal.figures()).dead == 0


async def test_a_lane_tells_of_what_stands_in_its_line_and_not_of_what_is_retried_beside_it(journal: Journal) -> None:
    first, second = await accept(journal, created("1"), A), await accept(journal, created("2"), A)
    await kill(journal, first.delivery_ids[0], "too ugly")
    await journal.retry_dead(first.delivery_ids)
    await journal.record(
        journal.lease(A.account), [AttemptStarted(delivery_id=second.delivery_ids[0], part=0, attempt=7, at=at(1))]
    )
    (lane,) = (await journal.figures()).lanes
    assert (lane.waiting, lane.attempts, lane.last_error) == (2, 7, "")


# -- what attempts were answered ----------------------------------------------------------------------------------------------


def answered(delivery: int, status: int | None, body: str = "", *, s: float = 1) -> Answered:
    return Answered(delivery_id=delivery, at=at(s), answer=Answer(status=status, took_s=0.25, body=body))


async def test_the_last_answers_are_kept_while_a_delivery_is_open_or_dead(journal: Journal, reopen: Reopen) -> None:
    accepted = await accept(journal, created("1"), A, B)
    first, second = accepted.delivery_ids
    lease = journal.lease(A.account)
    for number in range(ANSWERS_KEPT + 3):
        await journal.record(lease, [answered(first, 500 + number, f"answer {number}", s=number)])
    await journal.record(lease, [answered(second, None, "x" * 5000)])
    await kill(journal, first)
    journal = await reopen(journal)
    letter = await journal.dead_letter(first)
    assert letter is not None
    assert [one.answer.status for one in letter.answers] == [503 + number for number in range(ANSWERS_KEPT)]
    assert letter.answers[0].at == at(3)
    assert letter.answers[0].answer == Answer(status=503, took_s=0.25, body="answer 3")
    assert (await journal.dead_letters())[0].answers == (), "a list does not read them"
    traced = await journal.trace_delivery(second)
    assert traced is not None
    (answer,) = [one.answers[0].answer for one in traced.event.deliveries if one.answers][-1:]
    assert (answer.status, len(answer.body)) == (None, ANSWER_BODY_CHARS)


async def test_answers_go_with_what_is_over(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    lease = journal.lease(A.account)
    await journal.record(lease, [answered(delivery, 500)])
    await journal.record(lease, [answered(delivery, 200), Delivered(delivery_id=delivery, at=at(2))])
    await journal.record(lease, [answered(delivery, 500)])
    traced = await journal.trace_delivery(delivery)
    assert traced is not None
    assert traced.event.deliveries[0].answers == ()
