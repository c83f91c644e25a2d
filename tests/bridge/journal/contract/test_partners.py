"""Threads of different chats that are one conversation: one in a chat, found from each of them, forgotten together."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable

import pytest

from bridge.journal.contract import AcceptRequest, Journal, Made, PartnerState, Verdict
from bridge.model.events import EventMeta, ThreadChange, ThreadChanged, ThreadDeleted
from bridge.model.refs import ThreadRef
from tests.bridge.journal.journal_makers import CHAT, A, B, at, native

Reopen = Callable[[Journal], Awaitable[Journal]]
HERE = ThreadRef(CHAT, "45")


async def test_a_thread_that_was_wanted_is_wanted_still_after_a_crash(journal: Journal, reopen: Reopen) -> None:
    first = await journal.partners.want_partner(HERE, native(A), title="Releases", at=at(1))
    assert (first.state, first.thread_id, first.at) == (PartnerState.WANTED, "", at(1))
    journal = await reopen(journal)
    again = await journal.partners.want_partner(HERE, native(A), title="Other words", at=at(9))
    assert again == first
    assert await journal.partners.wanted_in(native(A)) == [first]
    assert await journal.partners.wanted_in(native(B)) == []


async def test_every_thread_of_a_conversation_leads_to_the_others(journal: Journal, reopen: Reopen) -> None:
    store = journal.partners
    await store.want_partner(HERE, native(A), title="Releases", at=at(1))
    assert await store.set_partner(HERE, native(A), "700", title="Releases", at=at(2))
    assert await store.set_partner(ThreadRef(native(A), "700"), native(B), "1700000000.123456", title="Releases", at=at(3))
    store = (await reopen(journal)).partners
    for thread in (HERE, ThreadRef(native(A), "700"), ThreadRef(native(B), "1700000000.123456")):
        found = {one.chat: one.thread_id for one in await store.partners(thread)}
        assert found == {CHAT: "45", native(A): "700", native(B): "1700000000.123456"}
    assert await store.wanted_in(native(A)) == []
    assert await store.partner(ThreadRef(CHAT, "46"), native(A)) is None


async def test_a_thread_belongs_to_one_conversation(journal: Journal) -> None:
    store = journal.partners
    assert await store.set_partner(HERE, native(A), "700", title="one", at=at(1))
    assert not await store.set_partner(ThreadRef(CHAT, "46"), native(A), "700", title="two", at=at(2))
    assert await store.partners(ThreadRef(CHAT, "46")) == []


async def test_what_was_refused_stays_refused_and_what_is_gone_is_forgotten(journal: Journal) -> None:
    store = journal.partners
    assert await store.set_partner(HERE, native(A), "", title="one", at=at(1))
    refused = await store.partner(HERE, native(A))
    assert refused is not None
    assert (refused.state, refused.thread_id) == (PartnerState.REFUSED, "")
    await store.set_partner(HERE, native(B), "800", title="one", at=at(1))
    await store.forget_thread(ThreadRef(native(B), "800"))
    assert await store.partner(HERE, native(B)) is None
    assert await store.partners(HERE)


async def test_a_conversation_is_forgotten_once_none_of_its_threads_is_used(journal: Journal) -> None:
    store = journal.partners
    await store.set_partner(HERE, native(A), "700", title="one", at=at(1))
    await store.set_partner(ThreadRef(CHAT, "46"), native(A), "701", title="two", at=at(1))
    await store.use_partner(HERE, native(A), at=at(50))
    await journal.prune(before=at(10))
    assert len(await store.partners(HERE)) == 2
    assert await store.partners(ThreadRef(CHAT, "46")) == []


async def tell(journal: Journal, thread: ThreadRef, what: str, name: str = "", *, key: str = "") -> Verdict:
    """A thread's change as an account tells it."""
    meta = EventMeta(
        event_key=key or f"{thread}:{what}:{name}:{len(await journal.open_lanes())}:{next(_numbers)}",
        origin=thread.chat,
        thread_id=thread.thread_id or None,
        occurred_at=at(5),
        received_at=at(5),
    )
    event = ThreadDeleted(meta=meta) if what == "deleted" else ThreadChanged(meta=meta, change=ThreadChange(what), name=name)
    lease = journal.lease(thread.chat.account)
    (result,) = await journal.accept(lease, [AcceptRequest(event=event, deliveries=())], [], received_at=at(5))
    return result.verdict


