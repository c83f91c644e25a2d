"""The page behind a one-time link, without a browser: who may do what, once, and for how long."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar

from bridge.web.form_snippet import KNOWN_FIELDS, form_snippet
from bridge.web.invited import MOST_KEYS
from bridge.web.invited_places import PLACES
from bridge.web.invited_texts import ENGLISH, RUSSIAN, texts_for
from bridge.web.new_keys import as_origin
from tests.support.accepting_account import AcceptingAccount
from tests.support.clock import ManualClock
from tests.support.keyed_door import HOOKS, Door


class Visitor:
    """A browser without JavaScript."""

    def __init__(self, session: ClientSession, base: str) -> None:
        self._session, self._base = session, base
        self.language = "en"

    async def get(self, path: str, **more: Any) -> tuple[int, str]:
        async with self._session.get(self._base + path, allow_redirects=False, **more) as answer:
            self.headers = answer.headers
            return answer.status, await answer.text()

    async def post(self, path: str, fields: Any = None) -> tuple[int, str]:
        headers = {"Accept-Language": self.language}
        async with self._session.post(self._base + path, data=fields or {}, headers=headers) as answer:
            self.headers = answer.headers
            return answer.status, await answer.text()

    async def begin(self, link: str) -> str:
        """Uses up the link; returns what guards the session's forms."""
        status, page = await self.post(link)
        assert status == 200, page
        return guard_of(page)


def guard_of(page: str) -> str:
    (guard,) = set(re.findall(r'name="guard" value="(\w+)"', page))
    return str(guard)


