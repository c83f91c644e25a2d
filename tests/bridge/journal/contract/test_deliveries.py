"""A delivery's life: pending in order, attempts, receipts, outcomes; and what a restart finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bridge.journal.contract import (
    AttemptStarted,
    Carried,
    Change,
    Dead,
    Deferred,
    Delivered,
    DeliveryStatus,
    Journal,
    OpenDelivery,
    Skipped,
    StoredPart,
    StoredWait,
)
from bridge.model.adapter import Copy
from bridge.model.outcomes import Loss, LossOf, Skip
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, deliver, edited, entry, kill, native, sent
from tests.support.deliveries import readable

Reopen = Callable[[Journal], Awaitable[Journal]]

CARRIED = Carried(text=True, files=True, marks=("abcdefgh", "~2345678"))


async def only(journal: Journal) -> OpenDelivery:
    (pending,) = readable(await journal.pending(A, 0, 10))
    return pending


def attempt(delivery: int, number: int = 1, *, part: int = 0, when: float = 5) -> AttemptStarted:
    return AttemptStarted(delivery_id=delivery, part=part, attempt=number, at=at(when))


async def test_a_new_delivery_is_waiting_and_whole(journal: Journal, reopen: Reopen) -> None:
    event = created("1", text="grüße 🎉\n\x00 end", author="Zoë")
    accepted = await accept(journal, event, A)
    expected = OpenDelivery(
        delivery_id=accepted.delivery_ids[0],
        lane_seq=accepted.lane_seqs[0],
        event_seq=accepted.event_seq,
        route="r1",
        target=A,
        thread_id=None,
        event=event,
        state=DeliveryStatus.WAITING,
        attempt=0,
        first_attempt_at=None,
        not_before=None,
        last_error="",
        parts=(),
    )
    assert await only(journal) == expected
    assert await only(await reopen(journal)) == expected


async def test_pending_is_in_order_and_pages(journal: Journal) -> None:
    ids = [(await accept(journal, created(f"{number}"), A, B)).delivery_ids[0] for number in range(7)]
    seen: list[int] = []
    after = 0
    while page := await journal.pending(A, after, 3):
        assert len(page) <= 3
        seen += [pending.delivery_id for pending in page]
        assert [pending.lane_seq for pending in page] == sorted(pending.lane_seq for pending in page)
        after = page[-1].lane_seq
    assert seen == ids


async def test_a_lane_counts_for_itself_and_never_twice(journal: Journal, reopen: Reopen) -> None:
    """What another lane accepts leaves no gap in this one, and a number given out is never given again."""
    assert [(await accept(journal, created(f"{number}"), A, B)).lane_seqs for number in range(3)] == [(1, 1), (2, 2), (3, 3)]
    assert (await accept(journal, created("b"), B)).lane_seqs == (4,)
    for pending in await journal.pending(A, 0, 10):
        await journal.record(journal.lease(A.account), [Delivered(delivery_id=pending.delivery_id, at=at(6))])
    assert await journal.prune(before=at(100)) == 0  # still open in the other lane
    journal = await reopen(journal)
    assert (await accept(journal, created("a"), A, (A, "7"))).lane_seqs == (4, 5)


async def test_what_is_skipped_at_once_has_no_place_in_the_lane(journal: Journal) -> None:
    (one,) = await journal.accept(journal.lease(CHAT.account), [entry(created("1"), A, skipped=(A,))], [], received_at=at(0))
    assert one.lane_seqs == (1, 0)
    assert (await accept(journal, created("2"), A)).lane_seqs == (2,)


async def test_a_dead_letter_keeps_its_place(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    await kill(journal, accepted.delivery_ids[0])
    await journal.retry_dead(accepted.delivery_ids)
    assert [one.lane_seq for one in await journal.behind(A, 10)] == list(accepted.lane_seqs)


async def test_an_attempt_without_outcome_is_found_after_a_restart(journal: Journal, reopen: Reopen) -> None:
    (delivery,) = (await accept(journal, created("1"), A)).delivery_ids
    await journal.record(journal.lease(A.account), [attempt(delivery, 1, when=5)])
    await journal.record(journal.lease(A.account), [Deferred(delivery_id=delivery, attempt=1, not_before=at(50), error="429")])
    waiting = await only(journal)
    assert (waiting.state, waiting.attempt, waiting.not_before, waiting.last_error) == (DeliveryStatus.WAITING, 1, at(50), "429")
    await journal.record(journal.lease(A.account), [attempt(delivery, 2, when=51)])
    pending = await only(await reopen(journal))
    assert (pending.state, pending.attempt, pending.first_attempt_at) == (DeliveryStatus.SENDING, 2, at(5))
    assert (pending.not_before, pending.last_error) == (None, "429")


async def test_a_message_of_three_parts_goes_on_at_the_third(journal: Journal, reopen: Reopen) -> None:
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    await journal.record(journal.lease(A.account), [attempt(delivery)])
    await journal.record(
        journal.lease(A.account),
        [
            sent(delivery, accepted.event_seq, A, "70", "71", adapter_data="hook", thread="T1", carried=CARRIED),
            attempt(delivery, 1, part=1),
        ],
    )
    await journal.record(journal.lease(A.account), [sent(delivery, accepted.event_seq, A, "72", part=1)])
    pending = await only(await reopen(journal))
    assert (pending.state, pending.attempt) == (DeliveryStatus.WAITING, 0)  # no attempt at the third part is on record
    assert pending.parts == (
        StoredPart(
            part=0, copy=Copy(chat_id="N-A", message_ids=("70", "71"), thread_id="T1", adapter_data="hook"), carried=CARRIED
        ),
        StoredPart(part=1, copy=Copy(chat_id="N-A", message_ids=("72",))),
    )


async def test_a_crash_in_the_second_part_shows_the_first(journal: Journal, reopen: Reopen) -> None:
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    await journal.record(journal.lease(A.account), [attempt(delivery)])
    await journal.record(journal.lease(A.account), [sent(delivery, accepted.event_seq, A, "70"), attempt(delivery, 1, part=1)])
    pending = await only(await reopen(journal))
    assert (pending.state, pending.attempt, len(pending.parts)) == (DeliveryStatus.SENDING, 1, 1)


async def test_a_receipt_may_carry_no_ids(journal: Journal) -> None:
    """Some platforms' incoming webhooks answer `ok` and nothing else."""
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    await journal.record(journal.lease(A.account), [sent(delivery, accepted.event_seq, A)])
    assert (await only(journal)).parts == (StoredPart(part=0, copy=Copy(chat_id="N-A", message_ids=())),)


