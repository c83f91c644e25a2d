"""Threads of different chats that are one conversation: one in a chat, found from each of them, forgotten together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.journal.contract import Journal, PartnerState
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
