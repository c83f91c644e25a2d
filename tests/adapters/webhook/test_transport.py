"""Certificates, of both sides; answers that hang, break or lie."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.webhook.config import WebhookOptions, check_options
from bridge.model.errors import ChatDown, ChatOff, DeliveryError, RetryLater
from tests.adapters.webhook.receivers import account, message, receiving
from tests.support.network import Certificates, server_context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


def shown(certificate: Path) -> dict[str, Any]:
    return {"client_cert": certificate, "client_key": certificate.with_suffix(".key")}


async def test_a_receiver_that_asks_for_a_certificate_is_shown_it(certificates: Certificates) -> None:
    mine = certificates.other_host
    context = server_context(certificates.good)
    context.load_verify_locations(mine)
    context.verify_mode = ssl.CERT_REQUIRED
    trusting: dict[str, Any] = {"ca_file": certificates.good, "allow_hosts": ("localhost",)}
    async with receiving(context) as there:
        url = there.url.replace("127.0.0.1", "localhost")
        async with account(url, end=shown(mine), **trusting) as adapter:
            await adapter.send(message())
            assert there.ids() == ["t1"]
        async with account(url, **trusting) as adapter:
            with pytest.raises(RetryLater):
                await adapter.send(message(token="t2"))
        assert there.ids() == ["t1"]


async def test_a_certificate_that_nobody_trusts_is_the_ends_own_trouble(certificates: Certificates) -> None:
    async with receiving(server_context(certificates.good)) as there, account(there.url) as adapter:
        with pytest.raises(ChatDown) as raised:
            await adapter.send(message())
        assert "certificate" in raised.value.reason
        assert not there.received


def faults(**given: Any) -> list[str]:
    options = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "ends": {"a": {}}, **given}
    return [str(fault) for fault in check_options(WebhookOptions.model_validate(options))]


def test_check_finds_what_could_not_be_sent(tmp_path: Path, certificates: Certificates) -> None:
    url = "https://receiver.example.com"
    assert faults(ends={"a": {"url": url}}) == []
    assert "a secret is missing" in faults(secret=None, ends={"a": {"url": url}})[0]
    assert "ends.a.secret" in faults(ends={"a": {"url": url, "secret": "guess"}})[0]
    assert "needs a body" in faults(style="template")[0]
    assert "body.text: not a template" in faults(style="template", body={"text": "{{ text"})[0]
    assert "needs the style template" in faults(body={"text": "x"})[0]
    assert "have the style standard" in faults(style="slack", ends={"a": {"fetch": True}})[0]
    assert faults(ends={"a": {"url": url, **shown(certificates.good)}}) == []
    assert "there is no file" in faults(ends={"a": {"url": url, "client_cert": tmp_path / "none.pem"}})[0]
    empty = tmp_path / "empty.pem"
    empty.touch()
    assert "client_cert: cannot be used" in faults(ends={"a": {"url": url, "client_cert": empty}})[0]
    assert "which is missing" in faults(ends={"a": {"url": url, "client_key": certificates.good}})[0]


# -- answers --------------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def answering(answer: bytes, *, hangs: bool = False) -> AsyncIterator[str]:
    """A server that gives these bytes to every request, and then closes the connection or says no more."""
    stop = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
        writer.write(answer)
        if hangs:
            await stop.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        stop.set()
        server.close()


def head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


BROKEN_BODIES = [
    (("Content-Length: 100",), b"some", False),
    (("Content-Length: 100",), b"some", True),
    (("Content-Encoding: gzip", "Content-Length: 4"), b"some", False),
    (("Content-Encoding: deflate", "Content-Length: 4"), b"some", False),
    (("Content-Encoding: br", "Content-Length: 4"), b"some", False),
    (("Content-Encoding: zstd", "Content-Length: 4"), b"some", False),
]


@pytest.mark.parametrize(("headers", "body", "hangs"), BROKEN_BODIES)
@pytest.mark.parametrize("style", ["standard", "slack"])
async def test_the_status_says_what_became_of_a_message_whatever_its_body_does(
    style: str, headers: tuple[str, ...], body: bytes, hangs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.webhook.transport._LONGEST_READ_S", 0.2)
    async with answering(head("200 OK", *headers) + body, hangs=hangs) as url, account(url, style=style) as adapter:
        assert (await adapter.send(message())).message_ids == ("t1",)
    async with answering(head("410 Gone", *headers) + body, hangs=hangs) as url, account(url, style=style) as adapter:
        with pytest.raises(ChatOff):
            await adapter.send(message())


@pytest.mark.parametrize("charset", ["idna", "undefined", "zip", "punycode", "no-such", "\udcff", "utf-16"])
async def test_a_charset_that_is_none_breaks_nothing(charset: str) -> None:
    of = f"Content-Type: text/plain; charset={charset}".encode("utf-8", "surrogateescape")
    answer = b"HTTP/1.1 500 No\r\n" + of + b"\r\nContent-Length: 5\r\n\r\n\xffsome"
    async with answering(answer) as url, account(url) as adapter:
        with pytest.raises(RetryLater) as raised:
            await adapter.send(message())
        assert raised.value.answer is not None
        assert raised.value.answer.status == 500


@pytest.mark.parametrize(
    "repeated",
    ["Cannot POST {path}", "no hook for {path}?{query}", "{url}", "unknown token T0ken-of-the-hook", "bad key k\u00e9y-in-query"],
)
async def test_an_answer_that_repeats_the_address_shows_no_token(repeated: str) -> None:
    async with receiving() as there:
        url = there.url.replace("/hook", "/services/T0ken-of-the-hook?key=k%C3%A9y-in-query")
        parts = {"url": url, "path": "/services/T0ken-of-the-hook", "query": "key=k%C3%A9y-in-query"}
        there.answers.append(web.Response(status=404, text=repeated.format(**parts)))
        async with account(url) as adapter:
            with pytest.raises(DeliveryError) as raised:
                await adapter.send(message())
    assert raised.value.answer is not None
    assert "***" in raised.value.answer.body
    assert "T0ken" not in raised.value.answer.body
    assert "y-in-query" not in raised.value.answer.body


@pytest.mark.parametrize("path", ["/hook/", "/hook", "/a//b/?x=1/", ""])
async def test_a_url_is_asked_for_as_it_was_given(path: str) -> None:
    async with receiving() as there:
        url = there.url.removesuffix("/hook") + path
        async with account(url) as adapter:
            await adapter.send(message())
        assert [one.path for one in there.received] == [path or "/"]


def test_a_login_in_a_url_is_a_fault_before_anything_is_sent() -> None:
    for url in ("https://user:pass@example.com/hook", "https://token@example.com"):
        with pytest.raises(ValueError, match="a URL with a login"):
            faults(ends={"a": {"url": url}})
    assert faults(ends={"a": {"url": "https://example.com/@someone?to=a@b"}}) == []
