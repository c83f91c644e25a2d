"""Links: from any native message to its original and its copies; the latest messages of a chat; reactions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bridge.journal.contract import TALLY_PART, AttemptStarted, Delivered, Journal, Link, Original, PartGone, StoredPart
from bridge.model.adapter import Copy
from bridge.model.refs import AccountName, ChatRef
from tests.bridge.journal.journal_makers import (
    CHAT,
    A,
    B,
    accept,
    at,
    created,
    deleted,
    deliver,
    edited,
    entry,
    lane,
    message,
    native,
    reacted,
    sent,
)
from tests.support.deliveries import readable

Reopen = Callable[[Journal], Awaitable[Journal]]


def one(target_chat: str, *ids: str, part: int = 0) -> StoredPart:
    return StoredPart(part=part, copy=Copy(chat_id=target_chat, message_ids=ids))


async def test_every_message_leads_to_the_original_and_its_siblings(journal: Journal, reopen: Reopen) -> None:
    accepted = await accept(journal, created("1", also=("2", "3")), A, B)
    await deliver(journal, accepted, (A, "70"), (B, "80"))
    journal = await reopen(journal)
    for asked, is_original in [
        (message(CHAT, "1"), True),
        (message(CHAT, "2"), True),
        (message(CHAT, "3"), True),
        (message(native(A), "70"), False),
        (message(native(B), "80"), False),
    ]:
        for target, copies in ((A, (one("N-A", "70"),)), (B, (one("N-B", "80"),)), (lane("C"), ())):
            assert await journal.link(asked, target) == Link(
                event_seq=accepted.event_seq,
                original=message(CHAT, "1"),
                is_original=is_original,
                author_name="Anna",
                copies=copies,
                also_ids=("2", "3"),
            )


async def test_a_message_that_is_not_known_has_no_link(journal: Journal) -> None:
    await deliver(journal, await accept(journal, created("1"), A), (A, "70"))
    unknown = [
        message(CHAT, "2"),
        message(CHAT, "01"),
        message(native(A), "1"),
        message(ChatRef(AccountName("another"), "C1"), "1"),
        message(ChatRef(CHAT.account, "C2"), "1"),
    ]
    for asked in unknown:
        assert await journal.link(asked, A) is None


async def test_a_link_is_there_before_any_copy_is(journal: Journal) -> None:
    accepted = await accept(journal, created("1", author=None), A)
    link = await journal.link(message(CHAT, "1"), A)
    assert link is not None
    assert (link.event_seq, link.copies, link.author_name) == (accepted.event_seq, (), "")


async def test_edits_and_deletes_register_nothing(journal: Journal) -> None:
    await accept(journal, edited("1"), A)
    await accept(journal, deleted("2"), A)
    assert await journal.link(message(CHAT, "1"), A) is None
    assert await journal.link(message(CHAT, "2"), A) is None


async def test_parts_come_in_order_and_each_of_their_ids_is_a_link(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    ids = {part: (f"{part}a", f"{part}b") for part in (1, 0, 2, 10)}
    await journal.record(
        journal.lease(A.account), [sent(delivery, accepted.event_seq, A, *names, part=part) for part, names in ids.items()]
    )
    for part, names in ids.items():
        for name in names:
            link = await journal.link(message(native(A), name), A)
            assert link is not None
            assert link.copies == tuple(one("N-A", *ids[number], part=number) for number in (0, 1, 2, 10)), part


async def test_a_part_sent_anew_replaces_the_old_one(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    await deliver(journal, accepted, (A, "70"))
    edit = await accept(journal, edited("1"), A)
    await journal.record(
        journal.lease(A.account),
        [sent(edit.delivery_ids[0], accepted.event_seq, A, "71"), Delivered(delivery_id=edit.delivery_ids[0], at=at(1))],
    )
    assert await journal.link(message(native(A), "70"), A) is None
    link = await journal.link(message(native(A), "71"), A)
    assert link is not None
    assert link.event_seq == accepted.event_seq
    assert link.copies == (one("N-A", "71"),)


async def test_a_part_edited_in_place_keeps_its_id(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    await journal.record(journal.lease(A.account), [sent(delivery, accepted.event_seq, A, "70", "71")])
    await journal.record(journal.lease(A.account), [sent(delivery, accepted.event_seq, A, "71", adapter_data="edited")])
    link = await journal.link(message(native(A), "71"), A)
    assert link is not None
    assert link.copies[0].copy.adapter_data == "edited"
    assert await journal.link(message(native(A), "70"), A) is None


async def test_parts_that_are_gone(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A, B)
    seq = accepted.event_seq
    await deliver(journal, accepted, (A, "70"), (B, "70"))
    await journal.record(journal.lease(A.account), [sent(accepted.delivery_ids[0], seq, A, "71", part=1)])
    await journal.record(
        journal.lease(A.account), [PartGone(event_seq=seq, target=A, part=1), PartGone(event_seq=seq, target=lane("?"), part=0)]
    )
    link = await journal.link(message(native(A), "70"), A)
    assert link is not None
    assert link.copies == (one("N-A", "70"),)
    assert await journal.link(message(native(A), "71"), A) is None
    await journal.record(
        journal.lease(A.account), [PartGone(event_seq=seq, target=A, part=0), PartGone(event_seq=seq, target=A, part=0)]
    )
    assert await journal.link(message(native(A), "70"), A) is None
    other = await journal.link(message(native(B), "70"), A)
    assert other is not None
    assert other.copies == ()


async def test_a_gone_part_and_its_successor_in_one_call(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    await deliver(journal, accepted, (A, "70"))
    delivery, seq = accepted.delivery_ids[0], accepted.event_seq
    await journal.record(journal.lease(A.account), [PartGone(event_seq=seq, target=A, part=0), sent(delivery, seq, A, "71")])
    assert await journal.link(message(native(A), "71"), A) is not None
    await journal.record(journal.lease(A.account), [sent(delivery, seq, A, "72"), PartGone(event_seq=seq, target=A, part=0)])
    for gone in ("70", "71", "72"):
        assert await journal.link(message(native(A), gone), A) is None


async def test_a_late_receipt_of_a_dead_delivery_still_links(journal: Journal) -> None:
    """The copy exists, whatever was decided about the delivery meanwhile."""
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    await journal.record(
        journal.lease(A.account),
        [AttemptStarted(delivery_id=delivery, part=0, attempt=1, at=at(0)), Delivered(delivery_id=delivery, at=at(1))],
    )
    await journal.record(journal.lease(A.account), [sent(delivery, accepted.event_seq, A, "70")])
    assert await journal.link(message(native(A), "70"), A) is not None
    assert await journal.open_lanes() == []


async def test_a_copy_under_an_id_that_was_taken_for_an_original(journal: Journal) -> None:
    """Our message came back before its receipt did and was not recognised. From the receipt on it is known as a copy."""
    accepted = await accept(journal, created("1"), A)
    await accept(journal, created("70", native(A)), B)
    await deliver(journal, accepted, (A, "70"))
    link = await journal.link(message(native(A), "70"), A)
    assert link is not None
    assert (link.event_seq, link.is_original) == (accepted.event_seq, False)


async def test_a_receipt_for_an_event_that_is_pruned_is_harmless(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    await deliver(journal, accepted, (A, "70"))
    edit = await accept(journal, edited("1"), A, when=100)
    assert await journal.prune(before=at(50)) == 1
    (delivery,) = edit.delivery_ids
    await journal.record(
        journal.lease(A.account), [sent(delivery, accepted.event_seq, A, "71"), Delivered(delivery_id=delivery, at=at(101))]
    )
    assert await journal.link(message(native(A), "71"), A) is None


ID_SHAPES = ["0", "7", "-5", "007", "9223372036854775807", "9223372036854775808", "1300000000000000000", "1700000000.000100"]
ID_SHAPES += [
    "0700000000.000100",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
    "",
    "ü",
    "١",
    "a" * 300,
]


async def test_ids_of_every_shape_are_kept_apart(journal: Journal, reopen: Reopen) -> None:
    for shape in ID_SHAPES:
        await deliver(journal, await accept(journal, created(shape, key=f"k{shape}"), A), (A, shape))
    journal = await reopen(journal)
    for shape in ID_SHAPES:
        link = await journal.link(message(native(A), shape), A)
        assert link is not None
        assert link.original == message(CHAT, shape)
        assert link.copies == (one("N-A", shape),)
    assert sorted(await journal.latest_messages(CHAT, 100)) == sorted(ID_SHAPES)


# -- the latest messages of a chat ------------------------------------------------------------------------------------------


async def test_latest_messages_are_originals_and_copies_newest_first(journal: Journal, reopen: Reopen) -> None:
    expected: list[str] = []
    for number in range(10):
        if number % 3:
            await accept(journal, created(f"x{99 - number}", native(A)))
            expected.insert(0, f"x{99 - number}")
        else:
            await deliver(journal, await accept(journal, created(f"{number}"), A), (A, f"c{number}"))
            expected.insert(0, f"c{number}")
    journal = await reopen(journal)
    assert await journal.latest_messages(native(A), 100) == expected
    assert await journal.latest_messages(native(A), 4) == expected[:4]
    assert await journal.latest_messages(native(B), 4) == []


async def test_a_copy_that_is_gone_is_not_among_the_latest(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    await deliver(journal, accepted, (A, "70"))
    await journal.record(journal.lease(A.account), [PartGone(event_seq=accepted.event_seq, target=A, part=0)])
    assert await journal.latest_messages(native(A), 10) == []


# -- threads ----------------------------------------------------------------------------------------------------------------


async def test_two_threads_of_one_chat_have_copies_of_their_own(journal: Journal, reopen: Reopen) -> None:
    accepted = await accept(journal, created("1"), (A, "7"), (A, "8"), A, B)
    seq = accepted.event_seq
    await deliver(journal, accepted, ((A, "7"), "70"), ((A, "8"), "80"), (A, "90"), (B, "70"))
    journal = await reopen(journal)
    for asked in (message(CHAT, "1"), message(native(A), "70"), message(native(A), "80"), message(native(A), "90")):
        for thread, copy in (("7", "70"), ("8", "80"), (None, "90")):
            link = await journal.link(asked, A, thread)
            assert link is not None
            assert [sent.copy.message_ids for sent in link.copies] == [(copy,)]
            assert link.elsewhere == ()
    await journal.record(journal.lease(A.account), [PartGone(event_seq=seq, target=A, thread_id="8", part=0)])
    assert await journal.link(message(native(A), "80"), A, "8") is None
    link = await journal.link(message(CHAT, "1"), A, "8")
    assert link is not None
    assert [(other.thread_id, other.copies[0].copy.message_ids) for other in link.elsewhere] == [(None, ("90",)), ("7", ("70",))]
    link = await journal.link(message(CHAT, "1"), A, "never seen")
    assert link is not None
    assert (link.copies, len(link.elsewhere)) == ((), 2)


async def test_an_edit_of_one_threads_copy_leaves_the_others(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), (A, "7"), (A, "8"))
    await deliver(journal, accepted, ((A, "7"), "70"), ((A, "8"), "80"))
    edit = await accept(journal, edited("1"), (A, "7"), (A, "8"))
    await journal.record(journal.lease(A.account), [sent(edit.delivery_ids[1], accepted.event_seq, (A, "8"), "80", "81")])
    for thread, ids in (("7", ("70",)), ("8", ("80", "81"))):
        link = await journal.link(message(CHAT, "1"), A, thread)
        assert link is not None
        assert [sent.copy.message_ids for sent in link.copies] == [ids]
    seven, eight = readable(await journal.pending(A, 0, 10))
    assert (seven.thread_id, seven.parts) == ("7", ())
    assert (eight.thread_id, [part.copy.message_ids for part in eight.parts]) == ("8", [("80", "81")])


async def test_what_people_hold_on_one_threads_copy_is_shown_on_the_others(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), (A, "7"), (A, "8"))
    await deliver(journal, accepted, ((A, "7"), "70"), ((A, "8"), "80"))
    await accept(journal, reacted("70", native(A), version=1, added=("👍",)))
    await accept(journal, reacted("80", native(A), version=2, added=("👍", "🎉")))
    await accept(journal, reacted("80", native(A), version=3, removed=("👍",)))
    assert await journal.reactions(accepted.event_seq, not_on=[message(native(A), "70")]) == ["🎉"]
    assert await journal.reactions(accepted.event_seq, not_on=[message(native(A), "80")]) == ["👍"]


# -- reactions --------------------------------------------------------------------------------------------------------------


async def test_reactions_are_those_of_people_elsewhere_latest_first(journal: Journal, reopen: Reopen) -> None:
    accepted = await accept(journal, created("1"), A, B)
    await deliver(journal, accepted, (A, "70"), (B, "80"))
    seq = accepted.event_seq
    await accept(journal, reacted("1", version=1, who="Anna", added=("👍", "🎉")))
    await accept(journal, reacted("70", native(A), version=2, who="Boris", added=(":cat:",)))
    await accept(journal, reacted("80", native(B), version=3, who="Clara", added=("👍",)))
    journal = await reopen(journal)
    assert await journal.reactions(seq, not_on=()) == ["👍", ":cat:", "🎉"]
    assert await journal.reactions(seq, not_on=[message(native(B), "80")]) == [":cat:", "🎉", "👍"]
    assert await journal.reactions(seq, not_on=[message(native(A), "70")]) == ["👍", "🎉"]
    assert await journal.reactions(seq + 1, not_on=[message(native(A), "70")]) == []


async def test_an_emoji_stays_while_somebody_holds_it(journal: Journal) -> None:
    seq = (await accept(journal, created("1"))).event_seq
    await accept(journal, reacted("1", version=1, who="Anna", added=("👍",)))
    await accept(journal, reacted("1", version=2, who="Boris", added=("👍",)))
    await accept(journal, reacted("1", version=3, who="Anna", removed=("👍",), added=("😀",)))
    assert await journal.reactions(seq, not_on=()) == ["😀", "👍"]
    await accept(journal, reacted("1", version=4, who="Boris", removed=("👍",)))
    assert await journal.reactions(seq, not_on=()) == ["😀"]


async def test_a_tally_counts_people_and_the_most_held_come_first(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A, B)
    await deliver(journal, accepted, (A, "70"), (B, "80"))
    seq = accepted.event_seq
    await accept(journal, reacted("1", version=1, who="Anna", added=("👍", "🎉")))
    await accept(journal, reacted("1", version=2, who="Boris", added=("👍",)))
    await accept(journal, reacted("70", native(A), version=3, who="Anna", added=(":cat:",)))
    assert [(one.emoji, one.people) for one in await journal.tally(seq, not_on=())] == [("👍", 2), (":cat:", 1), ("🎉", 1)]
    elsewhere = await journal.tally(seq, not_on=[message(native(A), "70")])
    assert [(one.emoji, one.people) for one in elsewhere] == [("👍", 2), ("🎉", 1)]
    assert await journal.tally(seq + 1, not_on=()) == []


async def test_the_line_about_reactions_is_no_copy(journal: Journal) -> None:
    accepted = await accept(journal, created("1"), A)
    await deliver(journal, accepted, (A, "70"))
    following = await accept(journal, reacted("1", version=1, added=("👍",)), A)
    line = sent(following.delivery_ids[0], accepted.event_seq, A, "71", part=TALLY_PART)
    await journal.record(journal.lease(A.account), [line])
    for asked in (message(CHAT, "1"), message(native(A), "71")):
        link = await journal.link(asked, A)
        assert link is not None
        assert link.tally is not None
        assert [sent.copy.message_ids for sent in link.copies] == [("70",)]
        assert link.tally.copy.message_ids == ("71",)


async def test_a_duplicate_or_stray_reaction_changes_nothing(journal: Journal) -> None:
    seq = (await accept(journal, created("1"))).event_seq
    again = reacted("1", version=1, added=("👍",))
    await accept(journal, again)
    await accept(journal, reacted("1", version=2, removed=("👍", "🙈")))
    await journal.accept(journal.lease(CHAT.account), [entry(again)], [], received_at=at(0))
    await accept(journal, reacted("nothing known", version=3, added=("👍",)))
    assert await journal.reactions(seq, not_on=()) == []


async def test_our_own_reaction_is_nobodys(journal: Journal) -> None:
    """Otherwise the emoji that the bridge shows for everyone would never go away again."""
    seq = (await accept(journal, created("1"))).event_seq
    await accept(journal, reacted("1", version=1, added=("👍",), ours=True))
    await accept(journal, reacted("1", version=2, who=None, added=("🎉",)))
    assert await journal.reactions(seq, not_on=()) == ["🎉"]


async def test_a_reaction_accepted_together_with_its_message(journal: Journal) -> None:
    first, _ = await journal.accept(
        journal.lease(CHAT.account), [entry(created("1")), entry(reacted("1", version=1, added=("👍",)))], [], received_at=at(0)
    )
    assert await journal.reactions(first.event_seq, not_on=()) == ["👍"]


@pytest.mark.parametrize("count", [1, 3, 200])
async def test_many_parts_in_one_call(journal: Journal, count: int) -> None:
    accepted = await accept(journal, created("1"), A)
    (delivery,) = accepted.delivery_ids
    await journal.record(
        journal.lease(A.account), [sent(delivery, accepted.event_seq, A, f"p{part}", part=part) for part in range(count)]
    )
    link = await journal.link(message(CHAT, "1"), A)
    assert link is not None
    assert [part.copy.message_ids for part in link.copies] == [(f"p{part}",) for part in range(count)]


async def test_an_original_says_what_became_of_it(journal: Journal, reopen: Reopen) -> None:
    await deliver(journal, await accept(journal, created("1", also=("2",)), A), (A, "70"))
    await accept(journal, created("5"), A)
    assert await journal.original(message(CHAT, "2")) == Original()
    assert await journal.original(message(native(A), "70")) is None, "a copy is no original"
    assert await journal.original(message(CHAT, "9")) is None
    await accept(journal, edited("1"), A)
    await accept(journal, deleted("5"), A)
    journal = await reopen(journal)
    for asked in ("1", "2"):
        assert await journal.original(message(CHAT, asked)) == Original(edit=edited("1"))
    assert await journal.original(message(CHAT, "5")) == Original(is_deleted=True)
    await accept(journal, edited("5", version=2), A)
    assert await journal.original(message(CHAT, "5")) == Original(is_deleted=True), "a late edit does not bring it back"


async def test_an_original_is_forgotten_with_its_event(journal: Journal) -> None:
    await deliver(journal, await accept(journal, created("1"), A), (A, "70"))
    await journal.prune(before=at(10))
    assert await journal.original(message(CHAT, "1")) is None
