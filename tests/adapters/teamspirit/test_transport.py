"""How the account reaches its server: through a proxy, over TLS with a CA of its own, and to no other place."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import Adapter, Outbound
from bridge.model.errors import AccountDown
from bridge.model.rich_text import plain
from tests.adapters.teamspirit.harness import make_adapter, options_of


def outbound(chat: str) -> Outbound:
    return Outbound(token="mbabcdef-1-0", attempt=1, chat_id=chat, text=plain("hello"))


class Proxy:
    """A forwarding HTTP proxy that remembers what it was asked for; tunnels are refused."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        self.asked.append(f"{method} {target}")
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        else:
            body = await reader.readexactly(int(headers.get("Content-Length", "0")))
            async with aiohttp.ClientSession() as session, session.request(method, target, headers=headers, data=body) as answer:
                content = await answer.read()
            status = f"HTTP/1.1 {answer.status} -\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            writer.write(status.encode() + content)
        await writer.drain()
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield proxy
    server.close()
    await server.wait_closed()


async def test_calls_go_through_the_proxy(emulator: TeamSpiritEmulator, proxy: Proxy) -> None:
    chat = emulator.add_chat("team").chat_id
    adapter = make_adapter(options_of(emulator, proxy=proxy.url))
    await adapter.send(outbound(chat))
    assert proxy.asked == [f"POST {emulator.base_url}/api/v1/chats/{chat}/messages"]
    assert emulator.transcript(chat)[0].text == "hello"
    await adapter.close()


async def test_a_proxy_that_refuses_the_tunnel_let_nothing_through(emulator: TeamSpiritEmulator, proxy: Proxy) -> None:
    adapter = make_adapter(options_of(emulator, proxy=proxy.url, server="https://im.example.invalid"))
    with pytest.raises(AccountDown, match="proxy"):
        await adapter.send(outbound("c1"))
    assert proxy.asked == ["CONNECT im.example.invalid:443"]
    await adapter.close()


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """A server with a certificate that only its own file vouches for: (URL, file)."""
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificate with openssl")
    certificate, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    made = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout {key} -out {certificate}"
    name = "/CN=localhost -addext subjectAltName=DNS:localhost"
    await asyncio.to_thread(subprocess.run, f"openssl {made} -subj {name}".split(), check=True, capture_output=True)

    async def me(_: web.Request) -> web.Response:
        return web.json_response({"id": "u1", "name": "bridge", "status": "online"})

    app = web.Application()
    app.router.add_get("/api/v1/me", me)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://localhost:{runner.addresses[0][1]}", certificate
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
