"""The door: methods, hosts, origins, tokens of forms, roles; and what everybody wrote is escaped."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web

from bridge.dashboard import pages
from bridge.dashboard.access import _ATTEMPTS_PER_MINUTE
from bridge.dashboard.pages import ACTS, NAMES
from bridge.dashboard.parts import Parts, Visit
from tests.support.clock import ManualClock
from tests.support.dashboard import USERS, WALL, Board, Visitor, status_of

Make = Callable[..., Awaitable[Board]]
BAD = "<script>alert(1)</script>\u202e'\"&{{7*7}}"


async def test_every_page_is_safe_to_show(anna: Visitor) -> None:
    for place in sorted(NAMES):
        shown = await anna.get(place)
        policy = shown.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert shown.headers["Cache-Control"] == "no-store"
        assert "Server" not in shown.headers
        for inline in ("<style", " style=", " onclick=", "javascript:", "<script>"):
            assert inline not in shown.html, (place, inline)
        assert shown.html.count("<h1>") == 1, place


async def test_what_others_wrote_is_escaped(anna: Visitor) -> None:
    status = status_of(to_do=[BAD])
    status["accounts"]["tg"] |= {"reason": BAD, "action": BAD, "status": "fail"}
    status["routes"]["list"][0] |= {"name": BAD, "status": "fail"}
    status["routes"]["list"][0]["ends"][0] |= {"status": "fail", "reason": BAD, "action": BAD}
    status["lanes"] = [
        {"target": BAD, "status": "warn", "waiting": 1, "oldest": None, "next_attempt_at": None, "attempts": 0, "reason": BAD}
    ]
    status["reload"] = {"at": "2026-11-27T04:00:00+00:00", "ok": False, "outcome": BAD}
    anna.board.status = status
    shown = await anna.get()
    assert shown.words.count("<script>alert(1)</script>") >= 8
    assert "<script>alert" not in shown.html
    assert "\u202e" not in shown.html
    assert "{{7*7}}" in shown.words
    for place in ("message", "route", "dead", "letter", "login"):
        wrote = await anna.get(
            f"{place}?what=%3Cscript%3Ealert(1)&name=%3Cscript%3Ealert(1)&route=%22%3E%3Cscript%3Ealert(1)&id=%3Cb%3E"
        )
        assert "<script>alert" not in wrote.html, place


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
async def test_only_get_and_post(anna: Visitor, method: str) -> None:
    async with anna.session.request(method, f"{anna.board.origin}/dashboard/") as answer:
        assert answer.status == 405


async def test_the_first_path_leads_there_and_the_other_pages_stay(anna: Visitor) -> None:
    for path, place in (("/", "dashboard/"), ("/dashboard", "dashboard/")):
        async with anna.session.get(anna.board.origin + path, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, place)
    for path, status in (("/health", 200), ("/livez", 200), ("/nothing", 404), ("/dashboard/nothing", 404), ("/dashboardx", 404)):
        async with anna.session.get(anna.board.origin + path) as answer:
            assert answer.status == status, path


async def test_another_name_is_not_answered(anna: Visitor) -> None:
    assert (await anna.get("", Host="evil.example")).status == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1", "file://", "", None])
async def test_a_form_of_another_site_does_nothing(anna: Visitor, origin: str | None) -> None:
    token = (await anna.get()).token
    headers = {} if origin is None else {"Origin": origin}
    url = f"{anna.board.origin}/dashboard/logout"
    async with anna.session.post(url, data={"token": token}, headers=headers) as answer:
        assert answer.status == 403
    assert (await anna.get("", follow=False)).status == 200, "still signed in"


@pytest.mark.parametrize("token", ["", "x", "\u00e9"])
async def test_a_form_without_its_token_does_nothing(anna: Visitor, token: str) -> None:
    for place in (*ACTS, "reload", "logout"):
        assert (await anna.post(place, {"token": token, "id": "1"})).status == 403
    assert (await anna.get("", follow=False)).status == 200


async def test_the_token_of_one_session_is_none_of_another(anna: Visitor) -> None:
    first = (await anna.get()).token
    await anna.sign_in()
    assert (await anna.get()).token != first
    assert (await anna.post("logout", {"token": first})).status == 403


async def test_a_page_that_says_it_is_ours_by_fetch_metadata_is(anna: Visitor) -> None:
    token = (await anna.get()).token
    assert (await anna.post("logout", {"token": token}, origin=None, headers={"Sec-Fetch-Site": "cross-site"})).status == 403
    assert (await anna.post("logout", {"token": token}, origin=None, headers={"Sec-Fetch-Site": "same-origin"})).status == 200


async def test_a_proxy_that_changes_the_host_is_named(make: Make) -> None:
    board = await make(hosts=["bridge.example.com"])
    async with board.visitor() as visitor:
        assert (await visitor.sign_in(origin="https://bridge.example.com")).status == 200
        assert (await visitor.sign_in(origin="https://other.example.com")).status == 403


async def test_who_may_look_changes_nothing(visitor: Visitor) -> None:
    await visitor.sign_in("wall", WALL)
    token = (await visitor.get()).token
    for place in (*ACTS, "reload"):
        refused = await visitor.post(place, {"token": token, "id": "1"})
        assert refused.status == 403
        assert "You may look" in refused.words
    assert "Retry the chosen" not in (await visitor.get("dead")).words
    assert await visitor.board.journal.persons.audited() == []


async def test_a_program_with_a_token_needs_no_form(visitor: Visitor) -> None:
    refused = await visitor.post("retry", {"id": "1"}, origin=None, Authorization=f"Bearer {WALL}")
    assert (refused.status, "role operate" in refused.words) == (403, True)
    other = await visitor.post("retry", {"id": "1"}, origin="https://evil.example", Authorization=f"Bearer {WALL}")
    assert "did not come from a page" in other.words


async def test_forms_are_bounded(anna: Visitor) -> None:
    token = (await anna.get()).token
    headers = {"Origin": anna.board.origin, "Content-Type": "application/x-www-form-urlencoded"}
    url = f"{anna.board.origin}/dashboard/retry"
    bodies = ((b"token=" + token.encode() + b"&id=1" * 5000, 403), (b"a" * (65 * 1024), 413), (b"\xff\xfe", 403))
    for body, status in bodies:
        try:
            async with anna.session.post(url, data=io.BytesIO(body), headers=headers) as answer:
                assert answer.status == status
        except aiohttp.ClientConnectionError:
            assert status == 413, "too large: the connection is closed, maybe before the answer was read"


async def sent(board: Board, place: str, body: bytes, *, origin: str = "", length: bool = True) -> int:
    """The status that a form gets; 413 also if the connection is closed on it. Without its length it comes piece by piece."""
    headers = {"Origin": origin or board.origin, "Content-Type": "application/x-www-form-urlencoded"}

    async def pieces() -> AsyncIterator[bytes]:
        for first in range(0, len(body), 4096):
            yield body[first : first + 4096]

    async with aiohttp.ClientSession() as session:
        try:
            url = f"{board.origin}/dashboard/{place}"
            async with session.post(url, data=io.BytesIO(body) if length else pieces(), headers=headers) as answer:
                return answer.status
        except aiohttp.ClientConnectionError:
            return 413


@pytest.mark.parametrize("length", [True, False])
async def test_a_stranger_makes_nobody_take_a_long_form_apart(board: Board, length: bool) -> None:
    assert await sent(board, "login", b"user=" + b"a" * (8 * 1024), length=length) == 413
    assert await sent(board, "login", b"user=" + b"a" * 4096, length=length) == 403


async def test_a_form_that_is_refused_anyway_is_not_read(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def take(text: str, **more: Any) -> dict[str, list[str]]:
        taken.append(text)
        return parse_qs(text, **more)

    monkeypatch.setattr(pages, "parse_qs", take)
    assert await sent(board, "login", b"user=a", origin="https://evil.example") == 403
    assert taken == []
    for number in range(_ATTEMPTS_PER_MINUTE):
        assert await sent(board, "login", b"user=a&password=b") == 403
        assert len(taken) == number + 1
    assert await sent(board, "login", b"user=a&password=b") == 429
    assert len(taken) == _ATTEMPTS_PER_MINUTE


async def test_what_is_wanted_next_is_cut_where_it_is_repeated(visitor: Visitor) -> None:
    again = await visitor.post("login", {"user": "x", "password": "y", "next": "n" * 6000})
    assert (again.status, "n" * 2000 in again.html, "n" * 2001 in again.html) == (403, True, False)


async def test_a_journal_that_cannot_be_asked_is_said(anna: Visitor) -> None:
    await anna.board.journal.close()
    shown = await anna.get("dead")
    assert (shown.status, "The journal cannot be asked" in shown.words) == (503, True)


async def test_a_page_is_made_once_a_second_for_all_who_may_see_the_same(make: Make) -> None:
    clock = ManualClock()
    board = await make(clock=clock, fresh_s=1.0)
    users = {**USERS, "<i>eve": {"password": "the-password-of-eve", "role": "operate"}}
    board.config = board.configured({"users": users})
    async with board.visitor() as visitor, board.visitor() as eve, board.visitor() as wall:
        await visitor.sign_in()
        await eve.sign_in("<i>eve", "the-password-of-eve")
        for _ in range(3):
            assert "anna may operate" in (await visitor.get()).words
            assert "anna" in (await visitor.get(f"?x={clock.monotonic_s()}&page=2")).words, "no page knows these words"
        theirs = await eve.get()
        assert "<i>eve may operate" in theirs.words
        assert "<i>" not in theirs.html
        assert "anna" not in theirs.html, "each sees their own name"
        assert board.asked == 1
        assert theirs.token != (await visitor.get()).token, "and has their own token"
        await wall.sign_in("wall", WALL)
        assert "wall may look" in (await wall.get()).words
        assert board.asked == 2, "who may do less sees another page"
        clock.forward(1.1)
        await visitor.get()
        assert board.asked == 3
        await visitor.act("dead", "retry", {"id": "1"})
        await visitor.get()
        assert board.asked == 4, "what somebody did shows at once"


async def test_pages_leave_time_for_those_who_relay(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    board = await make(clock=clock)
    real = pages.PAGES["dead"]

    async def slow(parts: Parts, visit: Visit) -> web.Response:
        clock.forward(0.1)
        return await real(parts, visit)

    monkeypatch.setitem(pages.PAGES, "dead", slow)
    async with board.visitor() as visitor:
        await visitor.sign_in()
        await visitor.get("dead")
        before_s = clock.monotonic_s()
        await visitor.get("audit")
        assert clock.monotonic_s() - before_s == pytest.approx(0.1 * pages._TIMES_THE_WORK), "the next page waits"
