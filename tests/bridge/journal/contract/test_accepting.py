"""Accepting: all or nothing, duplicates, echoes, cursors, undecodable input."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bridge.journal.contract import Journal, PartGone, Verdict
from bridge.model.adapter import Cursor
from bridge.model.events import ChatRenamed, MessageCreated
from bridge.model.refs import AccountName, ChatRef
from tests.bridge.journal.journal_makers import (
    ACCOUNT,
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
)
from tests.bridge.journal.journal_makers import sent as part_sent
from tests.support.deliveries import readable

Reopen = Callable[[Journal], Awaitable[Journal]]


async def test_answers_are_parallel_to_entries_and_their_deliveries(journal: Journal) -> None:
    first, second = await journal.accept(
        journal.lease(ACCOUNT), [entry(created("1"), A, B), entry(created("2"), A, skipped=(B,))], [], received_at=at(0)
    )
    assert first.verdict is second.verdict is Verdict.ACCEPTED
    assert first.event_seq < second.event_seq
    assert len(first.delivery_ids) == len(second.delivery_ids) == 2
    ids = [*first.delivery_ids, *second.delivery_ids]
    assert ids == sorted(set(ids))
    assert [pending.delivery_id for pending in await journal.pending(A, 0, 10)] == [ids[0], ids[2]]
    assert [pending.delivery_id for pending in await journal.pending(B, 0, 10)] == [ids[1]]


async def test_a_redelivered_event_is_a_duplicate(journal: Journal, reopen: Reopen) -> None:
    await accept(journal, created("1"), A)
    for _ in range(2):
        (again,) = await journal.accept(journal.lease(ACCOUNT), [entry(created("1"), A)], [], received_at=at(9))
        assert again.verdict is Verdict.DUPLICATE
        assert not again.delivery_ids
        journal = await reopen(journal)
    assert len(await journal.pending(A, 0, 10)) == 1


async def test_the_same_event_twice_in_one_call(journal: Journal) -> None:
    answers = await journal.accept(journal.lease(ACCOUNT), [entry(created("1"), A), entry(created("1"), A)], [], received_at=at(0))
    assert [answer.verdict for answer in answers] == [Verdict.ACCEPTED, Verdict.DUPLICATE]


async def test_the_same_event_in_concurrent_calls_is_accepted_once(journal: Journal) -> None:
    calls = [journal.accept(journal.lease(ACCOUNT), [entry(created("1"), A)], [], received_at=at(0)) for _ in range(20)]
    verdicts = sorted(answer.verdict for (answer,) in await asyncio.gather(*calls))
    assert verdicts == [Verdict.ACCEPTED] + [Verdict.DUPLICATE] * 19


async def test_a_key_is_known_once_accepted(journal: Journal, reopen: Reopen) -> None:
    assert not await journal.is_known("created:origin/C1:1")
    await accept(journal, created("1"))
    assert await journal.is_known("created:origin/C1:1")
    journal = await reopen(journal)
    assert await journal.is_known("created:origin/C1:1")


async def test_events_of_one_text_and_different_keys_are_different(journal: Journal) -> None:
    await accept(journal, created("1", key="k1"), A)
    await accept(journal, created("2", key="k2"), A)


@pytest.mark.parametrize("event", [created("77", native(A)), edited("77", native(A)), deleted("77", native(A))])
async def test_our_own_copy_coming_back_is_an_echo(journal: Journal, event: MessageCreated) -> None:
    await deliver(journal, await accept(journal, created("1"), A), (A, "77"))
    (answer,) = await journal.accept(journal.lease(native(A).account), [entry(event, B)], [], received_at=at(0))
    assert answer.verdict is Verdict.ECHO
    assert not await journal.is_known(event.meta.event_key)
    assert await journal.pending(B, 0, 10) == []


async def test_an_echo_is_one_only_in_its_own_chat_and_account(journal: Journal) -> None:
    """Message ids are unique per chat only: a bridge that forgot the chat overwrote 47 of 100 copies."""
    await deliver(journal, await accept(journal, created("1"), A), (A, "77"))
    other_account = ChatRef(AccountName("another"), native(A).chat_id)
    for chat in (native(B), CHAT, other_account):
        await accept(journal, created("77", chat), B)


async def test_an_album_that_contains_our_copy_is_an_echo(journal: Journal) -> None:
    await deliver(journal, await accept(journal, created("1"), A), (A, "77"))
    event = created("76", native(A), also=("77",))
    (answer,) = await journal.accept(journal.lease(native(A).account), [entry(event)], [], received_at=at(0))
    assert answer.verdict is Verdict.ECHO


async def test_a_persons_reaction_to_our_copy_is_no_echo(journal: Journal) -> None:
    await deliver(journal, await accept(journal, created("1"), A), (A, "77"))
    await accept(journal, reacted("77", native(A), version=1, added=("👍",)))


async def test_an_echo_accepted_while_its_receipt_is_recorded(journal: Journal) -> None:
    """The platform may show us our message before it answers the send: recording comes first when both are waiting."""
    for number in range(20):
        accepted = await accept(journal, created(f"{number}"), A)
        (delivery,) = accepted.delivery_ids
        _, (answer,) = await asyncio.gather(
            journal.record(journal.lease(A.account), [part_sent(delivery, accepted.event_seq, A, f"9{number}")]),
            journal.accept(journal.lease(native(A).account), [entry(created(f"9{number}", native(A)))], [], received_at=at(0)),
        )
        assert answer.verdict is Verdict.ECHO


async def test_deleting_our_copy_comes_back_as_an_echo(journal: Journal, reopen: Reopen) -> None:
    accepted = await accept(journal, created("1"), A)
    await deliver(journal, accepted, (A, "77"))
    await journal.record(journal.lease(A.account), [PartGone(event_seq=accepted.event_seq, target=A, part=0)])
    assert await journal.link(message(native(A), "77"), A) is None
    journal = await reopen(journal)
    (answer,) = await journal.accept(journal.lease(native(A).account), [entry(deleted("77", native(A)))], [], received_at=at(0))
    assert answer.verdict is Verdict.ECHO


async def test_cursors_are_stored_with_the_events(journal: Journal, reopen: Reopen) -> None:
    assert await journal.cursor(ACCOUNT, "offset") is None
    cursors = [Cursor(name="offset", value="1"), Cursor(name="chat:ü", value='{"held": []}'), Cursor(name="offset", value="2")]
    await journal.accept(journal.lease(ACCOUNT), [entry(created("1"), A)], cursors, received_at=at(0))
    journal = await reopen(journal)
    assert await journal.cursor(ACCOUNT, "offset") == "2"
    assert await journal.cursor(ACCOUNT, "chat:ü") == '{"held": []}'
    assert await journal.cursor(AccountName("another"), "offset") is None
    await journal.accept(journal.lease(ACCOUNT), [], [Cursor(name="offset", value="")], received_at=at(0))
    assert await journal.cursor(ACCOUNT, "offset") == ""


async def test_what_cannot_be_stored_stores_nothing(journal: Journal) -> None:
    """Half a surrogate pair is no text: the call fails, its other entries and its cursor are not there either."""
    entries = [entry(created("1"), A), entry(created("2", author="\ud83d"), A)]
    with pytest.raises(ValueError):
        await journal.accept(journal.lease(ACCOUNT), entries, [Cursor(name="offset", value="1")], received_at=at(0))
    with pytest.raises(ValueError):
        await journal.accept(
            journal.lease(ACCOUNT), [entry(created("1"), A)], [Cursor(name="offset", value="\ud83d")], received_at=at(0)
        )
    assert await journal.cursor(ACCOUNT, "offset") is None
    assert await journal.pending(A, 0, 10) == []
    await accept(journal, created("1"), A)


async def test_a_call_that_cannot_be_stored_fails_alone(journal: Journal) -> None:
    calls = [
        journal.accept(
            journal.lease(ACCOUNT), [entry(created(f"{number}"), A)], [Cursor(name=f"{number}", value=value)], received_at=at(0)
        )
        for number, value in enumerate(["a", "b", "\ud83d", "c"] * 5)
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(outcome, ValueError) for outcome in outcomes] == [False, False, True, False] * 5
    assert len(await journal.pending(A, 0, 100)) == 15


async def test_numbers_grow_and_are_never_used_twice(journal: Journal, reopen: Reopen) -> None:
    """Also when everything was pruned in between, and after a call that failed."""
    last_seq = last_delivery = 0
    for number in range(6):
        with pytest.raises(ValueError):
            await journal.accept(
                journal.lease(ACCOUNT), [entry(created("x"), A)], [Cursor(name="\ud83d", value="")], received_at=at(0)
            )
        accepted = await accept(journal, created(f"{number}"), A)
        assert accepted.event_seq > last_seq
        assert accepted.delivery_ids[0] > last_delivery
        last_seq, (last_delivery,) = accepted.event_seq, accepted.delivery_ids
        await deliver(journal, accepted, (A, f"{number}"))
        assert await journal.prune(before=at(10)) == 1
        if number % 2:
            journal = await reopen(journal)


async def test_events_about_no_message_are_stored(journal: Journal) -> None:
    event = ChatRenamed(meta=created("1").meta, name="new name")
    await accept(journal, event, A)
    (pending,) = readable(await journal.pending(A, 0, 1))
    assert pending.event == event


async def test_a_cancelled_caller_does_not_undo_what_was_asked(journal: Journal) -> None:
    task = asyncio.ensure_future(journal.accept(journal.lease(ACCOUNT), [entry(created("1"), A)], [], received_at=at(0)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (answer,) = await journal.accept(journal.lease(ACCOUNT), [entry(created("1"), A)], [], received_at=at(0))
    assert answer.verdict is Verdict.DUPLICATE


async def test_undecodable_input_is_kept_with_its_cursor(journal: Journal, reopen: Reopen) -> None:
    raw = bytes(range(256)) * 257
    await journal.keep_undecodable(journal.lease(ACCOUNT), raw, "no `ts`", [Cursor(name="offset", value="5")], received_at=at(4))
    await journal.keep_undecodable(journal.lease(ACCOUNT), b"{}", "empty", [], received_at=at(5))
    journal = await reopen(journal)
    newest, oldest = await journal.undecodable()
    assert (newest.raw, newest.reason, newest.account, newest.received_at) == (b"{}", "empty", ACCOUNT, at(5))
    assert oldest.raw == raw[: 64 * 1024]
    assert newest.number > oldest.number
    assert await journal.cursor(ACCOUNT, "offset") == "5"
    assert [kept.raw for kept in await journal.undecodable(1)] == [b"{}"]
    assert (await journal.figures()).undecodable == 2
    await journal.prune(before=at(5))
    assert [kept.raw for kept in await journal.undecodable()] == [b"{}"]


async def test_lanes_are_told_apart_by_account(journal: Journal) -> None:
    await accept(journal, created("1"), lane("A"), lane("A", "other"))
    assert sorted(await journal.open_lanes()) == [lane("A", "other"), lane("A")]
