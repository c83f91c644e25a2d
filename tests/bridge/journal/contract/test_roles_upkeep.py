"""Pruning: what is finished and old goes, with all that hangs on it; what is unfinished stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bridge.journal.contract import Delivered, Journal, PartGone, Verdict
from tests.bridge.journal.journal_makers import (
    CHAT,
    A,
    B,
    accept,
    at,
    created,
    deliver,
    edited,
    entry,
    kill,
    message,
    native,
    reacted,
)

Reopen = Callable[[Journal], Awaitable[Journal]]


async def test_finished_events_go_with_their_links(journal: Journal, reopen: Reopen) -> None:
    old = await accept(journal, created("1", also=("2",)), A, when=0)
    new = await accept(journal, created("3"), A, when=100)
    await deliver(journal, old, (A, "70"))
    await deliver(journal, new, (A, "71"))
    await accept(journal, reacted("1", version=1, added=("👍",)), when=0)
    assert await journal.prune(before=at(100)) == 2
    journal = await reopen(journal)
    for asked in (message(CHAT, "1"), message(CHAT, "2"), message(native(A), "70")):
        assert await journal.link(asked, A) is None
    assert await journal.link(message(CHAT, "3"), A) is not None
    assert await journal.reactions(old.event_seq, not_on=[message(native(B), "80")]) == []
    assert not await journal.is_known("created:origin/C1:1")
    assert await journal.is_known("created:origin/C1:3")
    assert await journal.latest_messages(CHAT, 10) == ["3"]
    assert (await journal.figures()).events == 1
    assert await journal.prune(before=at(100)) == 0


async def test_a_change_that_was_pruned_is_not_traced(journal: Journal) -> None:
    kept = await accept(journal, created("1"), A, when=0)
    await accept(journal, edited("1", version=1), when=1)
    await accept(journal, edited("1", version=2), when=50)
    assert await journal.prune(before=at(10)) == 1
    (traced,) = await journal.trace(message(CHAT, "1"))
    assert traced.event.event_seq == kept.event_seq
    assert [change.accepted_at for change in traced.changes] == [at(50)]
    assert traced.left_out == {}


async def test_the_moment_itself_is_not_before(journal: Journal) -> None:
    await accept(journal, created("1"), when=10)
    assert await journal.prune(before=at(10)) == 0
    assert await journal.prune(before=at(10.000001)) == 1


async def test_what_is_unfinished_stays(journal: Journal) -> None:
    waiting = await accept(journal, created("1"), A, B)
    dead = await accept(journal, created("2"), A)
    held = await accept(journal, created("3"), A)
    finished = await accept(journal, created("4"), A)
    await deliver(journal, finished, (A, "70"))
    await journal.record(journal.lease(A.account), [Delivered(delivery_id=waiting.delivery_ids[0], at=at(1))])
    await kill(journal, dead.delivery_ids[0])
    await kill(journal, held.delivery_ids[0], held=True)
    assert await journal.prune(before=at(1000)) == 1
    assert len(await journal.dead_letters()) == 2
    assert len(await journal.pending(B, 0, 10)) == 1
    assert (await journal.figures()).events == 3
    await journal.drop_dead([*dead.delivery_ids, *held.delivery_ids], at=at(5))
    await journal.record(journal.lease(A.account), [Delivered(delivery_id=waiting.delivery_ids[1], at=at(5))])
    assert await journal.prune(before=at(1000)) == 3
    assert (await journal.figures()).events == 0


async def test_pruning_takes_at_most_its_limit_oldest_first(journal: Journal) -> None:
    for number in range(450):
        await accept(journal, created(f"{number}"), when=number)
    assert await journal.prune(before=at(400), limit=250) == 250
    assert not await journal.is_known("created:origin/C1:249")
    assert await journal.is_known("created:origin/C1:250")
    assert await journal.prune(before=at(400), limit=250) == 150
    assert await journal.prune(before=at(400), limit=250) == 0
    assert (await journal.figures()).events == 50


async def test_a_clock_that_was_wrong_for_a_while_does_not_stop_pruning(journal: Journal) -> None:
    await accept(journal, created("future"), when=10_000_000)
    for number in range(20):
        await accept(journal, created(f"{number}"), when=number)
    assert await journal.prune(before=at(100)) == 20


async def test_a_pruned_event_may_come_again(journal: Journal) -> None:
    first = await accept(journal, created("1"), A)
    await deliver(journal, first, (A, "70"))
    await journal.prune(before=at(100))
    again = await accept(journal, created("1"), A)
    assert again.event_seq > first.event_seq
    assert again.delivery_ids[0] > first.delivery_ids[0]


async def test_a_message_that_belongs_to_a_later_event_keeps_its_link(journal: Journal) -> None:
    await accept(journal, created("1", key="first"), when=0)
    later = await accept(journal, created("1", key="second"), when=100)
    await journal.prune(before=at(50))
    link = await journal.link(message(CHAT, "1"), A)
    assert link is not None
    assert link.event_seq == later.event_seq


async def test_an_event_with_an_unfinished_edit_may_go(journal: Journal) -> None:
    await deliver(journal, await accept(journal, created("1"), A), (A, "70"))
    await accept(journal, edited("1"), A)
    assert await journal.prune(before=at(100)) == 1
    assert len(await journal.pending(A, 0, 10)) == 1


async def test_copies_that_were_gone_are_forgotten_with_their_event(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    await deliver(journal, accepted, (A, "70"))
    await journal.record(journal.lease(A.account), [PartGone(event_seq=accepted.event_seq, target=A, part=0)])
    await journal.prune(before=at(100))
    (answer,) = await journal.accept(journal.lease(A.account), [entry(created("70", native(A)))], [], received_at=at(0))
    assert answer.verdict is Verdict.ACCEPTED


async def test_accepting_goes_on_while_pruning(journal: Journal) -> None:
    for start in range(0, 2000, 200):
        entries = [entry(created(f"{number}")) for number in range(start, start + 200)]
        await journal.accept(journal.lease(CHAT.account), entries, [], received_at=at(0))
    pruning = asyncio.ensure_future(journal.prune(before=at(1), limit=2000))
    accepted = 0
    while not pruning.done():
        await accept(journal, created(f"new {accepted}"), A, when=10)
        accepted += 1
    assert await pruning == 2000
    assert accepted > 5
    assert (await journal.figures()).events == accepted
