"""Files are fetched from the platform's servers and the open internet, and from nowhere else: not by any spelling of an address,
not by a redirect, not by a name that resolves differently a moment later."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from adapters.common.egress import Egress, host_fault, is_public
from adapters.common.options import NetworkOptions
from bridge.model.errors import BridgeError, Rejected, RetryLater
from tests.support.transports import discord, read, serving, slack, teamspirit, telegram

TIMEOUT = aiohttp.ClientTimeout(total=10)
SECRET = b"the internal page"

PRIVATE = [
    *("127.0.0.1", "127.255.255.254", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "0.0.0.0"),
    *("0.1.2.3", "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1", "239.1.1.1", "255.255.255.255"),
    *("240.0.0.1", "168.63.129.16", "::", "::1", "fe80::1", "fe80::1%lo", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2001::7f00:1", "2001:db8::1", "100::1", "3fff::1", "5f00::1", "::ffff:0:127.0.0.1"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "169.253.0.1", "2606:4700::1111", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_loopback or address.is_link_local:
        assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_another_is_no_more_public_than_itself(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    assert is_public(ipaddress.IPv6Address((0x0064_FF9B << 96) | number)) == is_public(inner)
    for wrapped in ((0xFFFF << 32) | number, number, (0x2002 << 112) | (number << 80), (0xFFFF << 48) | number):
        assert not is_public(ipaddress.IPv6Address(wrapped))


# -- one request --------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def inside() -> AsyncIterator[tuple[int, list[str]]]:
    """A server of the private network: its port, and what it was asked."""
    asked: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(SECRET), SECRET))
        await writer.drain()

    async with serving(handle) as url:
        yield int(url.rsplit(":", 1)[1]), asked


def leading_to(where: str) -> Any:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = b'{"ok":true,"result":{"file_id":"F1","file_path":"a","file_size":17}}' if b"getFile" in head else b""
            first = b"HTTP/1.1 200 OK\r\n" if body else f"HTTP/1.1 302 Found\r\nLocation: {where}\r\n".encode()
            writer.write(first + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()

    return handle


SPELLINGS = [
    "http://127.0.0.1:{port}/x",
    "http://127.1:{port}/x",
    "http://2130706433:{port}/x",
    "http://0x7f000001:{port}/x",
    "http://0x7f.1:{port}/x",
    "http://0177.0.0.1:{port}/x",
    "http://0:{port}/x",
    "http://127.0.0.2:{port}/x",
    "http://[::ffff:127.0.0.1]:{port}/x",
    "http://[::ffff:7f00:1]:{port}/x",
    "http://[::1]:{port}/x",
    "http://localhost:{port}/x",
    "http://LOCALHOST.:{port}/x",
    "http://localhost.localdomain:{port}/x",
    "//127.0.0.1:{port}/x",
    "http://example.com@127.0.0.1:{port}/x",
    "http://①②⑦.⓪.⓪.①:{port}/x",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/x",
    "gopher://127.0.0.1:{port}/x",
    "http://[broken",
    "http://169.254.169.254/latest/meta-data/",
]


@pytest.mark.parametrize("where", SPELLINGS)
@pytest.mark.parametrize("transport", [discord, teamspirit, slack, telegram])
async def test_no_server_leads_the_bridge_into_the_private_network(transport: Any, where: str) -> None:
    """The account's own server is on a private address here, which is allowed; another port of the same machine is not."""
    async with inside() as (port, asked), serving(leading_to(where.format(port=port))) as url, transport(url) as (_, download):
        with pytest.raises(BridgeError) as caught:
            async with download(len(SECRET)) as stream:
                await read(stream)
        assert isinstance(caught.value, Rejected | RetryLater)
        assert not asked
        if "localdomain" not in where and "LOCALHOST" not in where:
            assert isinstance(caught.value, Rejected), "final: asking again leads nowhere else"


