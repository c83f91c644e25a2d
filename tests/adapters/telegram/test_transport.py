"""How the account reaches its server: proxy, CA file, base URL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Upload
from adapters.registry import load_platform
from adapters.telegram.emulator import TelegramEmulator
from bridge.model.adapter import Outbound
from bridge.model.errors import AccountDown, RetryLater
from tests.support.network import Certificates, Relay, relaying, server_context


@pytest.fixture
async def proxy(emulator: TelegramEmulator) -> AsyncIterator[Relay]:
    async with relaying(emulator.base_url) as proxy:
        yield proxy


async def test_calls_and_downloads_go_through_the_proxy(
    emulator: TelegramEmulator, chat: str, make_adapter: Callable[..., Any], say: Callable[..., Outbound], proxy: Relay
) -> None:
    adapter = make_adapter(proxy=proxy.url)
    await adapter.send(say("through"))
    assert [asked.split("/bot")[0] for asked in proxy.asked] == [f"POST {emulator.base_url}"]
    assert emulator.transcript(chat)[0].text == "through"


async def test_a_proxy_that_refuses_the_tunnel_surely_sent_nothing(
    make_adapter: Callable[..., Any], say: Callable[..., Outbound], proxy: Relay
) -> None:
    adapter = make_adapter(proxy=proxy.url, base_url="https://api.telegram.invalid")
    with pytest.raises(AccountDown, match="proxy"):
        await adapter.send(say("x"))
    assert proxy.asked == ["CONNECT api.telegram.invalid:443"]


async def test_a_base_url_may_have_a_path(emulator: TelegramEmulator, make_adapter: Callable[..., Any]) -> None:
    adapter = make_adapter(base_url=emulator.base_url + "/")
    assert (await adapter.probe([]))[0].ok


def test_a_missing_ca_file_is_a_fault_before_any_connection(tmp_path: Path) -> None:
    options = load_platform("telegram").options()(token="1:x", ca_file=tmp_path / "none.pem", files_root=tmp_path)
    assert sorted(fault.key for fault in load_platform("telegram").check_options(options)) == ["ca_file", "files_root"]


@pytest.fixture
async def secure_url(emulator: TelegramEmulator, certificates: Certificates) -> AsyncIterator[str]:
    """The emulator behind TLS."""
    async with relaying(emulator.base_url, server_context(certificates.good)) as relay:
        yield f"https://localhost:{relay.port}"


async def test_a_certificate_of_ones_own_ca_is_accepted_when_named(
    emulator: TelegramEmulator,
    chat: str,
    make_adapter: Callable[..., Any],
    intake: Any,
    receiving: Any,
    say: Any,
    file: Any,
    secure_url: str,
    certificates: Certificates,
) -> None:
    adapter = make_adapter(base_url=secure_url, ca_file=certificates.good)
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "in", files=[Upload(name="a.txt", mime="text/plain", content=b"abc")])
        await intake.until(lambda: intake.events)
        async with adapter.open_file(intake.events[0].content.attachments[0]) as stream:
            assert b"".join([chunk async for chunk in stream.chunks]) == b"abc"
        await adapter.send(say("out", files=(file("document", "b.bin", "application/octet-stream", b"x" * 300_000),)))
        await adapter.close()
    assert [message.text for message in emulator.transcript(chat)] == ["in", "out"]
    assert all(item.ok for item in await make_adapter(base_url=secure_url, ca_file=certificates.good).probe([chat]))


async def test_an_unknown_certificate_is_never_accepted_and_the_way_out_is_told(
    emulator: TelegramEmulator, make_adapter: Callable[..., Any], intake: Any, say: Any, secure_url: str
) -> None:
    adapter = make_adapter(base_url=secure_url)
    attempts: tuple[Callable[[], Awaitable[object]], ...] = (lambda: adapter.run(intake), lambda: adapter.send(say("x")))
    for attempt in attempts:
        with pytest.raises(AccountDown, match="certificate") as raised:
            await attempt()
        assert "ca_file" in raised.value.action
    [item] = await adapter.probe([])
    assert not item.ok
    assert "ca_file" in item.action
    assert emulator.calls() == []


async def test_a_ca_does_not_vouch_for_another_name(
    emulator: TelegramEmulator, make_adapter: Callable[..., Any], say: Any, secure_url: str, certificates: Certificates
) -> None:
    adapter = make_adapter(base_url=secure_url.replace("localhost", "127.0.0.1"), ca_file=certificates.good)
    with pytest.raises(AccountDown, match="certificate"):
        await adapter.send(say("x"))
    assert emulator.calls() == []


async def test_a_server_without_tls_is_not_taken_for_one_with_it(
    emulator: TelegramEmulator, make_adapter: Callable[..., Any], say: Any
) -> None:
    adapter = make_adapter(base_url=emulator.base_url.replace("http://", "https://"))
    with pytest.raises(RetryLater):
        await adapter.send(say("x"))
    assert emulator.calls() == []
