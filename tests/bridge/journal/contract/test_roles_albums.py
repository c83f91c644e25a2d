"""What each native message of an album says: kept beside its event, changed by the edits that tell of one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from bridge.journal.contract import AcceptRequest, Journal, Verdict
from bridge.model.events import AlbumItem, MessageCreated, MessageEdited
from bridge.model.rich_text import plain
from tests.bridge.journal.journal_makers import ACCOUNT, CHAT, A, accept, at, created, deliver, edited, entry, message, native

Reopen = Callable[[Journal], Awaitable[Journal]]
ITEMS = (AlbumItem(text=plain("left")), AlbumItem(), AlbumItem(text=plain("right")))


def album() -> MessageCreated:
    return msgspec.structs.replace(created("9", also=("10", "11")), items=ITEMS)


def edit(of: str, words: str, version: int) -> MessageEdited:
    return msgspec.structs.replace(edited(of, version=version), item=AlbumItem(text=plain(words)))


async def test_every_item_leads_to_all_in_their_order(journal: Journal, reopen: Reopen) -> None:
    await deliver(journal, await accept(journal, album(), A), (A, "70"))
    journal = await reopen(journal)
    for asked in ("9", "10", "11"):
        assert list((await journal.album(message(CHAT, asked))).items()) == list(zip(("9", "10", "11"), ITEMS, strict=True))
    assert await journal.album(message(CHAT, "12")) == {}
    assert await journal.album(message(native(A), "70")) == {}, "a copy is no album of its origin's"


async def test_the_latest_edit_of_an_item_counts(journal: Journal, reopen: Reopen) -> None:
    entries: list[AcceptRequest] = [entry(album(), A), entry(edit("10", "middle", 1), A)]
    await journal.accept(journal.lease(ACCOUNT), entries, [], received_at=at(0))
    await accept(journal, edit("9", "", 2), A)
    journal = await reopen(journal)
    (again,) = await journal.accept(journal.lease(ACCOUNT), [entry(edit("10", "other", 1), A)], [], received_at=at(0))
    assert again.verdict is Verdict.DUPLICATE
    await accept(journal, edited("11"), A)
    kept = await journal.album(message(CHAT, "9"))
    assert kept == {"9": AlbumItem(), "10": AlbumItem(text=plain("middle")), "11": ITEMS[2]}


async def test_items_go_with_their_event(journal: Journal) -> None:
    await deliver(journal, await accept(journal, album(), A), (A, "70"))
    assert await journal.prune(before=at(10)) == 1
    assert await journal.album(message(CHAT, "9")) == {}
    await accept(journal, created("9", key="again"), A)
    assert await journal.album(message(CHAT, "9")) == {}
