"""What came before a copy follows it: see `CopyCameLate`."""

from __future__ import annotations

from bridge.journal.contract import (
    AcceptResult,
    Change,
    CopyCameLate,
    Dead,
    Delivered,
    Journal,
    OpenDelivery,
    Skipped,
)
from bridge.model.events import ChatEvent, MessageCreated, PinsChanged, ReactionsChanged
from bridge.model.outcomes import Skip
from bridge.model.refs import ChatAddress
from tests.bridge.journal.journal_makers import CHAT, A, B, accept, at, created, meta, native, reacted, sent


def pinned(message: str, *, version: int, now: bool = True) -> PinsChanged:
    return PinsChanged(meta=meta(f"pins:{message}:{version}"), message_id=message, pinned=now)


async def record(journal: Journal, *changes: Change) -> None:
    await journal.record(journal.lease(A.account), changes)


async def skip(journal: Journal, event: ChatEvent, *targets: ChatAddress, rule: Skip = Skip.REACTION_WITHOUT_COPY) -> None:
    accepted = await accept(journal, event, *targets)
    await record(journal, *(Skipped(delivery_id=number, rule=rule, at=at(1)) for number in accepted.delivery_ids))


def late(event: MessageCreated, accepted: AcceptResult, target: ChatAddress = A) -> CopyCameLate:
    return CopyCameLate(delivery_id=accepted.delivery_ids[0], event_seq=accepted.event_seq, event=event, route="r1", target=target)


async def following(journal: Journal, target: ChatAddress = A) -> list[OpenDelivery]:
    found = await journal.pending(target, 0, 100)
    return [one for one in found if isinstance(one, OpenDelivery)]


async def arrived(journal: Journal, event: MessageCreated, accepted: AcceptResult) -> None:
    """A dead letter's copy is there."""
    number, seq = accepted.delivery_ids[0], accepted.event_seq
    await record(journal, sent(number, seq, A, "copy"), Delivered(delivery_id=number, at=at(2)), late(event, accepted))


async def test_reactions_and_a_pin_follow_the_copy_in_its_lane_alone(journal: Journal) -> None:
    event = created("1")
    accepted = await accept(journal, event, A, B)
    await record(journal, Dead(delivery_id=accepted.delivery_ids[0], reason="no", at=at(0)))
    await skip(journal, reacted("1", version=1, added=("👍", "🎉")), A)
    await skip(journal, reacted("1", version=2, removed=("🎉",)), A)
    await skip(journal, pinned("1", version=1), A, rule=Skip.PIN_WITHOUT_COPY)
    await arrived(journal, event, accepted)
    reactions, pin = await following(journal)
    assert isinstance(reactions.event, ReactionsChanged)
    assert (reactions.event.message_id, reactions.event.added, reactions.event.removed) == ("1", ("👍",), ())
    assert isinstance(pin.event, PinsChanged)
    assert (pin.event.message_id, pin.event.pinned) == ("1", True)
    assert [one.event_seq for one in await following(journal, B)] == [accepted.event_seq]
    later = await accept(journal, created("2"), A)
    assert later.lane_seqs[0] > pin.lane_seq > reactions.lane_seq
    assert len({reactions.delivery_id, pin.delivery_id, *later.delivery_ids}) == 3


async def test_recorded_twice_nothing_follows_twice(journal: Journal) -> None:
    event = created("1")
    accepted = await accept(journal, event, A)
    await skip(journal, reacted("1", version=1, added=("👍",)), A)
    await arrived(journal, event, accepted)
    await record(journal, late(event, accepted))
    assert len(await following(journal)) == 1


async def test_nothing_follows_where_there_is_no_copy(journal: Journal) -> None:
    event = created("1")
    accepted = await accept(journal, event, A)
    await skip(journal, reacted("1", version=1, added=("👍",)), A)
    await record(journal, Dead(delivery_id=accepted.delivery_ids[0], reason="no", at=at(0)), late(event, accepted))
    assert not await following(journal)


async def test_what_was_skipped_for_another_reason_stays_so(journal: Journal) -> None:
    event = created("1")
    accepted = await accept(journal, event, A)
    await skip(journal, reacted("1", version=1, added=("👍",)), A, rule=Skip.CANNOT_REACT)
    await skip(journal, pinned("1", version=1), A, rule=Skip.PIN_REFUSED)
    await arrived(journal, event, accepted)
    assert not await following(journal)


async def test_what_is_open_yet_finds_the_copy_by_itself(journal: Journal) -> None:
    event = created("1")
    accepted = await accept(journal, event, A)
    waiting = await accept(journal, reacted("1", version=1, added=("👍",)), A)
    await arrived(journal, event, accepted)
    assert [one.event_seq for one in await following(journal)] == [waiting.event_seq]


async def test_a_pin_that_was_taken_away_again(journal: Journal) -> None:
    event = created("1")
    accepted = await accept(journal, event, A)
    for version, now in enumerate([True, False]):
        await skip(journal, pinned("1", version=version, now=now), A, rule=Skip.PIN_WITHOUT_COPY)
    await arrived(journal, event, accepted)
    assert not await following(journal)


async def test_reactions_on_another_copy_and_on_further_messages_of_an_album(journal: Journal) -> None:
    event = created("1", also=("2",))
    accepted = await accept(journal, event, A, B)
    dead, other = accepted.delivery_ids
    await record(journal, sent(other, accepted.event_seq, B, "copy at B"), Delivered(delivery_id=other, at=at(0)))
    await record(journal, Dead(delivery_id=dead, reason="no", at=at(0)))
    await skip(journal, reacted("copy at B", native(B), version=1, added=("👍",)), A)
    await skip(journal, reacted("2", version=1, added=("🎉",)), A)
    await arrived(journal, event, accepted)
    (reactions,) = await following(journal)
    assert isinstance(reactions.event, ReactionsChanged)
    assert set(reactions.event.added) == {"👍", "🎉"}
    assert reactions.event.meta.origin == CHAT


async def test_it_is_forgotten_with_its_message(journal: Journal) -> None:
    event = created("1")
    accepted = await accept(journal, event, A)
    await skip(journal, reacted("1", version=1, added=("👍",)), A)
    await arrived(journal, event, accepted)
    (reactions,) = await following(journal)
    await record(journal, Delivered(delivery_id=reactions.delivery_id, at=at(3)))
    assert await journal.prune(before=at(1)) == 3
    assert (await journal.figures()).events == 0
    await record(journal, late(event, accepted))
    assert not await following(journal)