async def test_an_edits_progress_is_its_own(journal: Journal, reopen: Reopen) -> None:
    """An edit that re-sent the first of two parts before a crash has one part done, not two and not none."""
    message = await accept(journal, created("1"), A)
    (first,) = message.delivery_ids
    for part in range(2):
        await journal.record(journal.lease(A.account), [sent(first, message.event_seq, A, f"7{part}", part=part)])
    await journal.record(journal.lease(A.account), [Delivered(delivery_id=first, at=at(1))])
    (edit,) = (await accept(journal, edited("1"), A)).delivery_ids
    assert (await only(journal)).parts == ()
    await journal.record(journal.lease(A.account), [sent(edit, message.event_seq, A, "80")])
    pending = await only(await reopen(journal))
    assert pending.parts == (StoredPart(part=0, copy=Copy(chat_id="N-A", message_ids=("80",))),)


async def test_an_edit_does_not_take_parts_from_a_half_sent_message(journal: Journal) -> None:
    """The message died after its first part, which an edit sent anew; a retry must not send that part again."""
    message = await accept(journal, created("1"), A)
    (first,) = message.delivery_ids
    await journal.record(
        journal.lease(A.account), [sent(first, message.event_seq, A, "70"), Dead(delivery_id=first, reason="refused", at=at(1))]
    )
    edit = await accept(journal, edited("1"), A)
    await journal.record(
        journal.lease(A.account),
        [sent(edit.delivery_ids[0], message.event_seq, A, "80"), Delivered(delivery_id=edit.delivery_ids[0], at=at(1))],
    )
    await journal.retry_dead([first])
    (pending,) = await journal.behind(A, 10)
    assert isinstance(pending, OpenDelivery)
    assert pending.later == edited("1")
    assert [part.copy.message_ids for part in pending.parts] == [("80",)]


async def test_two_deliveries_to_one_chat_do_not_share_progress(journal: Journal) -> None:
    """A message for two topics of one group: the second has nothing sent when the first is done."""
    message = await accept(journal, created("1"), A, A)
    first, second = message.delivery_ids
    await journal.record(
        journal.lease(A.account), [sent(first, message.event_seq, A, "70"), Delivered(delivery_id=first, at=at(1))]
    )
    pending = await only(journal)
    assert (pending.delivery_id, pending.parts) == (second, ())


@pytest.mark.parametrize("final", ["delivered", "skipped", "dead", "held"])
async def test_an_outcome_takes_the_delivery_off_its_lane(journal: Journal, reopen: Reopen, final: str) -> None:
    accepted = await accept(journal, created("1"), A, B)
    delivery, other = accepted.delivery_ids
    changes: dict[str, Change] = {
        "delivered": Delivered(
            delivery_id=delivery, at=at(1), losses=(Loss.BOLD, LossOf(Loss.FILE_AS_LINE, "photo shown as a line: too large"))
        ),
        "skipped": Skipped(delivery_id=delivery, rule=Skip.EDIT_WITHOUT_COPY, at=at(1)),
        "dead": Dead(delivery_id=delivery, reason="refused", at=at(1)),
        "held": Dead(delivery_id=delivery, reason="unknown", at=at(1), held=True),
    }
    await journal.record(journal.lease(A.account), [attempt(delivery), changes[final]])
    for _ in range(2):
        assert await journal.pending(A, 0, 10) == []
        assert await journal.open_lanes() == [B]
        assert [pending.delivery_id for pending in await journal.pending(B, 0, 10)] == [other]
        assert len(await journal.dead_letters()) == (final in ("dead", "held"))
        journal = await reopen(journal)


