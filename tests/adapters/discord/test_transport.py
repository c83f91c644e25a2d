"""How the account reaches Discord: proxy, own CA, and limits that are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.common.emulation.contract import Upload
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.emulator.rules import RateBudgets
from bridge.model.adapter import Outbound, Sender
from bridge.model.errors import AccountDown, ConnectionLost, RetryLater
from bridge.model.events import MessageCreated
from bridge.model.rich_text import plain
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.sending import outbound, shown
from tests.support.network import Certificates, relaying, server_context
from tests.support.patience import eventually


async def cross_both_ways(bench: Bench, **options: Any) -> None:
    """A message and a file in, a message out."""
    adapter, intake = bench.adapter(**options), bench.intake()
    async with bench.running(adapter, intake):
        await bench.emulator.say(bench.chat, "Anna", "in", files=[Upload(name="a.txt", mime="text/plain", content=b"abc")])
        (event,) = await eventually(intake.foreign)
        assert isinstance(event, MessageCreated)
        async with adapter.open_file(event.content.attachments[0]) as stream:
            assert b"".join([chunk async for chunk in stream.chunks]) == b"abc"
        await adapter.send(Outbound(token="t", attempt=1, chat_id=bench.chat, text=plain("out"), sender=Sender(name="Anna")))
    await adapter.close()
    assert [m.text for m in bench.emulator.transcript(bench.chat)] == ["in", "out"]


async def test_everything_goes_through_the_proxy(bench: Bench) -> None:
    async with relaying(bench.emulator.base_url) as proxy:
        await cross_both_ways(bench, proxy=proxy.url)
    paths = proxy.paths()
    assert len(paths) == len(proxy.asked) == len(bench.emulator.calls())
    assert "/gateway" in paths, "the websocket too"


async def test_a_proxy_that_is_away_means_not_reached(bench: Bench) -> None:
    adapter = bench.adapter(proxy="http://127.0.0.1:9")
    with pytest.raises(ConnectionLost):
        await adapter.run(bench.intake())
    with pytest.raises(RetryLater):
        await adapter.send(Outbound(token="t", attempt=1, chat_id=bench.chat, text=plain("out")))


@pytest.fixture
async def behind_tls(bench: Bench, certificates: Certificates) -> AsyncIterator[dict[str, str]]:
    """Options for the emulator behind TLS."""
    async with relaying(bench.emulator.base_url, server_context(certificates.good)) as relay:
        yield {
            "api_url": f"https://localhost:{relay.port}/api/v10",
            "gateway_url": f"wss://localhost:{relay.port}/gateway",
            "cdn_url": f"https://localhost:{relay.port}",
        }


async def test_a_certificate_of_ones_own_ca_is_accepted_when_named(
    bench: Bench, behind_tls: dict[str, str], certificates: Certificates
) -> None:
    await cross_both_ways(bench, **behind_tls, ca_file=certificates.good)


async def test_an_unknown_certificate_is_never_accepted(bench: Bench, behind_tls: dict[str, str]) -> None:
    adapter = bench.adapter(**behind_tls)
    with pytest.raises(AccountDown):
        await adapter.run(bench.intake())
    assert bench.emulator.calls() == []


SEND = "POST /webhooks/{webhook}/{token}"


async def test_learned_limits_are_kept_without_a_single_429(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.budgets = RateBudgets(webhook=(5, 0.3))
    for number in range(12):
        await adapter.send(outbound(bench, f"{number}", token=f"t{number}"))
    assert [m.text for m in shown(bench)] == [str(n) for n in range(12)]
    assert bench.emulator.calls().count(SEND) == 12


async def test_a_hidden_limit_is_told_by_its_429(bench: Bench, adapter: DiscordAdapter) -> None:
    bench.emulator.budgets = RateBudgets(webhook_channel=(2, 60.0))
    for number in range(2):
        await adapter.send(outbound(bench, token=f"t{number}"))
    with pytest.raises(RetryLater) as raised:
        await adapter.send(outbound(bench, token="t2"))
    assert raised.value.rate_limited
    assert raised.value.after_s is not None
    assert 55 < raised.value.after_s <= 60
