"""Receivers that mean harm, or are broken in odd ways: each attempt ends in bounded time, with an error that says what to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from pydantic import ValidationError

from adapters.common.http_errors import Effect
from adapters.webhook.errors import refusal
from bridge.model.errors import ChatDown, RetryLater
from bridge.policy.retry import Wait, next_step
from bridge.policy.routing import RelayOptions
from tests.adapters.webhook.receivers import account, message
from tests.support.patience import PATIENCE_S

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """A server that does with each connection what it likes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()


async def storm(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 5000)
        await writer.drain()


async def slow_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-A: b\r\n")
    await reader.read()


async def large_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-A: ")
    while True:
        writer.write(b"a" * 65536)
        await writer.drain()


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def no_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x15\x03\x01\x00\x02\x02\x16 what?\r\n\r\n")


@pytest.mark.parametrize("serve", [storm, slow_head, large_head, silence, no_http])
async def test_an_attempt_ends_in_bounded_time_and_is_made_again(serve: Serve) -> None:
    async with serving(serve) as url, account(url, request_timeout_s=0.5) as adapter:
        began_s = time.monotonic()
        with pytest.raises(RetryLater) as found:
            async with asyncio.timeout(PATIENCE_S):
                await adapter.send(message())
        assert found.value.answer is not None
        assert time.monotonic() - began_s < PATIENCE_S


async def test_a_body_without_end_is_read_to_its_start_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.webhook.transport._LONGEST_READ_S", 0.5)
    sent_bytes = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent_bytes
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"a" * 65536 + b"\r\n")
            sent_bytes += 65536
            await writer.drain()

    async with serving(flood) as url, account(url) as adapter:
        assert (await adapter.send(message())).message_ids == ("t1",)
    assert sent_bytes < 64 * 1024**2


PRIVATE = [
    "http://2130706433/hook",
    "http://0x7f000001/hook",
    "http://0177.0.0.1/hook",
    "http://127.1/hook",
    "http://[::1]/hook",
    "http://[::ffff:127.0.0.1]/hook",
    "http://[::ffff:a9fe:a9fe]/hook",
    "http://[::127.0.0.1]/hook",
    "http://[64:ff9b::7f00:1]/hook",
    "http://[64:ff9b:1::7f00:1]/hook",
    "http://[2002:7f00:1::1]/hook",
    "http://[2001:0:7f00:1::1]/hook",
    "http://[fe80::1]/hook",
    "http://[fd00:ec2::254]/hook",
    "http://169.254.169.254/latest/meta-data/",
    "http://0.0.0.0/hook",
    "http://localhost/hook",
    "http://localhost./hook",
]


@pytest.mark.parametrize("url", PRIVATE)
async def test_no_spelling_of_a_private_address_is_posted_to(url: str) -> None:
    """Where this machine cannot look a spelling up at all, it is not reached either."""
    with pytest.raises((ChatDown, RetryLater, ValidationError)) as found:
        async with account(url, allow_hosts=()) as adapter:
            await adapter.send(message())
    words = ("no public address", "cannot be found", "no usable one", "its host is neither a name nor an address")
    assert any(one in str(found.value) for one in words), found.value


@pytest.mark.parametrize(
    ("told", "least_s", "most_s"),
    [
        ("31536000", 6 * 3600, 6.5 * 3600),
        ("99999999999999999999", 6 * 3600, 6.5 * 3600),
        ("-5", 0.1, 15),
        ("0", 0.1, 15),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.1, 15),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 6 * 3600, 6.5 * 3600),
    ],
)
def test_a_wait_that_a_receiver_asks_for_is_never_none_and_never_for_ever(told: str, least_s: float, most_s: float) -> None:
    error = refusal(503, {"Retry-After": told}, doing="posting", effect=Effect.IDEMPOTENT)
    assert isinstance(error, RetryLater)
    step = next_step(error, 3, spent_s=60.0, options=RelayOptions(), random=lambda: 0.5)
    assert isinstance(step, Wait)
    assert least_s <= step.after_s <= most_s
