"""What no client sends: broken, doubled, endless and silent HTTP. It costs next to nothing, learns nothing and writes no log, and a
call with the right key goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

import bridge.web.door as door_module
from bridge.web.admin import AdminWeb
from bridge.web.door import Door
from bridge.web.public import PublicWeb
from tests.support.patience import eventually
from tests.support.raw_http import KEY, OK, Caller, Hook, door_of, post

START = f"POST /hooks/team/events HTTP/1.1\r\nHost: x\r\n{KEY}"
CHUNKED = START + "Transfer-Encoding: chunked\r\n\r\n"
EMPTY = START + "Content-Length: 0\r\n\r\n"
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"

REFUSED = {
    "a chunk of no number": CHUNKED + "zz\r\n",
    "a chunk below zero": CHUNKED + "-5\r\nhello",
    "a chunk of more than 64 bits": CHUNKED + "fffffffffffffffff\r\nhello",
    "a chunk without CR": CHUNKED + "5\nhello\r\n0\r\n\r\n",
    "too many trailers": CHUNKED + "2\r\n{}\r\n0\r\n" + "".join(f"T{n}: x\r\n" for n in range(100)) + "\r\n",
    "too many headers": START + "".join(f"A{n}: b\r\n" for n in range(65)) + "\r\n",
    "a long value": START + "A: " + "b" * 4097 + "\r\n\r\n",
    "a long name": START + "A" * 5000 + ": b\r\n\r\n",
    "a long target": "POST /" + "a" * 5000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
    "a folded line": START + "A: b\r\n c\r\n\r\n",
    "a NUL": START + "A: b\0c\r\n\r\n",
    "no host": "POST /hooks/team/events HTTP/1.1\r\n\r\n",
    "two hosts": START + "Host: y\r\n\r\n",
    "both lengths": START + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "both lengths, the other way round": START + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two lengths": START + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length twice": START + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": START + "Content-Length: 2, 2\r\n\r\n{}",
    "a length below zero": START + "Content-Length: -1\r\n\r\n",
    "a length with a plus": START + "Content-Length: +2\r\n\r\n{}",
    "a length of more than 64 bits": START + "Content-Length: 99999999999999999999999\r\n\r\n",
    "an unknown transfer": START + "Transfer-Encoding: xchunked\r\n\r\n",
    "a transfer that is not chunked last": START + "Transfer-Encoding: chunked, gzip\r\n\r\n",
    "HTTP/0.9": "GET /\r\n\r\n",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "an authority as target": "POST other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": "CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target of no host": "POST http://[::1/hooks/team/events HTTP/1.1\r\nHost: x\r\n\r\n",
    "an asterisk": "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "two slashes": "POST //other.example/hooks/team/events HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the target": b"POST /hooks/\xff\xfe/events HTTP/1.1\r\nHost: x\r\n\r\n",
    "escapes in the target": "POST /hooks/%ff%00/ev%0aents HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the host": b"POST /hooks/team/events HTTP/1.1\r\nHost: \xff\r\n\r\n",
    "a WebSocket": "GET /hooks/team/events HTTP/1.1\r\nHost: x\r\n" + UPGRADE + "\r\n" + "x" * 20_000,
    "an old WebSocket": START + "Sec-WebSocket-Key1: x\r\n\r\n",
}

TAKEN = {
    "a large chunk extension": CHUNKED + "5;" + "a" * 300_000 + "\r\nhello\r\n0\r\n\r\n",
    "bytes in a value": START.encode() + b"A: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    "headers just below the bounds": START + "".join(f"A{n}: {'b' * 4000}\r\n" for n in range(60)) + "\r\n",
    "empty lines before": "\r\n" * 1000 + EMPTY,
    "an expectation without a body": START + "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    "another expectation": START + "Expect: banana\r\nContent-Length: 2\r\n\r\n{}",
    "an offer to upgrade": START + UPGRADE + "Content-Length: 2\r\n\r\n{}",
    "a target with a host": EMPTY.replace("/hooks", "http://other.example/hooks", 1),
    "HTTP/1.0": EMPTY.replace("HTTP/1.1", "HTTP/1.0"),
}


def tells_nothing(answer: bytes) -> bool:
    _, _, body = answer.partition(b"\r\n\r\n")
    return len(body) < 20 and not any(word in answer.lower() for word in (b"server:", b"aiohttp", b"python", b"traceback"))


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused(name: str, call: Any, hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    with capture_logs() as said:
        caller = await call(REFUSED[name])
        answer = await caller.answer()
        assert answer.split(b" ")[1].startswith(b"4")
        assert tells_nothing(answer)
        assert await caller.is_hung_up()
        assert (await (await call(post(b"friend"))).answer()).startswith(OK)
    assert b"friend" in hook.bodies
    assert not caplog.records
    assert len(said) <= 1


@pytest.mark.parametrize("name", TAKEN)
async def test_what_is_odd_but_http_is_taken(name: str, call: Any, hook: Hook) -> None:
    caller = await call(TAKEN[name])
    answer = await caller.answer()
    if b" 100 Continue" in answer:
        answer = await caller.answer()
    assert answer.split(b" ")[1] == b"200"
    assert tells_nothing(answer)
    assert len(hook.bodies) == 1


async def test_what_follows_an_upgrade_that_was_not_taken_is_not_repeated(call: Any) -> None:
    caller = await call(START + UPGRADE + "Content-Length: 2\r\n\r\n{}" + "x" * 20_000)
    assert (await caller.answer()).startswith(OK)
    second = await caller.answer()
    assert not second or tells_nothing(second)
    assert await caller.is_hung_up()


async def test_requests_in_one_packet_are_requests_of_their_own(call: Any, hook: Hook) -> None:
    many = await call(EMPTY * 100)
    for _ in range(100):
        assert (await many.answer()).startswith(OK)
    strange = await call(post(head="") * 100)
    assert b"401" in await strange.answer()
    assert await strange.is_hung_up(), "one answer for a stranger, whatever follows"
    hidden = await call(post(b"{}") + post(b"hidden", head=""))
    assert (await hidden.answer()).startswith(OK)
    assert b"401" in await hidden.answer()
    assert b"hidden" not in hook.bodies


@pytest.mark.parametrize(
    ("begin", "status"),
    [
        (CHUNKED + "5;a=", b"408"),  # within an extension
        (CHUNKED + "7fffffffffffffff\r\n", b"408"),
        (CHUNKED + "2\r\n{}\r\n0\r\nT: ", b"408"),  # within a trailer
        (START + "Content-Length: 1000\r\n\r\n", b"408"),
        (START + "A: ", b""),  # within a header
        ("", b""),
    ],
)
async def test_a_byte_now_and_then_does_not_last(monkeypatch: pytest.MonkeyPatch, call: Any, begin: str, status: bytes) -> None:
    monkeypatch.setattr(door_module, "HEADERS_S", 0.2)
    monkeypatch.setattr(door_module, "BODY_S", 0.2)
    caller = await call(begin)

    async def drip() -> None:
        while True:
            caller.send("a" if begin else "\r\n")
            await asyncio.sleep(0.01)

    dripping = asyncio.create_task(drip())
    answer = await caller.answer()
    dripping.cancel()
    assert answer.split(b" ")[1:2] == ([status] if status else [])
    assert await caller.is_hung_up()


async def test_a_body_that_breaks_off_or_breaks(monkeypatch: pytest.MonkeyPatch, call: Any, hook: Hook) -> None:
    monkeypatch.setattr(door_module, "BODY_S", 0.5)
    with capture_logs() as said:
        half = await call(START + "Content-Length: 20\r\n\r\n{}")
        half.writer.write_eof()
        assert await half.is_hung_up()
        broken = await call(CHUNKED)
        await eventually(lambda: hook.asked == 2, what="the body is being read")
        for _ in range(20):
            broken.send("zz\r\n")
        assert tells_nothing(await broken.answer())
        assert await broken.is_hung_up()
    monkeypatch.undo()
    assert (await (await call(post())).answer()).startswith(OK)
    assert not said


# -- many at once -------------------------------------------------------------------------------------------------------------


async def test_a_flood_of_connections_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, call: Any, public: PublicWeb) -> None:
    door = door_of(public)
    monkeypatch.setattr(door, "_most", 20)
    for _ in range(20):
        flood = [await call(text) for text in ("", "\r\n\r\n", "POST /hooks", post(head=""), "\x16\x03") * 5]
        assert (await (await call(post())).answer()).startswith(OK)
        await eventually(lambda: len(door.connections) <= 21, what="room")
        await eventually(lambda: len(door._expected) <= len(door.connections), what="no timer keeps a connection that is over")
        for caller in flood:
            caller.writer.transport.abort()


async def test_who_spoke_last_goes_last(monkeypatch: pytest.MonkeyPatch, call: Any, public: PublicWeb) -> None:
    """A proxy's connection that is in use outlives those that say nothing, however old it is."""
    monkeypatch.setattr(door_of(public), "_most", 10)
    friend = await call()
    for _ in range(5):
        friend.send(post())
        assert (await friend.answer()).startswith(OK)
        for _ in range(6):
            await call()
        await eventually(lambda: len(door_of(public).connections) <= 11, what="room")
    friend.send(post())
    assert (await friend.answer()).startswith(OK)


