"""What strangers may cost the public listener, and what they may learn from it: next to nothing."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest
from structlog.testing import capture_logs

import bridge.web.door as door_module
from bridge.web.door import MOST_BODY_BYTES, MOST_BYTES_IN_FLIGHT
from bridge.web.public import PublicWeb
from tests.support.patience import eventually
from tests.support.raw_http import KEY, OK, Hook, door_of, post


async def test_a_call_is_taken(call: Any, hook: Hook) -> None:
    caller = await call(post(b"one") + post(b"two"))
    assert (await caller.answer()).startswith(OK)
    assert (await caller.answer()).startswith(OK)
    assert hook.bodies == [b"one", b"two"]


@pytest.mark.parametrize(
    "path",
    ["/hooks/team/nothing", "/hooks/nobody/events", "/hooks/team/", "/hooks//events", "/hooks/TEAM/events", "/hooks/team/%65v"],
)
async def test_places_cannot_be_told_apart(call: Any, path: str) -> None:
    """An account that is there, one that is not, a wrong name and a wrong key: one answer, byte for byte, but for the time."""
    known = await (await call(post(head=""))).answer()
    other = await (await call(post(path=path, head=""))).answer()
    assert b"401" in known
    assert [line for line in known.split(b"\r\n") if not line.startswith(b"Date")] == [
        line for line in other.split(b"\r\n") if not line.startswith(b"Date")
    ]
    for head in ("Content-Encoding: gzip\r\n", "X-Key: wrong\r\n", KEY if "nothing" in path else ""):
        answers = [await (await call(post(path=one, head=head))).answer() for one in ("/hooks/nobody/events", path)]
        assert len({answer.split(b"Date")[0] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        ("GET /hooks/team/events HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        ("PUT /hooks/nobody/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", b"405"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", b"401"),
        ("POST /hooks/team/events/more HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", b"401"),
        (f"POST /hooks/team/events HTTP/1.1\r\nHost: x\r\n{KEY}Content-Length: {MOST_BODY_BYTES + 1}\r\n\r\n", b"413"),
        (f"POST /hooks/team/events HTTP/1.1\r\nHost: x\r\n{KEY}Content-Encoding: gzip\r\nContent-Length: 99\r\n\r\n", b"415"),
        (f"POST /hooks/team/events HTTP/1.1\r\nHost: x\r\n{KEY}Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n", b"415"),
        ("POST /hooks/team/events HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n", b"401"),
    ],
)
async def test_what_the_headers_give_away_is_answered_before_any_body(
    call: Any, hook: Hook, request_head: str, status: bytes
) -> None:
    """The bodies never come; each answer is there all the same, and the connection ends."""
    caller = await call(request_head)
    assert (await caller.answer()).startswith(b"HTTP/1.1 " + status)
    assert await caller.is_hung_up()
    assert not hook.bodies


async def test_a_chunked_body_is_bounded(call: Any, hook: Hook) -> None:
    head = f"POST /hooks/team/events HTTP/1.1\r\nHost: x\r\n{KEY}Transfer-Encoding: chunked\r\n\r\n"
    good = await call(head + "5\r\nhello\r\n0\r\n\r\n")
    assert (await good.answer()).startswith(OK)
    large = await call(head)
    for _ in range(20):
        large.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")
    assert (await large.answer()).startswith(b"HTTP/1.1 413")
    assert hook.bodies == [b"hello"]


async def test_a_bomb_is_not_unpacked(call: Any, hook: Hook) -> None:
    """Not even where its encoding hides in the transfer's."""
    bomb = gzip.compress(bytes(10_000_000))
    head = f"POST /hooks/team/events HTTP/1.1\r\nHost: x\r\n{KEY}Transfer-Encoding: gzip, chunked\r\n\r\n"
    caller = await call(head.encode() + b"%x\r\n" % len(bomb) + bomb + b"\r\n0\r\n\r\n")
    await caller.answer()
    assert all(len(body) <= len(bomb) for body in hook.bodies)