@pytest.mark.parametrize("transport", [discord, teamspirit, slack, telegram])
@pytest.mark.parametrize("entry", ["127.0.0.1:{port}", "127.0.0.1"])
async def test_a_host_that_bridge_yaml_names_is_allowed_without_our_credentials(transport: Any, entry: str) -> None:
    async with inside() as (port, asked), serving(leading_to(f"http://127.0.0.1:{port}/x")) as url:
        async with transport(url, file_hosts=[entry.format(port=port)]) as (_, download), download(len(SECRET)) as stream:
            assert await read(stream) == SECRET
    assert "authorization" not in asked[0].lower()


async def test_a_network_that_bridge_yaml_names_is_allowed() -> None:
    async with inside() as (port, asked), serving(leading_to(f"http://127.0.0.1:{port}/x")) as url:
        async with teamspirit(url, file_hosts=["127.0.0.0/8"]) as (_, download), download(len(SECRET)) as stream:
            assert await read(stream) == SECRET
    assert f"Host: 127.0.0.1:{port}" in asked[0]


async def test_redirects_end() -> None:
    async with serving(leading_to("/again")) as url, teamspirit(url) as (_, download):
        with pytest.raises(RetryLater, match="without end"):
            async with download(None):
                pass


class Names:
    """A name server whose answer for one name changes with each question."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self.asked = 0
        loop = asyncio.get_running_loop()
        real = loop.getaddrinfo

        async def getaddrinfo(host: Any, port: Any, **more: Any) -> Any:
            if host != "files.example.com":
                return await real(host, port, **more)
            address = answers[min(self.asked, len(answers) - 1)]
            self.asked += 1
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)


async def test_the_address_that_was_looked_at_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is checked and the metadata service when it is connected to."""
    connected: list[str] = []
    names = Names(monkeypatch, "203.0.114.7", "127.0.0.1")

    def factory(info: Any) -> socket.socket:
        connected.append(info[4][0])
        raise OSError("nobody is there")

    connector = aiohttp.TCPConnector(socket_factory=factory)
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await Egress(["http://im.example.com"]).open(session, "http://files.example.com/a", timeout=TIMEOUT)
    assert (connected, names.asked) == (["203.0.114.7"], 1)


async def test_the_server_is_asked_by_its_name_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async with inside() as (port, asked):
        Names(monkeypatch, "127.0.0.1")
        egress = Egress(["http://im.example.com"], also=["127.0.0.1/32"])
        async with aiohttp.ClientSession() as session:
            answer = await egress.open(session, f"http://files.example.com:{port}/a%2Fb?c=%20d", timeout=TIMEOUT)
            assert await answer.read() == SECRET
    assert asked[0].startswith("GET /a%2Fb?c=%20d HTTP/1.1\r\n")
    assert f"Host: files.example.com:{port}\r\n" in asked[0]


async def test_a_proxy_is_given_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, "203.0.114.7", "127.0.0.1")
    heard: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n")).decode().strip())
        writer.write(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with serving(proxy) as url, aiohttp.ClientSession() as session:
        egress = Egress(["https://im.example.com"], proxy=url)
        with pytest.raises(aiohttp.ClientHttpProxyError):
            await egress.open(session, "https://files.example.com/a", timeout=TIMEOUT)
        with pytest.raises(Rejected):
            await egress.open(session, "https://files.example.com/a", timeout=TIMEOUT)
        with pytest.raises(Rejected, match="file_hosts"):
            await egress.open(session, "https://nowhere.invalid/a", timeout=TIMEOUT)
    assert heard == ["CONNECT 203.0.114.7:443 HTTP/1.1"]


@pytest.mark.parametrize(
    ("own", "url", "before"),
    [
        ("https://im.example.com", "http://im.example.com/a", None),
        ("https://im.example.com", "http://files.example.org/a", "https://im.example.com/a"),
        ("http://im.example.com", "http://im.example.com/a", "https://files.example.org/a"),
    ],
)
def test_nothing_falls_back_to_an_unencrypted_connection(own: str, url: str, before: str | None) -> None:
    with pytest.raises(Rejected, match="not encrypted"):
        Egress([own]).admit(url, URL(before) if before else None)


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://cdn.example.com/a", True),
        ("https://CDN.example.com:8443/a", True),
        ("https://example.com/a", False),
        ("https://cdn.example.com.evil.net/a", False),
        ("https://evilexample.com/a", False),
        ("https://cdn.example.com@evil.net/a", False),
        ("https://evil.net/cdn.example.com", False),
        ("http://cdn.example.com/a", False),
        ("http://im.local:8065/a", True),
        ("http://im.local:8066/a", False),
        ("https://im.local:8065/a", False),
    ],
)
def test_hosts_of_a_platform_with_a_closed_list(url: str, is_allowed: bool) -> None:
    egress = Egress(["http://im.local:8065/api"], only=[".example.com"])
    if is_allowed:
        egress.admit(url)
    else:
        with pytest.raises(Rejected):
            egress.admit(url)


