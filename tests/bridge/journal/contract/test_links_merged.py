"""Messages that several events were merged into: which they are, in order, after restarts, and in pieces that come and go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.journal.contract import (
    AcceptResult,
    AttemptStarted,
    Change,
    Deferred,
    Delivered,
    DeliveryStatus,
    Journal,
    PartGone,
    Piece,
    PiecesSet,
)
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, message, native, sent
from tests.support.deliveries import readable


async def three(journal: Journal) -> list[AcceptResult]:
    return [await accept(journal, created(str(number)), A, B) for number in (1, 2, 3)]


def pieces(events: list[AcceptResult]) -> PiecesSet:
    return PiecesSet(
        target=A,
        lead_seq=events[0].event_seq,
        pieces=tuple(Piece(event_seq=event.event_seq, content=b"%d" % event.event_seq) for event in events),
    )


def attempts(events: list[AcceptResult]) -> list[Change]:
    return [AttemptStarted(delivery_id=event.delivery_ids[0], part=0, attempt=1, at=at(1)) for event in events]


def arrived(events: list[AcceptResult], copy: str = "70") -> list[Change]:
    changes: list[Change] = []
    for event in events:
        changes += [sent(event.delivery_ids[0], event.event_seq, A, copy), Delivered(delivery_id=event.delivery_ids[0], at=at(2))]
    return changes


async def test_a_crash_during_the_attempt_leaves_who_was_in_it(journal: Journal, reopen: Callable[..., Awaitable[Journal]]) -> None:
    events = await three(journal)
    await journal.record(journal.lease(A.account), [pieces(events[:2]), *attempts(events[:2])])
    journal = await reopen(journal)
    waiting = readable(await journal.pending(A, 0, 10))
    assert [(pending.state, pending.lead_seq) for pending in waiting] == [
        (DeliveryStatus.SENDING, events[0].event_seq),
        (DeliveryStatus.SENDING, events[0].event_seq),
        (DeliveryStatus.WAITING, None),
    ]
    assert [pending.lead_seq for pending in readable(await journal.pending(B, 0, 10))] == [None] * 3


async def test_each_original_leads_to_the_shared_copy_and_the_copy_to_its_last_piece(journal: Journal) -> None:
    events = await three(journal)
    await journal.record(journal.lease(A.account), [pieces(events), *attempts(events)])
    await journal.record(journal.lease(A.account), arrived(events))
    for number, event in enumerate(events, 1):
        link = await journal.link(message(CHAT, str(number)), A)
        assert link is not None
        assert (link.event_seq, link.copies[0].copy.message_ids) == (event.event_seq, ("70",))
        merged = await journal.merged(event.event_seq, A)
        assert merged is not None
        assert merged.lead_seq == events[0].event_seq
        assert merged.pieces == pieces(events).pieces
        assert await journal.merged(event.event_seq, B) is None
    copy = await journal.link(message(native(A), "70"), A)
    assert copy is not None
    assert copy.event_seq == events[2].event_seq


async def test_a_piece_leaves_and_the_copy_stays_known(journal: Journal) -> None:
    events = await three(journal)
    await journal.record(journal.lease(A.account), [pieces(events), *attempts(events), *arrived(events)])
    left = events[:2]
    await journal.record(
        journal.lease(A.account),
        [
            PartGone(event_seq=events[2].event_seq, target=A, part=0),
            sent(events[1].delivery_ids[0], events[1].event_seq, A, "70"),
            pieces(left),
        ],
    )
    assert await journal.merged(events[2].event_seq, A) is None
    merged = await journal.merged(events[0].event_seq, A)
    assert merged is not None
    assert merged.pieces == pieces(left).pieces
    copy = await journal.link(message(native(A), "70"), A)
    assert copy is not None
    assert copy.event_seq == events[1].event_seq


async def test_an_attempt_that_did_not_succeed_is_forgotten(journal: Journal) -> None:
    events = await three(journal)
    await journal.record(journal.lease(A.account), [pieces(events), *attempts(events)])
    deferred = [Deferred(delivery_id=event.delivery_ids[0], attempt=1, not_before=at(9), error="429") for event in events]
    await journal.record(journal.lease(A.account), [PiecesSet(target=A, lead_seq=events[0].event_seq, pieces=()), *deferred])
    assert await journal.merged(events[1].event_seq, A) is None
    assert [pending.lead_seq for pending in readable(await journal.pending(A, 0, 10))] == [None] * 3


async def test_pieces_go_with_their_events(journal: Journal) -> None:
    events = await three(journal)
    await journal.record(journal.lease(A.account), [pieces(events), *attempts(events), *arrived(events)])
    await journal.record(journal.lease(A.account), [Delivered(delivery_id=event.delivery_ids[1], at=at(3)) for event in events])
    assert await journal.prune(before=at(10)) == 3
    await journal.record(journal.lease(A.account), [pieces(events)])  # too late: nothing is kept for events that are gone
    for event in events:
        assert await journal.merged(event.event_seq, A) is None