async def test_who_expects_to_be_asked_is_asked_once_the_headers_are_right(call: Any) -> None:
    stranger = await call("POST /hooks/team/events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert (await stranger.answer()).startswith(b"HTTP/1.1 401")
    friend = await call(f"POST /hooks/team/events HTTP/1.1\r\nHost: x\r\n{KEY}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert (await friend.answer()).startswith(b"HTTP/1.1 100")
    friend.send("{}")
    assert (await friend.answer()).startswith(OK)


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"POST /\xff HTTP/9.9\r\n\r\n", b"a" * 20_000]
)
async def test_what_is_no_http_writes_no_log(call: Any, garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caller = await call(garbage + b"\r\n\r\n")
    assert await caller.answer() == b"" or await caller.is_hung_up()
    assert not caplog.records


async def test_refusals_are_one_line_a_minute(call: Any) -> None:
    with capture_logs() as log:
        for _ in range(20):
            assert b"401" in await (await call(post(head="X-Key: wrong\r\n"))).answer()
    (refused,) = (line for line in log if line["event"] == "a call was refused")
    assert refused["reason"] == "wrong key, dear stranger"


# -- many at once -------------------------------------------------------------------------------------------------------------


async def test_idle_connections_make_room_for_those_who_speak(
    monkeypatch: pytest.MonkeyPatch, call: Any, public: PublicWeb
) -> None:
    monkeypatch.setattr(door_of(public), "_most", 20)
    idle = [await call() for _ in range(15)] + [await call("POST /hooks/team/ev") for _ in range(35)]
    for _ in range(30):
        assert (await (await call(post())).answer()).startswith(OK)
    assert await idle[0].is_hung_up(), "the first of the idle ones is the first to go"
    assert len(door_of(public).connections) <= 21


async def test_held_bodies_make_room_for_those_that_come(call: Any, public: PublicWeb, hook: Hook) -> None:
    """Forty bodies of a MiB of which the last byte never comes, by callers who have the right headers."""
    door = door_of(public)
    held = [await call(post(bytes(MOST_BODY_BYTES))[:-1]) for _ in range(40)]
    for caller in held:
        try:
            await caller.writer.drain()
        except ConnectionError:
            pass  # one of those that had to go
    for _ in range(10):
        assert (await (await call(post(b"x" * 100_000))).answer()).startswith(OK)
    assert door.held_bytes <= MOST_BYTES_IN_FLIGHT
    assert hook.bodies == [b"x" * 100_000] * 10
    for caller in held:
        caller.writer.transport.abort()
    await eventually(lambda: not door.held_bytes, what="room")


async def test_who_is_slow_is_let_go(monkeypatch: pytest.MonkeyPatch, call: Any) -> None:
    monkeypatch.setattr(door_module, "HEADERS_S", 0.2)
    monkeypatch.setattr(door_module, "BODY_S", 0.2)
    silent, drip = await call(), await call("POST /hooks/team/events HTTP/1.1\r\nX-A: ")
    body = await call(post(b"12345")[:-1])
    assert await silent.is_hung_up()
    assert await drip.is_hung_up()
    assert (await body.answer()).startswith(b"HTTP/1.1 408")
    assert await body.is_hung_up()


async def test_a_body_that_is_here_counts_until_it_was_taken(call: Any, public: PublicWeb, hook: Hook) -> None:
    hook.hold = asyncio.Event()
    callers = [await call(post(bytes(MOST_BODY_BYTES))) for _ in range(8)]
    await eventually(lambda: len(hook.bodies) == 8, what="eight bodies")
    late = await call(post(b"one more"))
    assert (await late.answer()).startswith(b"HTTP/1.1 503"), "the platform brings it again"
    hook.hold.set()
    answers = [await caller.answer() for caller in callers]
    assert sum(answer.startswith(OK) for answer in answers) == 8