async def much(_: str) -> tuple[bytes, str]:
    return bytes(16_000_000), "text/plain"


# -- the admin listener -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def admin() -> AsyncIterator[tuple[AdminWeb, int]]:
    async def report() -> dict[str, Any]:
        return {"ok": True, "status": "ok"}

    admin = AdminWeb(report=report, metrics=much)
    yield admin, await admin.start("127.0.0.1", 0)
    await admin.stop()


async def ask(port: int, text: str | bytes) -> Caller:
    caller = Caller(*await asyncio.open_connection("127.0.0.1", port))
    caller.send(text)
    return caller


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        ("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200"),
        ("GET http://127.0.0.1:8081/health HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200"),
        ("GET http://[::1]:8081/health HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200"),
        ("GET http://evil.example/health HTTP/1.1\r\nHost: localhost\r\n\r\n", b"421"),
        ("CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"421"),
        ("GET /health HTTP/1.1\r\nHost: [::1].evil.example\r\n\r\n", b"421"),
        ("GET /health HTTP/1.1\r\nHost: 127.0.0.1.evil.example:8081\r\n\r\n", b"421"),
        ("GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", b"400"),
        ("POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n", b"405"),
        ("DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
        ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        ("GET //evil.example/health HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nA: b\0\r\n\r\n", b"400"),
        ("\x16\x03\x01\x02\x00\x01\x00", b"400"),
    ],
)
async def test_whom_the_admin_listener_answers(
    admin: tuple[AdminWeb, int], request_head: str, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caller = await ask(admin[1], request_head)
    answer = await caller.answer()
    caller.writer.transport.abort()
    assert answer.split(b" ")[1] == status
    assert b"Server:" not in answer
    assert not caplog.records


async def test_who_never_reads_the_metrics_makes_room(admin: tuple[AdminWeb, int], monkeypatch: pytest.MonkeyPatch) -> None:
    assert admin[0]._runner is not None
    door = admin[0]._runner.server
    assert isinstance(door, Door)
    monkeypatch.setattr(door, "_most", 5)
    deaf = []
    for _ in range(20):
        deaf.append(await ask(admin[1], "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        good = await ask(admin[1], "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await good.answer()).startswith(OK)
        good.writer.transport.abort()
    assert len(door.connections) <= 6
    for caller in deaf:
        caller.writer.transport.abort()


async def test_a_page_that_fails_says_so_in_the_log_alone() -> None:
    async def report() -> dict[str, Any]:
        raise ValueError("inside")

    admin = AdminWeb(report=report, metrics=much)
    caller = await ask(await admin.start("127.0.0.1", 0), "GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with capture_logs() as said:
        answer = await caller.answer()
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"inside" not in answer
    assert [line["page"] for line in said] == ["/ready"]
    caller.writer.transport.abort()
    await admin.stop()


async def test_what_follows_a_broken_body_is_not_kept(call: Any, hook: Hook, public: PublicWeb) -> None:
    """Nothing that comes after it can mend the body, so the connection ends at once."""
    broken = await call(CHUNKED)
    await eventually(lambda: hook.asked, what="the body is being read")
    (connection,) = door_of(public).connections
    for n in range(40):
        broken.send("zz\r\n" if not n else "\1" * 10_000)
        await asyncio.sleep(0)
        kept = [len(message.message) for message, _ in connection._messages if not hasattr(message, "headers")]
        assert sum(kept) < 100_000
    assert await broken.is_hung_up()
    assert not hook.bodies
