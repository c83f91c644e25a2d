"""How the account reaches its server: proxy, CA file, base URL."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Upload
from adapters.registry import load_platform
from adapters.telegram.emulator import TelegramEmulator
from bridge.model.adapter import Outbound
from bridge.model.errors import AccountDown, RetryLater
from tests.support.patience import PATIENCE_S


class Proxy:
    """A plain HTTP proxy that forwards requests in absolute form, and remembers whom it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refuse = False
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        self.asked.append(f"{method} {target.split('/bot')[0]}")
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        else:
            host, _, path = target.removeprefix("http://").partition("/")
            name, _, port = host.partition(":")
            up_reader, up_writer = await asyncio.open_connection(name, int(port))
            rest = head.split(b"\r\n", 1)[1].replace(b"Connection: keep-alive", b"Connection: close")
            up_writer.write(f"{method} /{path} HTTP/1.1\r\nConnection: close\r\n".encode() + rest)
            copying = asyncio.create_task(self.pass_on(reader, up_writer))
            await self.pass_on(up_reader, writer)
            copying.cancel()
            up_writer.close()
        writer.close()

    @staticmethod
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
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


async def test_calls_and_downloads_go_through_the_proxy(
    emulator: TelegramEmulator, chat: str, make_adapter: Callable[..., Any], say: Callable[..., Outbound], proxy: Proxy
) -> None:
    adapter = make_adapter(proxy=proxy.url)
    await adapter.send(say("through"))
    assert proxy.asked == [f"POST {emulator.base_url}"]
    assert emulator.transcript(chat)[0].text == "through"


async def test_a_proxy_that_refuses_the_tunnel_surely_sent_nothing(
    make_adapter: Callable[..., Any], say: Callable[..., Outbound], proxy: Proxy
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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = f"-addext subjectAltName=DNS:localhost -keyout {folder / 'key.pem'} -out {folder / 'cert.pem'}"
    try:
        subprocess.run(f"{command} {files}".split(), check=True, capture_output=True, timeout=PATIENCE_S)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return folder


@pytest.fixture
async def secure_url(emulator: TelegramEmulator, certificate: Path) -> AsyncIterator[str]:
    """The emulator behind TLS."""
    host, _, port = emulator.base_url.removeprefix("http://").partition(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await asyncio.gather(Proxy.pass_on(reader, up_writer), Proxy.pass_on(up_reader, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield f"https://localhost:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_a_certificate_of_ones_own_ca_is_accepted_when_named(
    emulator: TelegramEmulator,
    chat: str,
    make_adapter: Callable[..., Any],
    intake: Any,
    receiving: Any,
    say: Any,
    file: Any,
    secure_url: str,
    certificate: Path,
) -> None:
    adapter = make_adapter(base_url=secure_url, ca_file=certificate / "cert.pem")
    async with receiving(adapter):
        await emulator.say(chat, "Anna", "in", files=[Upload(name="a.txt", mime="text/plain", content=b"abc")])
        await intake.until(lambda: intake.events)
        async with adapter.open_file(intake.events[0].content.attachments[0]) as stream:
            assert b"".join([chunk async for chunk in stream.chunks]) == b"abc"
        await adapter.send(say("out", files=(file("document", "b.bin", "application/octet-stream", b"x" * 300_000),)))
        await adapter.close()
    assert [message.text for message in emulator.transcript(chat)] == ["in", "out"]
    assert all(item.ok for item in await make_adapter(base_url=secure_url, ca_file=certificate / "cert.pem").probe([chat]))


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
    emulator: TelegramEmulator, make_adapter: Callable[..., Any], say: Any, secure_url: str, certificate: Path
) -> None:
    adapter = make_adapter(base_url=secure_url.replace("localhost", "127.0.0.1"), ca_file=certificate / "cert.pem")
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
