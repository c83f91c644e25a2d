"""What became of messages since a step: every outcome has a number, in the order of commit, and none is given twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest
from msgspec.structs import replace

from bridge.journal.contract import AttemptStarted, Change, Dead, Deferred, DeliveryStatus, Journal, Skipped
from bridge.journal.tracing import ChangeKind, Step, StepKind
from bridge.model.outcomes import Skip
from bridge.model.refs import MessageRef
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, deliver, edited, entry, kill, sent

Reopen = Callable[[Journal], Awaitable[Journal]]


async def all_steps(journal: Journal, after: int = 0, page: int = 100) -> list[Step]:
    found: list[Step] = []
    while True:
        answer = await journal.steps(after=after, limit=page)
        assert len(answer.steps) <= page
        if answer.last == after:
            return found
        found += answer.steps
        after = answer.last


def told(steps: Sequence[Step]) -> list[tuple[StepKind, list[str]]]:
    return [(step.kind, [str(one.target) for one in step.deliveries]) for step in steps]


async def test_every_outcome_is_a_step(journal: Journal) -> None:
    (accepted,) = await journal.accept(journal.lease(CHAT.account), [entry(created("1"), A, skipped=(B,))], [], received_at=at(0))
    (first, _) = accepted.delivery_ids
    await journal.record(journal.lease(A.account), [AttemptStarted(delivery_id=first, part=0, attempt=1, at=at(1))])
    await journal.record(journal.lease(A.account), [Deferred(delivery_id=first, attempt=1, not_before=at(60), error="busy")])
    await kill(journal, first)
    await journal.retry_dead([first])
    await deliver(journal, replace(accepted, delivery_ids=(first,)), (A, "copy"))
    steps = await all_steps(journal)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert told(steps) == [
        (StepKind.CAME, [str(A), str(B)]),
        (StepKind.SKIPPED, [str(B)]),
        (StepKind.WAITING, [str(A)]),
        (StepKind.DEAD, [str(A)]),
        (StepKind.WAITING, [str(A)]),
        (StepKind.DELIVERED, [str(A)]),
    ]
    assert [step.is_past for step in steps] == [False, False, True, True, True, False]
    assert {step.message for step in steps} == {MessageRef(CHAT, "1")}
    assert {step.author_name for step in steps} == {"Anna"}
    (delivered,) = steps[-1].deliveries
    assert [part.copy.message_ids for part in delivered.copies] == [("copy",)]


async def test_a_change_says_of_which_message_it_is(journal: Journal) -> None:
    await deliver(journal, await accept(journal, created("1"), A), (A, "copy"))
    edit = await accept(journal, edited("1"), A)
    await journal.record(journal.lease(A.account), [Skipped(delivery_id=edit.delivery_ids[0], rule=Skip.CANNOT_EDIT, at=at(3))])
    came, skipped = (await all_steps(journal))[2:]
    assert (came.kind, came.change, came.of, came.message) == (StepKind.CAME, ChangeKind.EDIT, MessageRef(CHAT, "1"), None)
    assert (skipped.kind, skipped.deliveries[0].note) == (StepKind.SKIPPED, str(Skip.CANNOT_EDIT))


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_a_reader_that_goes_on_by_number_misses_nothing(journal: Journal, reopen: Reopen, page: int) -> None:
    for number in range(3):
        await deliver(journal, await accept(journal, created(f"{number}"), A), (A, f"c{number}"))
    journal = await reopen(journal)
    for number in range(3, 5):
        await deliver(journal, await accept(journal, created(f"{number}"), A), (A, f"c{number}"))
    steps = await all_steps(journal, page=page)
    assert [step.number for step in steps] == list(range(1, 11))
    assert [step.message.message_id for step in steps if step.message and step.kind is StepKind.DELIVERED] == list("01234")
    assert [step.number for step in await all_steps(journal, after=7, page=page)] == [8, 9, 10]
    nothing = await journal.steps(after=10, limit=page)
    assert (nothing.steps, nothing.last, nothing.newest) == ((), 10, 10)


async def test_a_number_of_another_journal_leads_to_the_newest_of_this_one(journal: Journal) -> None:
    assert (await journal.steps(after=7, limit=5)).last == 0
    await accept(journal, created("1"), A)
    answer = await journal.steps(after=700, limit=5)
    assert (answer.steps, answer.last, answer.newest) == ((), 1, 1)


async def test_what_is_refused_leaves_no_step(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    with pytest.raises(ValueError, match="do not exist"):
        await journal.record(
            journal.lease(A.account),
            [Dead(delivery_id=delivery, reason="refused", at=at(1)), Dead(delivery_id=999, reason="x", at=at(1))],
        )
    await deliver(journal, accepted, (A, "copy"))
    await journal.record(journal.lease(A.account), [Dead(delivery_id=delivery, reason="late", at=at(5))])
    assert [step.kind for step in await all_steps(journal)] == [StepKind.CAME, StepKind.DELIVERED]


async def test_what_the_journal_has_forgotten_is_counted(journal: Journal) -> None:
    await deliver(journal, await accept(journal, created("1"), A), (A, "copy"))
    await accept(journal, created("2"), A, when=50)
    await journal.prune(before=at(10))
    answer = await journal.steps(after=0, limit=100)
    assert (answer.unknown, [step.number for step in answer.steps], answer.last) == (2, [3], 3)


async def test_steps_of_one_moment_of_many_lanes(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A, B)
    changes: list[Change] = [
        sent(accepted.delivery_ids[0], accepted.event_seq, A, "a"),
        Deferred(delivery_id=accepted.delivery_ids[1], attempt=1, not_before=at(9), error="429"),
    ]
    await journal.record(journal.lease(A.account), changes)
    (came, waiting) = await all_steps(journal)
    assert came.kind is StepKind.CAME
    assert waiting.deliveries[0].state is DeliveryStatus.WAITING
    assert (waiting.deliveries[0].note, waiting.deliveries[0].not_before) == ("429", at(9))
