"""The door of the dashboard: who asks, whether they may, which page. Each page is a function of its module.

What changes something is asked for by POST, from a page of our own (`Origin`, and a token in the form), by somebody who may
operate."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import structlog

from bridge.config.dashboard import Role
from bridge.config.reader_process import ReadingFailed
from bridge.dashboard import configuration, letters, messages, overview, replay, routes
from bridge.dashboard.access import COOKIE, Access, Limited, Who, is_same_origin
from bridge.dashboard.acting import Actions, Busy
from bridge.dashboard.blank import Blank
from bridge.dashboard.drawing import HEADERS, asset, page
from bridge.dashboard.parts import Parts, Visit
from bridge.dashboard.sessions import SESSION_S, Sessions
from bridge.dashboard.tail import Tails
from bridge.journal.contract import JournalError
from bridge.model.one_line import one_line
from bridge.web.admin import no_dashboard

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.web.door import StrangerRequest

log = structlog.get_logger("dashboard")

ROOT = "/dashboard/"
_MOST_FIELDS, _MOST_FORM_BYTES = 1100, 64 * 1024
_MOST_SIGN_IN_FIELDS, _MOST_SIGN_IN_BYTES = 8, 8 * 1024
"""Strangers send this one: taking a form apart costs the time of those who relay."""
_LONGEST_NEXT = 2000
_LOGGED_EVERY_S = 60.0
FRESH_S = 1.0
"""How long a page is shown again as it is."""
_TIMES_THE_WORK, _LONGEST_PAUSE_S = 10.0, 2.0
"""A page is made only after a pause of that many times what the one before took: however many look at however many pages, those who
relay have their time."""
_NEXT = re.compile(r"[a-z]*")

Page = Callable[[Parts, Visit], Awaitable["web.Response"]]
Act = Callable[[Parts, Visit, Actions], Awaitable["web.StreamResponse"]]

PAGES: Mapping[str, Page] = {
    "": overview.show,
    "route": routes.show,
    "message": messages.show,
    "dead": letters.show,
    "replay": replay.show,
    "letter": letters.show_one,
    "audit": overview.show_audit,
}
NAMES = frozenset((*PAGES, "tail", "config"))
ACTS: Mapping[str, Act] = {"retry": letters.retry, "drop": letters.drop, "replay": replay.act}
_ASKS: Mapping[str, Sequence[str]] = {
    "": ("route",),
    "route": ("name", "before"),
    "message": ("what",),
    "dead": ("route", "after", "retried", "dropped", "left"),
    "replay": ("since", "until", "route", "held"),
    "letter": ("id",),
    "tail": ("route", "outcome"),
}
"""What a page makes of its query: one that differs in nothing else is the same page."""
_LONGEST_ASKED = 2000


class Dashboard:
    """`hosts`: names under which a proxy is asked for it. `is_local`: the listener is on loopback."""

    def __init__(self, parts: Parts, *, hosts: Collection[str] = (), is_local: bool = True, fresh_s: float = FRESH_S) -> None:
        self._parts = parts
        self._fresh_s = fresh_s
        self._hosts = hosts
        self._access = Access(lambda: parts.config().web.dashboard, Sessions(), parts.clock, is_local=is_local)
        self._actions = Actions(parts)
        self._tails = Tails(parts)
        self._file = configuration.File(parts)
        self._acts: Mapping[str, Act] = {**ACTS, "reload": self._file.reload}
        self._one_at_a_time = asyncio.Lock()
        """Pages read the journal, which those who relay read too."""
        self._fresh: dict[tuple[Role, bool, bool, str, tuple[str, ...]], tuple[float, web.Response]] = {}
        """All who may see the same get the same page within a second, each with their own name and token in it."""
        self._blank = Blank()
        self._next_s = float("-inf")
        self._logged_at_s = float("-inf")

    async def close(self) -> None:
        """Tails end; what is under way is finished first, for a while."""
        self._tails.close()
        await self._actions.close()
        await self._file.close()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The response to any path that is no other page of the admin listener."""
        if not self._access.is_open:
            return no_dashboard()
        if request.path in ("/", ROOT.rstrip("/")):
            return _to("dashboard/")
        name = request.path.removeprefix(ROOT)
        if name == request.path:
            return _plain(404, "not found\n")
        if request.method not in ("GET", "HEAD", "POST"):
            return _plain(405, "only GET and POST\n", Allow="GET, HEAD, POST")
        if (found := asset(name)) is not None:
            return found
        try:
            return await self._answer(request, name)
        except Limited as limited:
            wait_s = max(1, round(limited.wait_s))
            self._log_refused(request)
            said = {"error": f"Too many wrong passwords. Try again in {wait_s} s.", "next": "", "user": ""}
            refused = page(None, "login", said, status=429)
            refused.headers["Retry-After"] = str(wait_s)
            return refused
        except Busy:
            return _failed("Others are at work", "Too much was asked for at once. Try again in a moment.", 503)
        except JournalError as error:
            return _failed("The journal cannot be asked", str(error), 503)
        except ReadingFailed as error:
            return _failed("bridge.yaml cannot be read", str(error), 503)

    async def _answer(self, request: web.Request, name: str) -> web.StreamResponse:
        who = self._access.who(request)
        if name == "login":
            return await self._sign_in(request) if request.method == "POST" else self._login(request, who)
        if who is None:
            return self._unknown(request, name)
        visit = Visit(request=request, who=who, form_token=self._access.sessions.form_token(who.name, who.session))
        if request.method == "POST":
            return await self._post(visit, name)
        if name == "events" and request.method == "HEAD":
            return _plain(405, "only GET\n", Allow="GET")
        if name == "events":
            return await self._tails.stream(visit, lambda: self._is_still(request, who))
        if name == "config":
            return await self._file.show(self._parts, visit)  # it reads no journal, and during a reload it waits
        shown = self._tails.show if name == "tail" else PAGES.get(name)
        if shown is None:
            return _failed("There is no such page", "", 404, visit)
        return await self._page(visit, name, shown)

    async def _page(self, visit: Visit, name: str, show: Page) -> web.StreamResponse:
        who = visit.who
        key = (
            who.role,
            who.is_known,
            bool(who.session),
            name,
            tuple(visit.asked(one, _LONGEST_ASKED) for one in _ASKS.get(name, ())),
        )
        async with self._one_at_a_time:
            kept = self._fresh.get(key)
            if kept is None or self._now_s() - kept[0] >= self._fresh_s:
                await self._parts.clock.sleep(max(0.0, self._next_s - self._now_s()))
                began_s = self._now_s()
                made = await show(self._parts, self._blank.of(visit))
                done_s = self._now_s()
                self._next_s = done_s + min(_TIMES_THE_WORK * (done_s - began_s), _LONGEST_PAUSE_S)
                self._fresh = {known: one for known, one in self._fresh.items() if done_s - one[0] < self._fresh_s}
                kept = self._fresh[key] = done_s, made
            return self._blank.filled(kept[1], visit)

    def _now_s(self) -> float:
        return self._parts.clock.monotonic_s()

    async def _post(self, visit: Visit, name: str) -> web.StreamResponse:
        who, request = visit.who, visit.request
        is_ours = is_same_origin(request, self._hosts) or (who.by_token and "Origin" not in request.headers)
        form = await _form(request, _MOST_FORM_BYTES, _MOST_FIELDS) if is_ours else {}
        token = next(iter(form.get("token", ())), "")
        if not is_ours or not (who.by_token or self._access.sessions.is_form_token(token, who.name, who.session)):
            return _failed("This did not come from a page of the dashboard", "Open the page again, and try again.", 403, visit)
        if name == "logout":
            if who.session:
                self._access.sessions.end(who.session)
            gone = _to("login")
            gone.del_cookie(COOKIE, path=None)  # type: ignore[arg-type]
            return gone
        if name not in self._acts:
            return _failed("There is no such page", "", 404, visit)
        if not who.may_operate:
            return _failed("You may look, but not change anything", "That takes the role operate in bridge.yaml.", 403, visit)
        self._fresh.clear()
        sent = Visit(request=request, who=who, form_token=visit.form_token, form=form)
        return await self._acts[name](self._parts, sent, self._actions)

    def _is_still(self, request: web.Request, who: Who) -> bool:
        try:
            return self._access.who(request) == who
        except Limited:
            return True  # somebody else at that address guesses

    # -- signing in ---------------------------------------------------------------------------------------------------------

    def _unknown(self, request: web.Request, name: str) -> web.StreamResponse:
        if "Authorization" in request.headers and self._access.has_passwords:
            self._log_refused(request)
            return _plain(401, "not authorised\n", **{"WWW-Authenticate": 'Bearer realm="dashboard"'})
        if not self._access.has_passwords:
            return _failed("You are not known here", "Sign in at the proxy in front, or ask from the bridge's own host.", 403)
        if request.method == "POST":
            return _failed("You are not signed in any more", "Sign in, and do it again.", 403)
        wanted = urlencode({"next": name + (f"?{request.query_string}" if request.query_string else "")})
        return _to(f"login?{wanted}" if name or request.query_string else "login")

    def _login(self, request: web.Request, who: Who | None) -> web.StreamResponse:
        if who is not None and who.is_known:
            return _to("./")
        if not self._access.has_passwords:
            return _failed("Nobody can sign in here", "There are no users in web.admin.dashboard of bridge.yaml.", 404)
        return page(None, "login", {"error": "", "next": request.query.get("next", "")[:_LONGEST_NEXT], "user": ""})

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        if not is_same_origin(request, self._hosts):
            return _failed("This did not come from a page of the dashboard", "Open the page again, and try again.", 403)
        self._access.look_at_limits(request)
        form = await _form(request, _MOST_SIGN_IN_BYTES, _MOST_SIGN_IN_FIELDS)
        given = {name: next(iter(form.get(name, ())), "") for name in ("user", "password", "next")}
        given["next"] = given["next"][:_LONGEST_NEXT]
        cookie = self._access.sign_in(request, given["user"], given["password"])
        if cookie is None:
            self._log_refused(request)
            said = {"error": "This user and password do not go together.", "next": given["next"], "user": given["user"][:64]}
            return page(None, "login", said, status=403)
        log.info("signed in to the dashboard", by=one_line(given["user"], 64), client=self._access.client(request))
        begun = _to(_next(given["next"]))
        begun.set_cookie(
            *(COOKIE, cookie),
            path=None,  # type: ignore[arg-type]  # that of the pages, whatever a proxy puts before it
            max_age=int(SESSION_S),
            httponly=True,
            samesite="Strict",
            secure=request.headers.get("Origin", "").startswith("https:"),
        )
        return begun

    def _log_refused(self, request: web.Request) -> None:
        """At most one line a minute: who guesses must not fill the log."""
        now_s = self._parts.clock.monotonic_s()
        if now_s - self._logged_at_s >= _LOGGED_EVERY_S:
            self._logged_at_s = now_s
            log.warning("sign-in to the dashboard refused", client=self._access.client(request))


async def _form(request: web.Request, most_bytes: int, most_fields: int) -> Mapping[str, Sequence[str]]:
    """The fields of a form; none if it is no form of ours. Raises HTTPException: too large, too slow."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    try:
        return parse_qs((await cast("StrangerRequest", request).read(most_bytes)).decode(), max_num_fields=most_fields)
    except ValueError:
        return {}


def _next(wanted: str) -> str:
    """A page of ours, or the first."""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "./"
    if parts.scheme or parts.netloc or parts.path not in NAMES or not _NEXT.fullmatch(parts.path):
        return "./"
    query = urlencode([(name, value) for name, values in parse_qs(parts.query).items() for value in values])
    return f"./{parts.path}?{query}" if query else f"./{parts.path}"


def _to(place: str) -> web.Response:
    from aiohttp import web

    return web.Response(status=303, headers={**HEADERS, "Location": place})


def _plain(status: int, text: str, **headers: str) -> web.Response:
    from aiohttp import web

    answer = web.Response(status=status, text=text, headers=headers)
    answer.force_close()
    return answer


def _failed(title: str, text: str, status: int, visit: Visit | None = None) -> web.Response:
    return page(visit, "failed", {"title": title, "text": text}, status=status)
