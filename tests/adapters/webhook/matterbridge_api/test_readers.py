"""Where a key has read to, while something is on its way to it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from bridge.model.outbound import Copy, OutboundDelete
from tests.adapters.webhook.matterbridge_api.served import serving
from tests.adapters.webhook.receivers import MemoryStore


async def test_who_asks_again_waits_for_what_a_lost_connection_took_along() -> None:
    gone: Any = SimpleNamespace(transport=None)
    there: Any = SimpleNamespace(transport=SimpleNamespace(is_closing=lambda: False))
    async with serving() as served:
        readers = served.adapter._doors._others["api"].__self__._readers
        before = await readers.begin("k1", ["one"])
        await served.say("hello", "t1")
        unread = await readers.unread(before, 10)
        with readers.handing_over("k1", there):
            assert await readers.begin("k1", ["one"]) == before, "a second stream of a key gets everything too"
        with readers.handing_over("k1", gone):
            asking = asyncio.create_task(readers.begin("k1", ["one"]))
            assert await readers.begin("k2", ["one"]), "others do not wait"
            await readers.have_read("k1", before, unread.cursors)
            assert not asking.done()
        assert await asking == unread.cursors


async def test_what_was_kept_in_another_style_is_a_line_and_the_rest_is_read() -> None:
    store = MemoryStore()
    async with serving(store=store, style="standard", ends={"one": {"fetch": True}}) as served:
        await served.say("old", "t0")
    async with serving(store=store) as served:
        await served.say("new", "t1")
        first, second = await served.texts()
        assert "another form" in first
        assert second == "new"
        assert await served.texts() == []
        await served.adapter.delete(OutboundDelete(copy=Copy(chat_id="one", message_ids=("t0",))))
        assert b"old" not in store.boxes["one"][0].content