async def test_a_final_outcome_stays(journal: Journal) -> None:
    (delivery,) = (await accept(journal, created("1"), A)).delivery_ids
    await journal.record(journal.lease(A.account), [Delivered(delivery_id=delivery, at=at(1))])
    await journal.record(
        journal.lease(A.account),
        [Dead(delivery_id=delivery, reason="late", at=at(2)), Skipped(delivery_id=delivery, rule=Skip.ROUTE_REMOVED, at=at(2))],
    )
    assert await journal.dead_letters() == []
    assert await journal.open_lanes() == []


@pytest.mark.parametrize("state", ["delivered", "dead", "missing"])
async def test_an_attempt_at_a_delivery_that_is_not_open_is_refused(journal: Journal, state: str) -> None:
    """An attempt that cannot be recorded must not be made, so the caller has to hear of it. Nothing of that call is kept."""
    (delivery, other) = (await accept(journal, created("1"), A, B)).delivery_ids
    if state == "delivered":
        await journal.record(journal.lease(A.account), [Delivered(delivery_id=delivery, at=at(1))])
    elif state == "dead":
        await kill(journal, delivery)
    else:
        delivery = 999
    for change in (attempt(delivery), Deferred(delivery_id=delivery, attempt=1, not_before=at(9), error="")):
        with pytest.raises(ValueError, match=str(delivery)):
            await journal.record(journal.lease(A.account), [Delivered(delivery_id=other, at=at(1)), change])
    assert await journal.open_lanes() == ([B] if state != "missing" else [A, B])


async def test_an_outcome_of_a_delivery_that_does_not_exist_is_refused(journal: Journal) -> None:
    for change in (
        Delivered(delivery_id=5, at=at(1)),
        Skipped(delivery_id=5, rule=Skip.ROUTE_REMOVED, at=at(1)),
        Dead(delivery_id=5, reason="", at=at(1)),
    ):
        with pytest.raises(ValueError, match="5"):
            await journal.record(journal.lease(A.account), [change])


async def test_changes_of_one_call_are_carried_out_in_order(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    await journal.record(
        journal.lease(A.account),
        [
            attempt(delivery, 1),
            Deferred(delivery_id=delivery, attempt=1, not_before=at(9), error="first"),
            attempt(delivery, 2),
            sent(delivery, accepted.event_seq, A, "70"),
            sent(delivery, accepted.event_seq, A, "71"),
            attempt(delivery, 1, part=1),
            Deferred(delivery_id=delivery, attempt=1, not_before=at(10), error="second"),
        ],
    )
    pending = await only(journal)
    assert (pending.state, pending.attempt, pending.not_before, pending.last_error) == (DeliveryStatus.WAITING, 1, at(10), "second")
    assert [part.copy.message_ids for part in pending.parts] == [("71",)]


async def test_an_empty_record_is_nothing(journal: Journal) -> None:
    await journal.record(journal.lease(A.account), [])
    assert await journal.accept(journal.lease(A.account), [], [], received_at=at(0)) == []


async def test_figures(journal: Journal, reopen: Reopen) -> None:
    assert (await journal.figures()).events == 0
    first = await accept(journal, created("1"), A, B, when=10)
    await accept(journal, created("2"), A, when=20)
    third = await accept(journal, created("3"), B, when=30)
    await accept(journal, created("4"), when=40)
    await deliver(journal, third, (B, "73"))
    await kill(journal, first.delivery_ids[1])
    for _ in range(2):
        figures = await journal.figures()
        assert (figures.events, figures.dead, figures.undecodable) == (4, 1, 0)
        assert [(lane.target, lane.waiting, lane.oldest_accepted_at) for lane in figures.lanes] == [(A, 2, at(10))]
        assert figures.size_bytes > 0
        journal = await reopen(journal)


async def test_addresses_follow_a_chat_that_moved(journal: Journal, reopen: Reopen) -> None:
    await journal.set_native_id(journal.lease(A.account), A, "N1")
    await journal.set_native_id(journal.lease(A.account), A, native(A).chat_id)
    await journal.set_native_id(journal.lease(A.account), B, "N2")
    await journal.chat_moved(journal.lease(A.account), native(A), native(B))
    journal = await reopen(journal)
    assert await journal.native_ids(A.account) == {"A": "N-B", "B": "N2"}
    assert await journal.native_ids(native(A).account) == await journal.native_ids(A.account)


async def test_waits_survive_a_restart(journal: Journal, reopen: Reopen) -> None:
    await journal.set_wait(journal.lease(A.account), "tg", at(10), at=at(1))
    await journal.set_wait(journal.lease(A.account), "tg", at(30), at=at(2))
    await journal.set_wait(journal.lease(A.account), "slack/C1", at(20), at=at(3))
    journal = await reopen(journal)
    tg = StoredWait(until=at(30), kept_at=at(2))
    assert await journal.waits() == {"tg": tg, "slack/C1": StoredWait(until=at(20), kept_at=at(3))}
    await journal.prune(before=at(25))
    assert await journal.waits() == {"tg": tg}
