"""Pages of a history: items are decoded once, and the loop goes on beside a long page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.decodings import Decodings
from bridge.model.refs import AccountName


def decodings(most: int = 4000) -> Decodings:
    dialect = load_dialect("teamspirit", {}).dialect
    assert dialect is not None
    return Decodings(Decoder(dialect, AccountName("a"), is_own=lambda *_: False, chat_id=lambda native, _: native), most=most)


def item(number: int, text: str = "x") -> dict[str, Any]:
    return {"id": f"m{number}", "text": text, "user": {"id": "u", "name": "anna"}, "sent_at": "2026-11-01T12:00:00Z"}


@pytest.mark.parametrize("known", [False, True])
async def test_a_long_page_leaves_turns_to_others(known: bool) -> None:
    one, items = decodings(), [item(number) for number in range(3000)]
    one.make_room(3000)
    if known:
        await one.readings(items, "c")
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    await asyncio.sleep(0)
    before = turns
    readings = await one.readings(items, "c")
    other.cancel()
    assert len(readings) == 3000
    assert turns > before


async def test_an_item_is_decoded_again_only_if_it_changed() -> None:
    one = decodings()
    one.make_room(10)
    (first,) = await one.readings([item(1)], "c")
    (again, other) = await one.readings([item(1), item(1, "y")], "c")
    assert again.message is first.message
    assert other.message is not None
    assert other.message is not first.message
    (elsewhere,) = await one.readings([item(1)], "d")
    assert elsewhere.message is not first.message, "ids are those of a chat"


async def test_what_is_kept_is_bounded() -> None:
    one = decodings(most=2)
    one.make_room(10)
    (first,) = await one.readings([item(1)], "c")
    await one.readings([item(2), item(3)], "c")
    (again,) = await one.readings([item(1)], "c")
    assert again.message is not first.message