def shown(page: str, name: str) -> str:
    match = re.search(rf'<textarea id="{name}"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert match is not None, page
    return unescape(match[1])


@pytest.fixture
async def visitor(door: Door) -> AsyncIterator[Visitor]:
    door.public.public_url = "http://bridge.example.com/x"
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield Visitor(session, f"http://127.0.0.1:{door.port}")


async def test_looking_at_the_link_does_not_use_it_up(door: Door, visitor: Visitor) -> None:
    link = await door.invite("alerts")
    for _ in range(3):
        status, page = await visitor.get(link)
        assert (status, ENGLISH["begin"] in page) == (200, True)
    policy = visitor.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (visitor.headers["Referrer-Policy"], visitor.headers["Cache-Control"]) == ("same-origin", "no-store")
    await visitor.begin(link)
    assert (await visitor.get(link))[0] == 410
    assert (await visitor.post(link))[0] == 410


async def test_a_link_that_is_over_or_unknown_begins_nothing(door: Door, visitor: Visitor) -> None:
    link = await door.invite("alerts", hours=1)
    door.manual.forward(3600)
    assert (await visitor.post(link))[0] == 410
    for path in ("/keys/", "/keys/make", link[:-1], "/keys/x", "/keys"):
        assert (await visitor.get(path))[0] == 401
        assert (await visitor.post(path))[0] == 401


async def test_without_its_session_nothing_is_made(door: Door, visitor: Visitor) -> None:
    guard = await visitor.begin(await door.invite("alerts"))
    wanted = {"chat": "hooks/alerts", "what": "service", "guard": guard}
    async with ClientSession() as stranger:
        other = Visitor(stranger, visitor._base)
        assert (await other.post("/keys/make", wanted))[0] == 401
    assert (await visitor.post("/keys/make", {**wanted, "guard": "0" * 32}))[0] == 401, "another site's page"
    assert (await visitor.post("/keys/make", {**wanted, "pad": "x" * 40_000}))[0] == 401
    assert await door.journal.keys() == []
    door.manual.forward(30 * 60)
    assert (await visitor.post("/keys/make", wanted))[0] == 401
    assert await door.journal.keys() == []


class Set(ManualClock):
    """Whose wall clock is set by somebody, beside the steady one."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.mark.parametrize("hours", [-365 * 24, 365 * 24])
async def test_a_clock_that_is_set_neither_ends_nor_prolongs_a_link_or_its_session(make: Any, hours: float) -> None:
    clock = Set()
    door = await make(clock=clock)
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        visitor = Visitor(session, f"http://127.0.0.1:{door.port}")
        links = [await door.invite("alerts", hours=1) for _ in range(2)]
        for link in links:
            assert (await visitor.get(link))[0] == 200
        clock.ahead = timedelta(hours=hours)
        guard = await visitor.begin(links[0])
        clock.ahead = timedelta()
        status, page = await visitor.post("/keys/make", {"guard": guard, "chat": f"{HOOKS}/alerts", "what": "service"})
        assert status == 200, page
        clock.forward(3600)
        clock.ahead = -timedelta(hours=hours)
        assert (await visitor.get("/keys/"))[0] == 401
        assert (await visitor.get(links[1]))[0] == 410


async def test_more_fields_than_any_page_has_are_no_form_of_ours(door: Door, visitor: Visitor) -> None:
    guard = await visitor.begin(await door.invite("alerts"))
    status, _ = await visitor.post("/keys/make", [("guard", guard), *(("field", "name"),) * 200])
    assert status == 401
    assert not await door.journal.keys()


async def test_a_key_is_only_for_a_chat_of_the_link(door: Door, visitor: Visitor) -> None:
    guard = await visitor.begin(await door.invite("alerts", "site"))
    status, page = await visitor.post("/keys/make", {"chat": "hooks/other", "what": "service", "guard": guard})
    assert (status, ENGLISH["bad_chat"] in page) == (400, True)
    status, page = await visitor.post("/keys/make", {"chat": "hooks/site", "what": "service", "label": "Cron", "guard": guard})
    assert status == 200
    (key,) = await door.journal.keys()
    assert (str(key.address), key.is_form, key.label) == ("hooks/site", False, "Cron")
    url = shown(page, "url")
    assert url.startswith("http://bridge.example.com/x/in/mbk_")
    assert (await door.ask(url.removeprefix("http://bridge.example.com/x"))).startswith(b"HTTP/1.1 200")


async def test_a_form_can_be_pasted(door: Door, visitor: Visitor) -> None:
    guard = await visitor.begin(await door.invite("site"))
    fields = [("chat", "hooks/site"), ("what", "form"), ("guard", guard), ("site", "https://Example.com/")]
    fields += [("field", "email"), ("field", "file"), ("field", "evil"), ("more", "Size <b>\r\n\r\nSize <b>\r\nColour")]
    _, page = await visitor.post("/keys/make", fields)
    snippet = shown(page, "snippet")
    assert 'enctype="multipart/form-data"' in snippet
    assert re.findall(r'name="([^"]+)"', snippet) == ["email", "file", "Size &lt;b&gt;", "Colour", "leave_this_empty"]
    (key,) = await door.journal.keys()
    assert (key.is_form, key.origins) == (True, ("https://example.com",))


@pytest.mark.parametrize("site", ["example.com", "https://example.com/contact", "javascript:alert(1)", "https://a b"])
async def test_a_site_that_is_none_is_said(door: Door, visitor: Visitor, site: str) -> None:
    guard = await visitor.begin(await door.invite("site"))
    status, page = await visitor.post("/keys/make", {"chat": "hooks/site", "what": "form", "guard": guard, "site": site})
    assert (status, ENGLISH["bad_site"] in unescape(page)) == (400, True)
    assert await door.journal.keys() == []


async def test_one_link_makes_some_keys(door: Door, visitor: Visitor) -> None:
    guard = await visitor.begin(await door.invite("site"))
    wanted = {"chat": "hooks/site", "what": "service", "guard": guard}
    answers = [(await visitor.post("/keys/make", wanted))[0] for _ in range(MOST_KEYS + 1)]
    assert answers == [200] * MOST_KEYS + [403]
    assert len(await door.journal.keys()) == MOST_KEYS


async def test_a_test_message_is_followed_to_its_end(door: Door, visitor: Visitor) -> None:
    account = AcceptingAccount(door.journal, door.clock, HOOKS)
    door.public.of(HOOKS).serve_keys(account.handle)
    guard = await visitor.begin(await door.invite("site"))
    await visitor.post("/keys/make", {"chat": "hooks/site", "what": "form", "guard": guard, "label": "Contact"})
    (key,) = await door.journal.keys()
    status, page = await visitor.post("/keys/test", {"key": key.key_id, "guard": guard})
    assert status == 200
    assert f'tg/lobby: <b class="delivered">{ENGLISH["delivered"]}</b>' in page
    assert account.texts == [f"Contact / {ENGLISH['test_words']}"]
    (message,) = set(re.findall(r'name="message" value="(\w+)"', page))
    status, page = await visitor.post("/keys/look", {"key": key.key_id, "guard": guard, "message": message})
    assert (status, ENGLISH["delivered"] in page) == (200, True)


async def test_a_test_that_is_refused_says_why(door: Door, visitor: Visitor) -> None:
    guard = await visitor.begin(await door.invite("site"))
    await visitor.post("/keys/make", {"chat": "hooks/site", "what": "service", "guard": guard})
    (key,) = await door.journal.keys()
    door.account.is_up = False
    _, page = await visitor.post("/keys/test", {"key": key.key_id, "guard": guard})
    assert f"{ENGLISH['test_refused']} 503" in page
    other = await door.key("other")
    assert (await visitor.post("/keys/test", {"key": "other", "guard": guard}))[0] == 401
    assert other


async def test_the_page_speaks_the_readers_language(door: Door, visitor: Visitor) -> None:
    link = await door.invite("site")
    _, page = await visitor.get(link, headers={"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8"})
    assert '<html lang="ru">' in page
    assert RUSSIAN["begin"] in page


@pytest.mark.parametrize(("language", "file"), [("en", "A file, from a terminal"), ("ru", "Файл из терминала")])
async def test_a_service_s_page_says_where_its_url_goes(door: Door, visitor: Visitor, language: str, file: str) -> None:
    """With the URL itself, whole and with no markup of ours in it; nothing of it is a link that a browser might follow."""
    guard = await visitor.begin(await door.invite("site"))
    visitor.language = language
    _, page = await visitor.post("/keys/make", [("chat", "hooks/site"), ("what", "service"), ("guard", guard)])
    url = shown(page, "url")
    key = url.removeprefix("http://bridge.example.com/x/in/")
    assert len(key) > 20
    how = {unescape(name): unescape(what) for name, what in re.findall(r"<dt>(.*?)</dt><dd><code>(.*?)</code></dd>", page)}
    assert len(how) == len(PLACES)
    assert how["Alertmanager"] == f"receivers: webhook_configs: [{{url: {url}}}]"
    assert key in how["Apprise, matterhook"]
    assert "http://bridge.example.com/x," in how["Apprise, matterhook"]
    assert how[file].endswith(url)
    assert "<img" not in page


def test_both_languages_say_the_same_things() -> None:
    assert ENGLISH.keys() == RUSSIAN.keys()
    assert all({*ENGLISH.values()} - {*RUSSIAN.values()})


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("en,ru", "en"),
        ("de,ru;q=0.5,en;q=0.4", "ru"),
        ("ru;q=oops", "en"),
        ("ru;q=nan", "en"),
        ("*", "en"),
    ],
)
def test_which_language(header: str, language: str) -> None:
    assert texts_for(header)[0] == language


def test_a_snippet_has_no_markup_of_others() -> None:
    snippet = form_snippet('https://x/"><script>', KNOWN_FIELDS, ['"><img src=x>'], ENGLISH)
    assert "<script>" not in snippet
    assert "<img" not in snippet


def test_a_site_is_named_as_browsers_name_it() -> None:
    assert as_origin(" https://пример.рф/ ") == "https://xn--e1afmkfd.xn--p1ai"
    assert as_origin("http://[::1]:8000") == "http://[::1]:8000"


@pytest.mark.parametrize("text", ["", "https://", "https://u:p@example.com", "ftp://example.com", "https://example.com?a=1"])
def test_what_is_no_site(text: str) -> None:
    with pytest.raises(ValueError, match="is no site"):
        as_origin(text)
