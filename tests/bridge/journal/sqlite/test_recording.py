"""Recording: changes that are recorded together do what they do one by one, whatever their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from bridge.journal.contract import AttemptStarted, Change, Dead, Deferred, Delivered, DeliveryStatus, Journal, PartGone, Skipped
from bridge.model.outcomes import Skip
from bridge.model.refs import ChatAddress
from tests.bridge.journal.journal_makers import A, B, accept, at, created, sent
from tests.support.deliveries import readable


def attempt(delivery: int, number: int = 1, *, part: int = 0) -> AttemptStarted:
    return AttemptStarted(delivery_id=delivery, part=part, attempt=number, at=at(number))


async def left(journal: Journal, target: ChatAddress) -> list[dict[str, Any]]:
    """What is open in a lane, but for what names it."""
    names = ("delivery_id", "lane_seq", "event_seq", "target", "event", "parts")
    found = readable(await journal.pending(target, 0, 10))
    return [
        {name: value for name, value in msgspec.structs.asdict(one).items() if name not in names}
        | {"parts": [(part.part, part.copy.message_ids) for part in one.parts]}
        for one in found
    ]


async def changes_of(journal: Journal, target: ChatAddress, case: str) -> Sequence[Change]:
    accepted = await accept(journal, created(f"{target.address}-{case}"), target)
    seq, (delivery,) = accepted.event_seq, accepted.delivery_ids
    match case:
        case "a part and the end":
            return [attempt(delivery), sent(delivery, seq, target, "m0"), Delivered(delivery_id=delivery, at=at(2))]
        case "two parts, of which the second is tried":
            return [attempt(delivery), sent(delivery, seq, target, "m0"), attempt(delivery, 2, part=1)]
        case "failed, and tried again":
            later = Deferred(delivery_id=delivery, attempt=1, not_before=at(9), error="busy")
            return [attempt(delivery), later, attempt(delivery, 2)]
        case "a part that is gone at once":
            return [attempt(delivery), sent(delivery, seq, target, "m0"), PartGone(event_seq=seq, target=target, part=0)]
        case "given up":
            return [attempt(delivery), Dead(delivery_id=delivery, reason="refused", at=at(2))]
        case _:
            return [Skipped(delivery_id=delivery, rule=Skip.NOTHING_CHANGED, at=at(2))]


CASES = [
    "a part and the end",
    "two parts, of which the second is tried",
    "failed, and tried again",
    "a part that is gone at once",
    "given up",
    "skipped",
]


@pytest.mark.parametrize("case", CASES)
async def test_together_is_as_one_by_one(journal: Journal, case: str) -> None:
    lease = journal.lease(A.account)
    await journal.record(lease, await changes_of(journal, A, case))
    for change in await changes_of(journal, B, case):
        await journal.record(lease, [change])
    assert await left(journal, A) == await left(journal, B)


async def test_changes_of_many_deliveries_in_one_call(journal: Journal) -> None:
    changes = [change for case in CASES for change in await changes_of(journal, A, case)]
    await journal.record(journal.lease(A.account), changes)
    assert [(one["state"], one["attempt"]) for one in await left(journal, A)] == [
        (DeliveryStatus.SENDING, 2),
        (DeliveryStatus.SENDING, 2),
        (DeliveryStatus.WAITING, 0),
    ]
