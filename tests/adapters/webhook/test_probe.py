"""What `check --online` says of an end, without calling its receiver."""

from __future__ import annotations

import pytest

from bridge.model.errors import ChatOff
from tests.adapters.webhook.receivers import MemoryStore, account, message, receiving


async def test_an_end_in_order_is_so_and_nobody_is_called() -> None:
    async with receiving() as there, account(there.url) as adapter:
        (item,) = await adapter.look_at("alerts")
        assert item.ok
        assert not there.received
    async with account() as adapter:
        (item,) = await adapter.look_at("alerts")
        assert item.ok, "an end that is posted to by others only has no url"


async def test_what_a_human_must_do_is_said() -> None:
    async with receiving() as there:
        async with account(there.url, allow_hosts=()) as adapter:
            (item,) = await adapter.look_at("alerts")
            assert not item.ok
            assert "allow_hosts" in item.action
        async with account(there.url, store=MemoryStore()) as adapter:
            there.answers.append(410)
            with pytest.raises(ChatOff):
                await adapter.send(message())
            (item,) = await adapter.probe(["alerts"])
            assert "hooks enable hooks/alerts" in item.action
            (item,) = await adapter.look_at("nobody")
            assert item.action


async def test_a_name_that_is_not_found_now_is_no_fault() -> None:
    async with account("http://no-such-host.invalid/hook") as adapter:
        (item,) = await adapter.look_at("alerts")
        assert item.temporary
