"""Places on this machine's network, for tests: ports, servers, one that passes on what it gets, and certificates."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
METHODS = (b"GET ", b"POST ", b"PUT ", b"PATCH ", b"DELETE ", b"CONNECT ")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def listening(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that does what `serve` does with each connection. In the end it hangs up on everybody."""
    writers: list[asyncio.StreamWriter] = []
    serving: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        task.add_done_callback(serving.discard)
        writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await serve(reader, writer)

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await server.wait_closed()


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All that comes, until one of the ends hangs up."""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
        writer.close()


# -- a server before a server -------------------------------------------------------------------------------------------------


@dataclass
class Relay:
    """Passes connections on to one server. As a proxy it is asked in absolute form, which the server behind takes as well; a tunnel
    it refuses."""

    target: str
    """The server's URL."""
    port: int = 0
    asked: list[str] = field(default_factory=list)
    """Method and address of every request: `POST http://127.0.0.1:1/path`."""

    @property
    def url(self) -> str:
        """Its own, as a proxy without TLS has it."""
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        """Those of the requests that were for the server behind."""
        addresses = [urlsplit(asked.split(" ")[1]) for asked in self.asked]
        return [address.path for address in addresses if address.netloc == urlsplit(self.target).netloc]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(1 << 16)
        self._note(first)
        if first.startswith(b"CONNECT "):
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()
            return
        behind = urlsplit(self.target)
        up_reader, up_writer = await asyncio.open_connection(behind.hostname, behind.port)
        try:
            up_writer.write(first)
            await asyncio.gather(self._requests(reader, up_writer), pass_on(up_reader, writer))
        finally:
            up_writer.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while chunk := await reader.read(1 << 16):
                self._note(chunk)
                writer.write(chunk)
                await writer.drain()
            writer.close()

    def _note(self, chunk: bytes) -> None:
        if chunk.startswith(METHODS):
            method, address, _ = chunk.split(b" ", 2)
            self.asked.append(f"{method.decode()} {address.decode()}")


@asynccontextmanager
async def relaying(target: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Relay]:
    """A `Relay` before that server, behind TLS if a context is given."""
    relay = Relay(target)
    async with listening(relay.serve, tls) as relay.port:
        yield relay


# -- certificates -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certificates:
    """PEM files, each with its key beside it as `<name>.key`. Nobody trusts them but who names them."""

    good: Path
    """For localhost, and not for 127.0.0.1."""
    expired: Path
    other_host: Path

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        return cls(
            good=_certificate(folder / "good.pem", "localhost", days=2),
            expired=_certificate(folder / "expired.pem", "localhost", days=-1),
            other_host=_certificate(folder / "other.pem", "elsewhere.example", days=2),
        )


def _certificate(path: Path, host: str, *, days: int) -> Path:
    """Signed by itself, valid until `days` from now."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, path.stem)])  # its own, so that several can be trusted at once
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    path.with_suffix(".key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    """What a server with that certificate needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context
