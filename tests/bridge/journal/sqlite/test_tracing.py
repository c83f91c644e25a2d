"""What is known of one message: by its original, a copy or a delivery, with every delivery's state and what it waits behind."""

from __future__ import annotations

import pytest

from bridge.journal.contract import AttemptStarted, Dead, Deferred, Delivered, DeliveryStatus, Journal
from bridge.journal.tracing import ChangeKind
from bridge.model.refs import ChatRef, MessageRef
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, edited, native, sent


def ref(chat: ChatRef, message_id: str) -> MessageRef:
    return MessageRef(chat, message_id)


async def relayed(journal: Journal) -> tuple[int, int]:
    """Message 1: delivered to A, dead for B."""
    accepted = await accept(journal, created("1"), A, B)
    first, second = accepted.delivery_ids
    await journal.record(
        journal.lease(A.account),
        [
            AttemptStarted(delivery_id=first, part=0, attempt=1, at=at(1)),
            sent(first, accepted.event_seq, A, "copy"),
            Delivered(delivery_id=first, at=at(2)),
            AttemptStarted(delivery_id=second, part=0, attempt=1, at=at(1)),
            Dead(delivery_id=second, reason="refused", at=at(3)),
        ],
    )
    return first, second


@pytest.mark.parametrize(("chat", "message_id", "is_original"), [(CHAT, "1", True), (native(A), "copy", False)])
async def test_by_the_original_and_by_a_copy(journal: Journal, chat: ChatRef, message_id: str, is_original: bool) -> None:
    await relayed(journal)
    (traced,) = await journal.trace(ref(chat, message_id))
    assert traced.is_original is is_original
    assert traced.original == ref(CHAT, "1")
    assert traced.event is not None
    states = {one.target: (one.state, one.note) for one in traced.event.deliveries}
    assert states == {A: (DeliveryStatus.DELIVERED, ""), B: (DeliveryStatus.DEAD, "refused")}
    (copies,) = [one.copies for one in traced.event.deliveries if one.target == A]
    assert [part.copy.message_ids for part in copies] == [("copy",)]


async def test_by_a_delivery(journal: Journal) -> None:
    _, second = await relayed(journal)
    traced = await journal.trace_delivery(second)
    assert traced is not None
    assert traced.original == ref(CHAT, "1")
    assert await journal.trace_delivery(999) is None


async def test_a_change_is_traced_with_its_message(journal: Journal) -> None:
    await relayed(journal)
    await accept(journal, edited("1"), A)
    (traced,) = await journal.trace(ref(CHAT, "1"))
    assert [change.change for change in traced.changes] == [ChangeKind.EDIT]


async def test_what_waits_says_behind_which(journal: Journal) -> None:
    first = await accept(journal, created("1"), A)
    await accept(journal, created("2"), A)
    later = Deferred(delivery_id=first.delivery_ids[0], attempt=1, not_before=at(60), error="busy")
    await journal.record(journal.lease(A.account), [later])
    (traced,) = await journal.trace(ref(CHAT, "2"))
    assert traced.event is not None
    (waiting,) = traced.event.deliveries
    assert waiting.behind is not None
    assert (waiting.behind.ahead, waiting.behind.last_error) == (1, "busy")


async def test_an_unknown_message_has_no_trace(journal: Journal) -> None:
    assert not await journal.trace(ref(CHAT, "nowhere"))
