"""How the account reaches its server: through a proxy, over TLS with a CA of its own, and to no other place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import Adapter, Outbound
from bridge.model.errors import AccountDown
from bridge.model.rich_text import plain
from tests.adapters.teamspirit.harness import make_adapter, options_of
from tests.support.network import Certificates, Relay, relaying, server_context


def outbound(chat: str) -> Outbound:
    return Outbound(token="mbabcdef-1-0", attempt=1, chat_id=chat, text=plain("hello"))


@pytest.fixture
async def proxy(emulator: TeamSpiritEmulator) -> AsyncIterator[Relay]:
    async with relaying(emulator.base_url) as proxy:
        yield proxy


async def test_calls_go_through_the_proxy(emulator: TeamSpiritEmulator, proxy: Relay) -> None:
    chat = emulator.add_chat("team").chat_id
    adapter = make_adapter(options_of(emulator, proxy=proxy.url))
    await adapter.send(outbound(chat))
    assert proxy.asked == [f"POST {emulator.base_url}/api/v1/chats/{chat}/messages"]
    assert emulator.transcript(chat)[0].text == "hello"
    await adapter.close()


async def test_a_proxy_that_refuses_the_tunnel_let_nothing_through(emulator: TeamSpiritEmulator, proxy: Relay) -> None:
    adapter = make_adapter(options_of(emulator, proxy=proxy.url, server="https://im.example.invalid"))
    with pytest.raises(AccountDown, match="proxy"):
        await adapter.send(outbound("c1"))
    assert proxy.asked == ["CONNECT im.example.invalid:443"]
    await adapter.close()


@pytest.fixture
async def secure(certificates: Certificates) -> AsyncIterator[tuple[str, Path]]:
    """A server with a certificate that only its own file vouches for: (URL, file)."""

    async def me(_: web.Request) -> web.Response:
        return web.json_response({"id": "u1", "name": "bridge", "status": "online"})

    app = web.Application()
    app.router.add_get("/api/v1/me", me)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(certificates.good)).start()
    yield f"https://localhost:{runner.addresses[0][1]}", certificates.good
    await runner.cleanup()


async def identity(adapter: Adapter) -> str:
    item = next(item for item in await adapter.probe([]) if item.name == "identity")
    await adapter.close()
    return item.detail if item.ok else f"failed: {item.action}"


async def test_a_ca_of_its_own(emulator: TeamSpiritEmulator, secure: tuple[str, Path]) -> None:
    url, certificate = secure
    assert await identity(make_adapter(options_of(emulator, server=url, ca_file=certificate))) == "user u1"
    untrusted = make_adapter(options_of(emulator, server=url))
    with pytest.raises(AccountDown) as caught:
        await untrusted.resolve("team")
    assert "ca_file" in caught.value.action
    assert "ca_file" in await identity(untrusted)


async def test_another_server_does_not_get_the_key(emulator: TeamSpiritEmulator) -> None:
    """A redirect is not followed: what is sent goes to the configured server or nowhere."""
    heard: list[str] = []

    async def away(request: web.Request) -> web.Response:
        heard.append(request.path)
        raise web.HTTPTemporaryRedirect(f"{emulator.base_url}/api/v1{request.path.removeprefix('/api/v1')}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", away)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    adapter = make_adapter(options_of(emulator, server=f"http://127.0.0.1:{runner.addresses[0][1]}"))
    with pytest.raises(AccountDown) as caught:
        await adapter.send(outbound("c1"))
    assert "server" in caught.value.action
    assert heard == ["/api/v1/chats/c1/messages"]
    assert not emulator.calls()
    await adapter.close()
    await runner.cleanup()
