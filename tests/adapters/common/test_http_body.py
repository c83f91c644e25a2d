"""An answer is read as far as an honest one goes: bounded in bytes, also after decompression, in nesting and in values; by every
client library. And no call is redirected with what it carries."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from adapters.common.http_body import (
    MOST_BYTES,
    AnswerRefused,
    AnswerTooDeep,
    AnswerTooLarge,
    BoundedResponse,
    RedirectRefused,
    check_json,
    no_redirects,
)
from bridge.model.errors import OutcomeUnknown, RetryLater
from tests.support.transports import NETWORK, calls, serving

PIECE = b'{"ok":true,"a":"' + b" " * 1_000_000
DEEP = b'{"ok":true,"result":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
MANY = b'{"ok":true,"result":[' + b"[]," * 2_000_000 + b"[]]}"


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says 300 MB, and sends as much as is taken."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    for _ in range(300):
        writer.write(PIECE)
        await writer.drain()
    writer.close()


async def announced(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 300000000\r\n\r\n" + PIECE)
    await writer.drain()


def with_body(body: bytes, *head: str) -> Any:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close", *head]
        lines += ["", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return handle


BOMB = with_body(gzip.compress(b"{" + b" " * (MOST_BYTES + 1), 1), "Content-Encoding: gzip")
HOSTILE = [endless, announced, BOMB, with_body(DEEP), with_body(MANY)]
NAMES = ["endless", "announced", "bomb", "deep", "many"]


@pytest.mark.parametrize("handle", HOSTILE, ids=NAMES)
@pytest.mark.parametrize("reading", ["read", "text", "json"])
async def test_however_an_answer_is_read_it_is_bounded(handle: Any, reading: str) -> None:
    async with serving(handle) as url, aiohttp.ClientSession(response_class=BoundedResponse) as session:
        async with session.get(url) as answer:
            with pytest.raises(AnswerRefused):
                await getattr(answer, reading)()


async def test_an_honest_answer_is_read_whole() -> None:
    value = {"text": "[{" * 500_000, "rows": [{"a": [1, 2, {"b": '"}]'}]}] * 50_000}
    body = json.dumps(value).encode()
    for handle in (with_body(body), with_body(gzip.compress(body), "Content-Encoding: gzip")):
        async with serving(handle) as url, aiohttp.ClientSession(response_class=BoundedResponse) as session:
            async with session.get(url) as answer:
                assert await answer.json() == value
                assert await answer.read() == body


@pytest.mark.parametrize("handle", HOSTILE, ids=NAMES)
@pytest.mark.parametrize("platform", ["telegram", "slack", "discord", "teamspirit"])
async def test_a_hostile_answer_is_an_answer_that_broke_off(platform: str, handle: Any) -> None:
    """Through each platform's client library: what reads is tried again; of what posts, the outcome is unknown."""
    async with serving(handle) as url, calls(NETWORK[platform], platform, url) as (reads, posts):
        with pytest.raises(RetryLater):
            await reads()
        with pytest.raises(OutcomeUnknown):
            await posts()


# -- nesting ------------------------------------------------------------------------------------------------------------------


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


JSON = st.recursive(
    st.none() | st.text(alphabet=st.sampled_from('ab[]{}",\\\n ü')),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='[]{}",\\'), inner, max_size=4),
)


@given(JSON, st.integers(0, 8), st.booleans())
def test_the_depth_is_that_of_the_value(value: Any, most: int, as_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=as_ascii)
    if depth_of(value) > most:
        with pytest.raises(AnswerTooDeep):
            check_json(text, most_depth=most)
    else:
        check_json(text, most_depth=most)
        check_json(text.encode(), most_depth=most)


@pytest.mark.parametrize("text", ['"' * 500_001, '"\\' * 500_000, '["a' * 400_000, "\\" * 1_000_000, '[{"a":"\\"' * 200_000])
def test_what_is_no_json_costs_no_more(text: str) -> None:
    """Each of these would be quadratic for a pattern that tries again from every quote: minutes, not a moment."""
    try:
        check_json(text)
    except AnswerRefused:
        pass


def test_many_values_in_a_small_text() -> None:
    with pytest.raises(AnswerTooLarge, match="values"):
        check_json("[" + "0," * 1_000_001 + "0]")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_call_follows_a_server_to_another(method: str, status: int) -> None:
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession(trace_configs=[no_redirects()]) as session:
        with pytest.raises(RedirectRefused):
            await session.request(method, server.make_url("/token/send"), data={"text": "secret"} if method == "POST" else None)
        assert heard == ["/token/send"]
        async with session.request(method, server.make_url("/own"), allow_redirects=False) as told:
            assert told.status == status
