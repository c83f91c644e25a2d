"""Calls with a key: who gets through to which account, and what stops the others."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace
from structlog.testing import capture_logs

import bridge.web.door as door_module
from bridge.journal.contract import KeySecret
from bridge.journal.sqlite import SqliteJournal
from bridge.model.refs import AccountName
from bridge.model.web_mount import KeyDirection, KeyGrant
from bridge.policy.access_keys import hash_of, new_secret
from bridge.web.keyed import FORM_AT_ONCE, FORM_PER_MINUTE, MOST_AT_ONCE
from tests.support.clock import ManualClock
from tests.support.keyed_door import HOOKS, Door, header, status
from tests.support.patience import PATIENCE_S, eventually, stays
from tests.support.raw_http import OK

SITE = "https://example.com"


# -- who gets through ---------------------------------------------------------------------------------------------------------


def uncounted() -> float:
    return 0.0


async def test_a_key_leads_to_its_chat(door: Door) -> None:
    secret = await door.key(label="Grafana", is_form=True, origins=(SITE,))
    assert (await door.ask(f"/in/{secret}?a=1")).startswith(OK)
    ((method, grant, body),) = door.account.calls
    assert (method, body) == ("POST", b"hello")
    assert await grant.is_valid()
    expected = KeyGrant(
        key_id="k1",
        chat="alerts",
        direction=KeyDirection.IN,
        label="Grafana",
        is_form=True,
        origins=(SITE,),
        most_bytes=1_000_000,
        spend=uncounted,
    )
    assert replace(grant, spend=uncounted, is_valid=expected.is_valid) == expected
    await door.journal.revoke_key("k1", at=door.clock.now())
    assert not await grant.is_valid()
    assert door.counted() == {("hooks", "in", "taken"): 1}
    (stored,) = await door.journal.keys()
    assert stored.last_used_on == door.clock.now().date()


async def test_a_bearer_does_without_a_key_in_the_url(door: Door) -> None:
    secret = await door.key()
    assert (await door.ask("/in", f"Authorization: Bearer {secret}\r\n")).startswith(OK)
    assert (await door.ask("/in/?a=1", f"Authorization: bearer {secret}\r\n")).startswith(OK)
    assert status(await door.ask(f"/in/{new_secret()}", f"Authorization: Bearer {secret}\r\n")) == 401


async def test_a_direction_is_another_right(door: Door) -> None:
    reading = await door.key("k2", direction=KeyDirection.OUT)
    writing = await door.key()
    assert (await door.ask(f"/out/{reading}", body=b"", method="GET")).startswith(OK)
    assert status(await door.ask(f"/out/{writing}", body=b"", method="GET")) == 401
    assert status(await door.ask(f"/in/{reading}")) == 401


async def test_strangers_are_answered_alike(door: Door) -> None:
    """An unknown key, a revoked one, an odd one, a place that is not there: byte for byte, but for the time."""
    revoked = await door.key("gone")
    await door.journal.revoke_key("gone", at=door.clock.now())
    key = await door.key()
    places: list[str | bytes] = [
        f"/in/{new_secret()}",
        f"/in/{revoked}",
        f"/out/{key}",
        f"/in/{key}/more",
        f"/in/{key[:-1]}",
        f"/in/{key}%00",
        f"/in/{key}x",
        "/in/",
        "/in",
        "/in/%ff%fe",
        "/in/mbk_" + "a" * 3000,
        "/in/../etc/passwd",
        "/out/x",
        "/",
        "/favicon.ico",
        "/health",
        "/hooks/hooks/events",
        "/hooks/nobody",
        "//in/x",
        f"/IN/{key}",
    ]
    answers = {(await door.ask(place)).split(b"Date")[0] for place in places}
    assert len(answers) == 1, answers
    (answer,) = answers
    assert status(answer) == 401
    assert not door.account.calls
    assert not door.counted(), "what strangers do makes no figures grow"


async def test_a_target_that_is_no_text_is_no_http(door: Door) -> None:
    for target in (b"/in/\xff\xfe\xfd", "/in/ключ".encode()):
        assert status(await door.ask(target)) == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
async def test_a_stranger_learns_nothing_from_a_method(door: Door, method: str) -> None:
    answer = await door.ask(f"/in/{new_secret()}", method=method)
    assert status(answer) == 401
    assert header(answer, "Allow") is None


async def test_a_revoked_key_stops_at_once(door: Door, tmp_path: Path) -> None:
    secret = await door.key()
    assert (await door.ask(f"/in/{secret}")).startswith(OK)
    beside = SqliteJournal(tmp_path / "bridge.journal", exclusive=False)  # as the command has it
    await beside.open()
    assert await beside.revoke_key("k1", at=door.clock.now())
    await beside.close()
    assert status(await door.ask(f"/in/{secret}")) == 401


@pytest.mark.parametrize("has_begun", [False, True])
async def test_a_reader_who_waits_is_let_go_when_the_key_is_revoked(door: Door, has_begun: bool) -> None:
    secret = await door.key(direction=KeyDirection.OUT)
    entered, left = asyncio.Event(), asyncio.Event()

    async def handle(request: web.Request, grant: KeyGrant) -> web.StreamResponse:
        response = web.StreamResponse()
        if has_begun:
            await response.prepare(request)
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return response

    door.public.of(HOOKS).serve_keys(handle)
    caller = await door.connect(f"GET /out/{secret} HTTP/1.1\r\nHost: x\r\n\r\n")
    await entered.wait()
    await stays(lambda: not left.is_set())  # the clock of the door runs meanwhile, look by look
    assert await door.journal.revoke_key("k1", at=door.clock.now())
    await eventually(left.is_set, what="the reader's end")
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(caller.reader.read(), PATIENCE_S)
    assert door.public._keyed is not None
    await eventually(lambda: not door.public._keyed._under_way, what="nothing under way")  # type: ignore[union-attr]


async def test_both_secrets_open_while_a_key_is_rotated(door: Door) -> None:
    old, new = await door.key(), new_secret()
    made = KeySecret(hash=hash_of(new), created_at=door.clock.now())
    await door.journal.rotate_key("k1", made, old_until=door.clock.now() + timedelta(days=2))
    assert [status(await door.ask(f"/in/{one}")) for one in (old, new)] == [200, 200]
    door.manual.forward(2 * 86400)
    assert [status(await door.ask(f"/in/{one}")) for one in (old, new)] == [401, 200]


class Set(ManualClock):
    """Whose wall clock is set by somebody, beside the steady one."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.mark.parametrize("hours", [-365 * 24, -3, 3, 365 * 24])
