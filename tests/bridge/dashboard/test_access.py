"""Who is let in, and what they may do: passwords, tokens, the word of a proxy, and nobody at all."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp.http import HttpVersion10

from bridge.dashboard.access import _ATTEMPTS_OF_ALL, _ATTEMPTS_PER_MINUTE, COOKIE
from tests.support.clock import ManualClock
from tests.support.dashboard import ANNA, USERS, WALL, Board, Visitor

Make = Callable[..., Awaitable[Board]]


async def test_nothing_is_shown_before_a_password_is(visitor: Visitor) -> None:
    for place in ("", "route?name=engineering", "message?what=1", "dead", "letter?id=1", "audit", "nothing"):
        sent_away = await visitor.get(place, follow=False)
        assert (sent_away.status, sent_away.html) == (303, ""), place
        assert sent_away.headers["Location"].startswith("login")
    assert "engineering" not in (await visitor.get("")).words
    assert (await visitor.get("dashboard.css")).status == 200, "the page on which people sign in has its looks"


async def test_a_session_is_a_cookie_that_no_script_and_no_other_site_gets(visitor: Visitor) -> None:
    begun = await visitor.sign_in(follow=False)
    assert (begun.status, begun.headers["Location"]) == (303, "./")
    cookie = begun.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie, "over plain HTTP a browser would not send it back"
    assert ANNA not in cookie
    shown = await visitor.get()
    assert (shown.status, "anna may operate" in shown.words) == (200, True)
    behind_tls = await visitor.sign_in(origin=visitor.board.origin.replace("http:", "https:"), follow=False)
    assert "Secure" in behind_tls.headers["Set-Cookie"]


async def test_wrong_passwords_are_refused_and_then_limited(make: Make) -> None:
    clock = ManualClock()
    board = await make(clock=clock)
    async with board.visitor() as visitor:
        for user, password in [("anna", "wrong"), ("anna", WALL), ("nobody", ANNA), ("", ""), ("anna", ""), ("anna\0", ANNA)]:
            refused = await visitor.sign_in(user, password)
            assert refused.status == 403
            assert "do not go together" in refused.words
        limited = await visitor.sign_in()
        assert (limited.status, limited.headers["Retry-After"]) == (429, "10")
        assert "Try again in 10 s" in limited.words
        tokens = [await visitor.get("", Authorization=f"Bearer {ANNA}")]
        assert tokens[0].status == 429, "a token is no way around"
        clock.forward(11)
        assert (await visitor.sign_in()).status == 200
    assert _ATTEMPTS_PER_MINUTE == 6


async def test_what_others_try_keeps_nobody_out(make: Make) -> None:
    clock = ManualClock()
    board = await make(dashboard={"users": USERS, "trusted_proxies": ["127.0.0.1"]}, clock=clock)

    async def tried(address: str, password: str) -> int:
        return (await visitor.sign_in("anna", password, headers={"X-Forwarded-For": address}, follow=False)).status

    async with board.visitor() as visitor:
        for number in range(_ATTEMPTS_OF_ALL):
            assert await tried(f"198.51.100.{number}", "wrong") == 403
        assert await tried("198.51.100.1", ANNA) == 429, "it has tried before"
        assert await tried("203.0.113.1", ANNA) == 303
        assert await tried("203.0.113.1", ANNA) == 303
        assert await tried("203.0.113.2", "wrong") == 403
        assert await tried("203.0.113.2", ANNA) == 429, "one try, and no dictionary from many addresses"
        clock.forward(61)
        assert await tried("203.0.113.2", ANNA) == 303


async def test_right_passwords_are_never_limited(visitor: Visitor) -> None:
    for _ in range(_ATTEMPTS_PER_MINUTE * 3):
        assert (await visitor.sign_in()).status == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda cookie: cookie[:-1] + ("A" if cookie[-1] != "A" else "B"),
        lambda cookie: re.sub(r"^[^.]+", "d2FsbA", cookie),  # another user's name
        lambda cookie: re.sub(r"\.\d+\.", ".99999999.", cookie),
        lambda cookie: "",
        lambda cookie: "....",
        lambda cookie: "a.b.c.d",
        lambda cookie: "\u00e9.1.a.b",
        lambda cookie: "A" * 3000,
    ],
)
async def test_a_cookie_that_was_changed_opens_nothing(anna: Visitor, change: Any) -> None:
    (cookie,) = [one.value for one in anna.session.cookie_jar if one.key == COOKIE]
    async with aiohttp.ClientSession() as session:
        for value, status in ((cookie, 200), (change(cookie), 303)):
            headers = {"Cookie": f"{COOKIE}={value}"}
            async with session.get(f"{anna.board.origin}/dashboard/", headers=headers, allow_redirects=False) as answer:
                assert answer.status == status


async def test_a_session_ends_by_itself_by_signing_out_and_with_the_password(make: Make) -> None:
    clock = ManualClock()
    board = await make(clock=clock)
    async with board.visitor() as visitor:
        await visitor.sign_in()
        (cookie,) = [one.value for one in visitor.session.cookie_jar if one.key == COOKIE]
        out = await visitor.act("", "logout", {})
        assert "Sign in" in out.words
        stolen = await visitor.get("", follow=False, Cookie=f"{COOKIE}={cookie}")
        assert stolen.status == 303, "it opens nothing any more, whoever kept it"
        await visitor.sign_in()
        clock.forward(12 * 3600 + 1)
        assert (await visitor.get("", follow=False)).status == 303
        await visitor.sign_in()
        board.config = board.configured({"users": {**USERS, "anna": {"password": "another-password", "role": "operate"}}})
        assert (await visitor.get("", follow=False)).status == 303


async def test_a_role_that_is_taken_away_is_gone_at_once(anna: Visitor) -> None:
    anna.board.config = anna.board.configured({"users": {**USERS, "anna": {"password": ANNA, "role": "read"}}})
    assert "anna may look" in (await anna.get()).words


async def test_programs_show_a_token(visitor: Visitor) -> None:
    assert "wall may look" in (await visitor.get("", Authorization=f"Bearer {WALL}")).words
    refused = await visitor.get("", follow=False, Authorization="Bearer nobody-has-this")
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert "engineering" not in refused.html


PROXIED = {"user_header": "Remote-User", "trusted_proxies": ["127.0.0.1"], "operators": ["anna"]}


async def test_a_proxy_that_is_trusted_says_who_it_is(make: Make) -> None:
    board = await make(dashboard=PROXIED)
    async with board.visitor() as visitor:
        assert "anna may operate" in (await visitor.get("", headers={"Remote-User": "anna"})).words
        assert "boris may look" in (await visitor.get("", headers={"Remote-User": "boris"})).words
        for nobody in ({}, {"Remote-User": ""}, {"Remote-User": "\u200b"}, {"X-Remote-User": "anna"}):
            unknown = await visitor.get("", headers=nobody)
            assert unknown.status == 403
            assert "engineering" not in unknown.words


@pytest.mark.parametrize("users", [{}, USERS])
async def test_a_token_that_the_proxy_passes_on_is_not_ours(make: Make, users: Any) -> None:
    board = await make(dashboard={**PROXIED, "users": users})
    async with board.visitor() as visitor:
        for _ in range(_ATTEMPTS_PER_MINUTE + 1):
            shown = await visitor.get("", headers={"Remote-User": "anna", "Authorization": "Bearer of-the-proxy"})
            assert "anna may operate" in shown.words
        passed_on = {"Remote-User": "anna", "Authorization": "Bearer x"}
        assert (await visitor.post("retry", {"id": "1"}, origin=None, headers=passed_on)).status == 403, "that takes the form"


async def test_a_token_is_looked_at_only_where_somebody_has_one(make: Make) -> None:
    board = await make(dashboard={})
    async with board.visitor() as visitor:
        for _ in range(_ATTEMPTS_PER_MINUTE + 1):
            assert "this host may look" in (await visitor.get("", Authorization="Bearer of-something-else")).words


async def test_nobody_else_says_who_it_is(make: Make) -> None:
    board = await make(dashboard={**PROXIED, "trusted_proxies": ["10.0.0.0/8"]})
    async with board.visitor() as visitor:
        assert (await visitor.get("", headers={"Remote-User": "anna", "X-Forwarded-For": "10.0.0.1"})).status == 403


async def test_two_words_of_a_proxy_are_none(make: Make) -> None:
    board = await make(dashboard=PROXIED)
    async with aiohttp.ClientSession() as session:
        headers = [("Remote-User", "anna"), ("Remote-User", "boris")]
        async with session.get(f"{board.origin}/dashboard/", headers=headers) as answer:
            assert answer.status == 403


async def test_without_anybody_this_host_may_look_and_nothing_else(make: Make) -> None:
    board = await make(dashboard={})
    async with board.visitor() as visitor:
        shown = await visitor.get()
        assert "this host may look" in shown.words
        for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"):
            assert (await visitor.get("", headers={header: "1.2.3.4"})).status == 403, "a proxy asks, for whoever it may be"
        async with aiohttp.ClientSession(version=HttpVersion10) as nginx, nginx.get(f"{board.origin}/dashboard/") as answer:
            assert answer.status == 403, "a proxy that says nothing speaks HTTP/1.0"
        refused = await visitor.post("retry", {"token": shown.token if "token" in shown.html else "", "id": "1"})
        assert refused.status == 403


async def test_without_anybody_there_is_none_for_the_network(make: Make) -> None:
    board = await make(dashboard={}, is_local=False)
    async with board.visitor() as visitor:
        for place in ("", "login", "dashboard.css"):
            assert (await visitor.get(place)).status == 404


@pytest.mark.parametrize("dashboard", [{"enabled": False, "users": USERS}, None])
async def test_it_is_there_only_where_it_is_asked_for(make: Make, dashboard: Any) -> None:
    board = await make(dashboard=dashboard)
    async with board.visitor() as visitor:
        for place in ("", "login", "dashboard.css"):
            assert (await visitor.get(place)).status == 404


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("route?name=a%26b&before=7", "./route?name=a%26b&before=7"),
        ("dead", "./dead"),
        ("https://evil.example/", "./"),
        ("//evil.example/", "./"),
        ("/\\evil.example", "./"),
        ("javascript:alert(1)", "./"),
        ("retry?id=1", "./"),
        ("dead\r\nSet-Cookie: a=b", "./"),
        ("http://[", "./"),
    ],
)
async def test_who_signs_in_comes_where_they_wanted_and_nowhere_else(visitor: Visitor, wanted: str, place: str) -> None:
    begun = await visitor.post("login", {"user": "anna", "password": ANNA, "next": wanted}, follow=False)
    assert (begun.status, begun.headers["Location"]) == (303, place)