_numbers = itertools.count()


async def test_a_new_name_is_that_of_the_whole_conversation_and_what_changes_nothing_is_an_echo(journal: Journal) -> None:
    store, there = journal.partners, ThreadRef(native(A), "700")
    await store.set_partner(HERE, native(A), "700", title="Releases", at=at(1))
    await store.want_partner(HERE, native(B), title="Releases", at=at(2))
    assert await tell(journal, HERE, "renamed", "Versions", key="once") is Verdict.ACCEPTED
    assert await tell(journal, HERE, "renamed", "Versions", key="once") is Verdict.DUPLICATE
    for thread in (HERE, there):
        assert await tell(journal, thread, "renamed", " Versions\u200b ") is Verdict.ECHO
    titles = {one.chat: one.title for one in await store.partners(there)}
    assert titles == {CHAT: "Versions", native(A): "Versions", native(B): "Releases"}, "what is being made keeps its name"
    assert await tell(journal, there, "renamed", "x" * 300) is Verdict.ACCEPTED
    (known,) = {one.title for one in await store.partners(HERE) if one.state is PartnerState.OPEN}
    assert len(known) == 100
    assert await tell(journal, ThreadRef(CHAT, "unknown"), "renamed", "Versions") is Verdict.ACCEPTED


async def test_a_conversation_is_closed_and_reopened_as_a_whole(journal: Journal, reopen: Reopen) -> None:
    store, there = journal.partners, ThreadRef(native(A), "700")
    await store.set_partner(HERE, native(A), "700", title="Releases", at=at(1))
    assert await tell(journal, HERE, "reopened") is Verdict.ECHO, "nobody closed it"
    assert await tell(journal, HERE, "closed") is Verdict.ACCEPTED
    assert await tell(journal, there, "closed") is Verdict.ECHO
    journal = await reopen(journal)
    await journal.partners.set_partner(HERE, native(B), "800", title="Releases", at=at(3))
    assert all(one.is_closed for one in await journal.partners.partners(HERE)), "also what is made later"
    assert await tell(journal, there, "reopened") is Verdict.ACCEPTED
    assert not any(one.is_closed for one in await journal.partners.partners(HERE))


async def test_a_thread_that_took_no_messages_is_used_again_once_it_is_reopened(journal: Journal) -> None:
    store, there = journal.partners, ThreadRef(native(A), "700")
    await store.set_partner(HERE, native(A), "700", title="one", at=at(1), made=Made.ALONE)
    await store.set_partner(HERE, native(A), "700", title="one", at=at(2), state=PartnerState.ENDED)
    ended = await store.partner(HERE, native(A))
    assert ended is not None
    assert (ended.state, ended.thread_id, ended.made) == (PartnerState.ENDED, "700", Made.ALONE)
    assert await tell(journal, there, "reopened") is Verdict.ECHO, "for the others nothing has changed"
    found = await store.partner(HERE, native(A))
    assert found is not None
    assert found.state is PartnerState.OPEN


@pytest.mark.parametrize(("made", "stays"), [(Made.THERE, True), (Made.BRIDGE, False), (Made.ALONE, False)])
async def test_a_deleted_copy_leaves_its_conversation(journal: Journal, made: Made, stays: bool) -> None:
    store, there = journal.partners, ThreadRef(native(A), "700")
    await store.set_partner(HERE, native(A), "700", title="one", at=at(1), made=made)
    assert await tell(journal, there, "deleted") is Verdict.ACCEPTED
    assert (await store.partner(HERE, native(A)) is not None) is stays


async def test_what_was_refused_can_be_wanted_again_and_still_knows_who_says_its_title(journal: Journal) -> None:
    store = journal.partners
    await store.set_partner(HERE, native(A), "", title="one", at=at(1), titled_by=17)
    await store.set_partner(HERE, native(A), "", title="one", at=at(2), titled_by=18)
    wanted = await store.want_partner(HERE, native(A), title="two", at=at(3))
    assert (wanted.state, wanted.title, wanted.at, wanted.titled_by) == (PartnerState.WANTED, "two", at(3), 17)
    await store.set_partner(HERE, native(A), "700", title="two", at=at(4))
    made = await store.partner(HERE, native(A))
    assert made is not None
    assert (made.state, made.titled_by) == (PartnerState.OPEN, 17)