async def test_an_overlap_lasts_as_long_as_it_was_made_for_whatever_the_clock_is_set_to(make: Any, hours: float) -> None:
    clock = Set()
    door = await make(clock=clock)
    old, new = await door.key(), new_secret()
    made = KeySecret(hash=hash_of(new), created_at=clock.now())
    await door.journal.rotate_key("k1", made, old_until=clock.now() + timedelta(days=2))
    assert status(await door.ask(f"/in/{new}")) == 200  # which makes the old one known too
    clock.ahead = timedelta(hours=hours)
    assert [status(await door.ask(f"/in/{one}")) for one in (old, new)] == [200, 200]
    clock.forward(2 * 86400)
    assert [status(await door.ask(f"/in/{one}")) for one in (old, new)] == [401, 200]
    assert await door.journal.revoke_key("k1", at=clock.now())
    clock.ahead = -timedelta(hours=hours)
    assert [status(await door.ask(f"/in/{one}")) for one in (old, new)] == [401, 401]


@pytest.mark.parametrize("ending", ["revoked", "rotated at once"])
async def test_a_slow_body_of_a_key_that_ends_meanwhile_is_not_taken(door: Door, ending: str) -> None:
    secret, other = await door.key(), await door.key("k2")
    heads = [f"POST /in/{one} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello" for one in (secret, other)]
    slow, honest = [await door.connect(head) for head in heads]
    await eventually(lambda: door.account.entered == 2)
    now = door.clock.now()
    if ending == "revoked":
        assert await door.journal.revoke_key("k1", at=now)
    else:
        assert await door.journal.rotate_key("k1", KeySecret(hash=hash_of(new_secret()), created_at=now), old_until=now)
    door.manual.forward(1)
    for caller in (slow, honest):
        caller.send("world")
    assert [status(await caller.answer()) for caller in (slow, honest)] == [401, 200]
    assert [(grant.key_id, body) for _, grant, body in door.account.calls] == [("k2", b"helloworld")]


