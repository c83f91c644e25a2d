"""How the account reaches Discord: proxy, own CA, and limits that are kept."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

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
from tests.support.patience import PATIENCE_S, eventually


class Relay:
    """Passes connections on to one server; remembers every address that was asked for."""

    def __init__(self, target: str, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname, parts.port
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.asked: list[str] = []

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await eventually(lambda: not self._writers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # as a proxy it is asked in absolute form, which the server behind takes as well
        up_reader, up_writer = await asyncio.open_connection(self._host, self._port)
        self._writers |= {writer, up_writer}
        await asyncio.gather(self._copy(reader, up_writer, is_request=True), self._copy(up_reader, writer))
        self._writers -= {writer, up_writer}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_request: bool = False) -> None:
        try:
            while chunk := await reader.read(1 << 16):
                if is_request and chunk.startswith((b"GET ", b"POST ")):
                    self.asked.append(chunk.split(b" ", 2)[1].decode())
                writer.write(chunk)
                await writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


async def cross_both_ways(bench: Bench, options: dict[str, str]) -> None:
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
    proxy = Relay(bench.emulator.base_url)
    port = await proxy.start()
    await cross_both_ways(bench, {"proxy": f"http://127.0.0.1:{port}"})
    await proxy.stop()
    paths = [
        urlsplit(address).path for address in proxy.asked if urlsplit(address).netloc == urlsplit(bench.emulator.base_url).netloc
    ]
    assert len(paths) == len(proxy.asked) == len(bench.emulator.calls())
    assert "/gateway" in paths, "the websocket too"


async def test_a_proxy_that_is_away_means_not_reached(bench: Bench) -> None:
    adapter = bench.adapter(proxy="http://127.0.0.1:9")
    with pytest.raises(ConnectionLost):
        await adapter.run(bench.intake())
    with pytest.raises(RetryLater):
        await adapter.send(Outbound(token="t", attempt=1, chat_id=bench.chat, text=plain("out")))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    try:
        subprocess.run([*command, *files], check=True, capture_output=True, timeout=PATIENCE_S)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return folder


@pytest.fixture
async def behind_tls(bench: Bench, certificate: Path) -> AsyncIterator[dict[str, str]]:
    """Options for the emulator behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    relay = Relay(bench.emulator.base_url, context)
    port = await relay.start()
    yield {
        "api_url": f"https://127.0.0.1:{port}/api/v10",
        "gateway_url": f"wss://127.0.0.1:{port}/gateway",
        "cdn_url": f"https://127.0.0.1:{port}",
    }
    await relay.stop()


async def test_a_certificate_of_ones_own_ca_is_accepted_when_named(
    bench: Bench, behind_tls: dict[str, str], certificate: Path
) -> None:
    await cross_both_ways(bench, {**behind_tls, "ca_file": certificate / "cert.pem"})  # type: ignore[dict-item]


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