@pytest.mark.parametrize("entry", ["files.example.com", "10.0.0.0/8", "10.1.2.3", "fd00::/8", "::1", "minio:9000", "[::1]:9000"])
def test_entries_of_file_hosts(entry: str) -> None:
    assert host_fault(entry) is None
    assert NetworkOptions.model_validate({"file_hosts": [entry]}).file_hosts == (entry,)


@pytest.mark.parametrize(
    "entry", ["https://files.example.com", "files.example.com/a", "a b", "", "me@host", "10.0.0.0/33", "host:x"]
)
def test_what_is_no_entry_of_file_hosts(entry: str) -> None:
    assert host_fault(entry)
    with pytest.raises(ValueError, match="file_hosts"):
        NetworkOptions.model_validate({"file_hosts": [entry]})


class Lines:
    """A session whose connections to some addresses are never answered, and refused by others."""

    def __init__(self, silent: Sequence[str], refusing: Sequence[str] = ()) -> None:
        self.silent, self.refusing = silent, refusing
        self.asked: list[str] = []

    async def request(self, method: str, url: URL, **_: Any) -> str:
        self.asked.append(str(url.host))
        if url.host in self.silent:
            raise aiohttp.ConnectionTimeoutError
        if url.host in self.refusing:
            raise aiohttp.ClientConnectorError(ConnectionKey("", 0, True, True, None, None, None), OSError("refused"))
        return "answered"


async def called(lines: Any) -> None:
    await Egress(()).ask(lines, "https://files.example.com/a", method="GET", headers={}, timeout=TIMEOUT, body=b"")


SIX, FOUR = ["2606:4700::1", "2606:4700::2", "2606:4700::3"], ["1.1.1.1", "1.1.1.2"]


@pytest.mark.parametrize(
    ("silent", "refusing", "asked"),
    [
        (SIX, [], [SIX[0], FOUR[0]]),
        (SIX, FOUR[:1], [SIX[0], *FOUR]),
        ([], SIX, [*SIX, FOUR[0]]),
        ([], [], [SIX[0]]),
    ],
)
async def test_of_a_host_with_several_addresses_one_that_answers_is_enough(
    silent: list[str], refusing: list[str], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return [*SIX, *FOUR]

    monkeypatch.setattr("adapters.common.egress._addresses", lookup)
    lines: Any = Lines(silent, refusing)
    await called(lines)
    assert lines.asked == asked


async def test_a_host_of_many_silent_addresses_takes_no_longer_than_two(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [f"1.1.1.{number}" for number in range(250)]

    async def lookup(host: str, port: int) -> list[str]:
        return many

    monkeypatch.setattr("adapters.common.egress._addresses", lookup)
    lines: Any = Lines(many)
    with pytest.raises(aiohttp.ConnectionTimeoutError):
        await called(lines)
    assert lines.asked == many[:2]