# -- an account that is not up --------------------------------------------------------------------------------------------------


async def test_an_account_that_is_not_up_is_to_be_tried_again(door: Door) -> None:
    secret = await door.key()
    door.account.is_up = False
    answer = await door.ask(f"/in/{secret}")
    assert (status(answer), header(answer, "Retry-After")) == (503, "30")
    elsewhere = await door.key("k2", account=AccountName("not there"))
    assert status(await door.ask(f"/in/{elsewhere}")) == 503
    assert door.counted() == {("hooks", "in", "not up"): 1, ("not there", "in", "not up"): 1}


async def test_while_an_account_is_missing_no_hook_is_told_to_be_gone(make: Any) -> None:
    """Senders give up a hook that is answered 401 or 404. Which account it is, the answer does not say."""
    door = await make(is_missing=True)
    answers = [await door.ask(place) for place in ("/hooks/hooks/events", "/hooks/nobody/x")]
    assert {(status(answer), header(answer, "Retry-After")) for answer in answers} == {(503, "30")}
    assert status(await door.ask(f"/in/{new_secret()}")) == 401, "a key is known, whoever is up"


async def test_a_handler_that_fails_is_logged_without_the_key(door: Door) -> None:
    secret = await door.key()
    door.account.answers = [RuntimeError("a bug"), web.HTTPBadRequest(text="no JSON"), web.Response(status=422)]
    with capture_logs() as lines:
        answers = [await door.ask(f"/in/{secret}") for _ in range(3)]
    assert [status(answer) for answer in answers] == [503, 400, 422]
    assert b"a bug" not in answers[0]
    (line,) = lines
    assert (line["event"], line["account"]) == ("webhook failed", "hooks")
    assert secret not in str(lines)
    assert door.counted() == {("hooks", "in", "failed"): 1, ("hooks", "in", "refused"): 2}


async def test_without_the_journal_nothing_is_taken_and_nothing_is_lost(door: Door) -> None:
    secret = await door.key()
    await door.journal.close()
    with capture_logs() as lines:
        assert status(await door.ask(f"/in/{secret}")) == 503
    assert [line["event"] for line in lines] == ["journal unavailable"]


# -- limits ---------------------------------------------------------------------------------------------------------------------


async def test_a_key_has_its_rate(door: Door) -> None:
    secret, other = await door.key(per_minute=3), await door.key("k2")
    answers = [await door.ask(f"/in/{secret}") for _ in range(4)]
    assert [status(answer) for answer in answers] == [200, 200, 200, 429]
    assert header(answers[3], "Retry-After") == "20"
    assert (await door.ask(f"/in/{other}")).startswith(OK)
    door.manual.forward(20)
    assert (await door.ask(f"/in/{secret}")).startswith(OK)
    assert len(door.account.calls) == 5
    assert door.counted()["hooks", "in", "too many"] == 1


async def test_a_visitor_of_a_form_has_a_rate_of_its_own(door: Door) -> None:
    secret = await door.key(is_form=True)

    async def posted(address: str) -> int:
        return status(await door.ask(f"/in/{secret}", f"X-Forwarded-For: {address}\r\n"))

    assert [await posted("2001:db8::1") for _ in range(FORM_PER_MINUTE)] == [200] * FORM_PER_MINUTE
    assert await posted("2001:db8::2") == 429, "the same household"
    assert await posted("198.51.100.7") == 200
    assert await posted("6.6.6.6, 2001:db8::3") == 429, "what a visitor writes itself counts for nothing"
    other = await door.key("k2")
    assert status(await door.ask(f"/in/{other}", "X-Forwarded-For: 2001:db8::1\r\n")) == 200


async def test_one_visitor_does_not_use_up_a_forms_rate(door: Door) -> None:
    secret = await door.key(is_form=True, per_minute=2 * FORM_PER_MINUTE)
    for _ in range(3 * FORM_PER_MINUTE):
        await door.ask(f"/in/{secret}", "X-Forwarded-For: 203.0.113.9\r\n")
    assert status(await door.ask(f"/in/{secret}", "X-Forwarded-For: 198.51.100.7\r\n")) == 200
    assert len(door.account.calls) == FORM_PER_MINUTE + 1


async def test_one_visitor_does_not_hold_a_form(door: Door) -> None:
    secret = await door.key(is_form=True)
    head = f"POST /in/{secret} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Length: 2\r\n\r\n"
    slow = [await door.connect(head + "a") for _ in range(FORM_AT_ONCE)]
    await eventually(lambda: door.account.entered == FORM_AT_ONCE, what="as many as may")
    assert status(await (await door.connect(head + "ab")).answer()) == 429
    assert status(await door.ask(f"/in/{secret}", "X-Forwarded-For: 198.51.100.7\r\n")) == 200
    for caller in slow:
        caller.send("b")
        assert (await caller.answer()).startswith(OK)
    assert door.public._keyed is not None
    await eventually(lambda: not door.public._keyed._under_way, what="nothing under way")  # type: ignore[union-attr]


async def test_what_is_too_large_is_refused_before_it_comes(door: Door) -> None:
    secret = await door.key(most_bytes=100)
    caller = await door.connect(f"POST /in/{secret} HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n")
    answer = await caller.answer()
    assert status(answer) == 413
    assert b"larger than 100 bytes" in answer
    assert await caller.is_hung_up()
    assert not door.account.calls


async def test_a_larger_body_streams_up_to_the_keys_bound(door: Door) -> None:
    secret = await door.key(most_bytes=3_000_000)
    head = f"POST /in/{secret} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    good = await door.connect(head)
    for _ in range(45):
        good.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")
    good.send(b"0\r\n\r\n")
    assert (await good.answer()).startswith(OK)
    assert len(door.account.calls[0][2]) == 45 * 0x10000
    large = await door.connect(head)
    for _ in range(50):
        large.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")
    assert status(await large.answer()) == 413
    assert len(door.account.calls) == 1


async def test_one_key_does_not_take_all_connections(door: Door) -> None:
    secret, other = await door.key(per_minute=1000), await door.key("k2")
    head = f"POST /in/{secret} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    slow = [await door.connect(head + "a") for _ in range(MOST_AT_ONCE)]
    await eventually(lambda: door.account.entered == MOST_AT_ONCE, what="as many as may")
    answer = await door.ask(f"/in/{secret}")
    assert (status(answer), header(answer, "Retry-After")) == (429, "5")
    assert (await door.ask(f"/in/{other}")).startswith(OK)
    slow[0].send("b")
    assert (await slow[0].answer()).startswith(OK)
    slow[1].writer.transport.abort()
    for _ in range(2):
        assert (await door.ask(f"/in/{secret}")).startswith(OK)
    for caller in slow[2:]:
        caller.send("b")
        assert (await caller.answer()).startswith(OK)
    assert door.public._keyed is not None
    await eventually(lambda: not door.public._keyed._under_way, what="nothing under way")  # type: ignore[union-attr]


async def test_readers_who_wait_leave_room_for_those_who_say_something(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.web.door.most_connections", lambda: 8)
    readers = [await door.key(f"r{number}", direction=KeyDirection.OUT) for number in range(6)]
    speaker = await door.key("s")
    entered = 0

    async def handle(_: web.Request, grant: KeyGrant) -> web.StreamResponse:
        nonlocal entered
        if grant.direction is KeyDirection.OUT:
            entered += 1
            await asyncio.Event().wait()
        return web.Response()

    door.public.of(HOOKS).serve_keys(handle)
    waiting = [await door.connect(f"GET /out/{secret} HTTP/1.1\r\nHost: x\r\n\r\n") for secret in readers[:4]]
    await eventually(lambda: entered == 4, what="half of the connections read")
    answer = await door.ask(f"/out/{readers[4]}", method="GET", body=b"")
    assert (status(answer), header(answer, "Retry-After")) == (429, "5")
    assert (await door.ask(f"/in/{speaker}")).startswith(OK)
    waiting[0].writer.transport.abort()
    assert door.public._keyed is not None
    await eventually(lambda: door.public._keyed._under_way["readers"] == 3, what="one less")  # type: ignore[union-attr]
    await door.connect(f"GET /out/{readers[5]} HTTP/1.1\r\nHost: x\r\n\r\n")
    await eventually(lambda: entered == 5, what="another reads")


async def test_who_hangs_up_ends_its_call(door: Door) -> None:
    """A call that waits for something else than its body is told of the hang-up by aiohttp alone."""
    ended = asyncio.Event()

    async def wait(request: web.Request, _: KeyGrant) -> web.StreamResponse:
        started.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()
        raise AssertionError

    started = asyncio.Event()
    door.public.of(HOOKS).serve_keys(wait)
    secret = await door.key()
    caller = await door.connect(f"POST /in/{secret} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok")
    await eventually(started.is_set, what="the call")
    caller.writer.transport.abort()
    await eventually(ended.is_set, what="the call's end")
    assert door.public._keyed is not None
    await eventually(lambda: not door.public._keyed._under_way, what="nothing under way")  # type: ignore[union-attr]


async def test_a_stop_ends_calls_that_are_under_way(door: Door) -> None:
    secret = await door.key()
    await door.connect(f"POST /in/{secret} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
    await eventually(lambda: door.account.entered == 1, what="the call")
    assert door.public._runner is not None
    door.public._runner._shutdown_timeout = 0.01
    await door.public.stop()


async def test_a_drip_is_let_go(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "BODY_S", 0.3)
    secret = await door.key()
    caller = await door.connect(f"POST /in/{secret} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
    assert status(await caller.answer()) == 408
    assert await caller.is_hung_up()


async def test_who_expects_to_be_asked_is_asked_with_a_key_only(door: Door) -> None:
    secret = await door.key()
    head = " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert status(await (await door.connect(f"POST /in/{new_secret()}{head}")).answer()) == 401
    friend = await door.connect(f"POST /in/{secret}{head}")
    assert status(await friend.answer()) == 100
    friend.send("{}")
    assert (await friend.answer()).startswith(OK)


async def test_a_body_that_is_packed_is_refused_with_its_reason(door: Door) -> None:
    secret = await door.key()
    answer = await door.ask(f"/in/{secret}", "Content-Encoding: gzip\r\n")
    assert status(answer) == 415
    assert b"Content-Encoding" in answer


# -- forms ----------------------------------------------------------------------------------------------------------------------


async def test_a_script_of_an_allowed_site_may_post(door: Door) -> None:
    secret = await door.key(is_form=True, origins=(SITE,))
    head = f"Origin: {SITE}\r\n"
    asked = await door.ask(f"/in/{secret}", f"{head}Access-Control-Request-Method: POST\r\n", b"", "OPTIONS")
    assert (status(asked), header(asked, "Access-Control-Allow-Origin")) == (204, SITE)
    assert header(asked, "Access-Control-Allow-Methods") == "POST"
    posted = await door.ask(f"/in/{secret}", head)
    assert (status(posted), header(posted, "Access-Control-Allow-Origin"), header(posted, "Vary")) == (200, SITE, "Origin")
    assert (await door.ask(f"/in/{secret}")).startswith(OK), "no browser, no origin"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://example.com", "https://example.com.evil.example", "null"])
async def test_another_site_may_not(door: Door, origin: str) -> None:
    secret = await door.key(is_form=True, origins=(SITE,))
    for method in ("OPTIONS", "POST"):
        answer = await door.ask(f"/in/{secret}", f"Origin: {origin}\r\n", method=method)
        assert (status(answer), header(answer, "Access-Control-Allow-Origin")) == (403, None)
    assert not door.account.calls


async def test_a_form_of_any_site_and_a_plain_key_are_no_business_of_scripts(door: Door) -> None:
    for secret in (await door.key(is_form=True), await door.key("k2")):
        asked = await door.ask(f"/in/{secret}", f"Origin: {SITE}\r\n", b"", "OPTIONS")
        posted = await door.ask(f"/in/{secret}", f"Origin: {SITE}\r\n")
        assert (status(asked), status(posted)) == (405, 200)
        assert header(asked, "Access-Control-Allow-Origin") is header(posted, "Access-Control-Allow-Origin") is None


# -- behind a prefix --------------------------------------------------------------------------------------------------------------


async def test_a_prefix_may_be_left_on_or_taken_off(make: Any) -> None:
    door = await make(url="https://example.com/bridge")
    secret = await door.key()
    assert (await door.ask(f"/bridge/in/{secret}")).startswith(OK)
    assert (await door.ask(f"/in/{secret}")).startswith(OK)
    assert (await door.ask(f"http://example.com/bridge/in/{secret}")).startswith(OK)
    assert status(await door.ask(f"/bridged/in/{secret}")) == 401
    assert status(await door.ask(f"/bridge/bridge/in/{secret}")) == 401
