"""The page behind a one-time link (`keys invite`): somebody without a terminal makes a key for a chat, gets the URL or the form to
paste, and sees a test message arrive.

`/keys/<link>` shows what the link is for. Its button uses the link and begins a session (a cookie); a GET must not, since programs
fetch links for previews. Steps of a session: choose, make, test. Nothing is loaded from other sites, and everything works without
JavaScript."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlencode

from bridge.journal.contract import (
    DeliveryStatus,
    IntakeStore,
    Invite,
    InviteStore,
    KeyStore,
    StoredKey,
    TraceStore,
)
from bridge.journal.contract.roles import AddressStore
from bridge.model.clock import Clock
from bridge.model.refs import ChatAddress, ChatRef, MessageRef
from bridge.model.web_mount import KeyDirection
from bridge.policy.access_keys import LINK_PREFIX, Terms, hash_of, looks_right, new_secret
from bridge.web.allowance import Allowances
from bridge.web.form_snippet import KNOWN_FIELDS, MOST_FIELDS, form_snippet
from bridge.web.invited_places import places_for
from bridge.web.invited_texts import texts_for
from bridge.web.new_keys import make_key, url_of

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.web.door import StrangerRequest

ROOT = "/keys/"
SESSION = timedelta(minutes=30)
MOST_KEYS = 5
"""Made by one link."""
_EVER = datetime(1970, 1, 2, tzinfo=UTC)
"""Before every session."""
_A_MOMENT = timedelta(milliseconds=1)
_COOKIE = "messenger_bridge_keys"
_TESTS_PER_MINUTE = 6
_LOOKS, _LOOK_EVERY_S = 20, 0.25
_MOST_FORM_BYTES = 32 * 1024
_MOST_FIELDS = 100
_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_STATES = {
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.SKIPPED: "skipped",
    DeliveryStatus.DEAD: "dead",
    DeliveryStatus.HELD: "dead",
}


class InvitedStore(KeyStore, InviteStore, IntakeStore, TraceStore, AddressStore, Protocol):
    pass


class Listener(Protocol):
    public_url: str

    async def call_with(self, key: StoredKey, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Post something by that key; the answer's status and text. Raises OSError."""
        ...


class InvitedPages:
    """`leads_to` returns the targets of a chat's messages, for people. `steady_s`: see `KeyedCalls`."""

    def __init__(
        self,
        store: InvitedStore,
        clock: Clock,
        listener: Listener,
        *,
        leads_to: Callable[[ChatAddress], list[str]],
        steady_s: Callable[[], float] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._steady_s = steady_s or clock.monotonic_s
        self._terms = Terms()
        self._listener = listener
        self._leads_to = leads_to
        self._tests = Allowances()

    async def answer(self, request: StrangerRequest, path: str) -> web.Response | None:
        """The response; None: as for a path that does not exist. Raises JournalError, HTTPException."""
        name = path.removeprefix(ROOT)
        if name in ("page.css", "page.js") and request.method == "GET":
            return _asset(name)
        if request.method not in ("GET", "POST"):
            return None
        if looks_right(name, LINK_PREFIX):
            return await self._link(request, name)
        secret = request.cookies.get(_COOKIE, "")
        if not looks_right(secret, LINK_PREFIX):
            return None
        session = await self._store.session(hash_of(secret), at=_EVER)
        if session is None or self._moment(hash_of(secret), session.session_until) is None:
            return None
        return await self._in_session(request, name, secret, session)

    # -- the link -----------------------------------------------------------------------------------------------------------

    async def _link(self, request: StrangerRequest, link: str) -> web.Response | None:
        invite = await self._store.invite(hash_of(link))
        if invite is None:
            return None
        at = self._moment(hash_of(link), invite.valid_until)
        if invite.session_until is not None or at is None:
            return _page(request, "gone", status=410, error="gone")
        if request.method == "GET":
            return _page(request, "welcome")
        secret = new_secret(LINK_PREFIX)
        until = self._clock.now() + SESSION
        if await self._store.begin_session(hash_of(link), hash_of(secret), until=until, at=at) is None:
            return _page(request, "gone", status=410, error="gone")
        from aiohttp import web

        begun = web.Response(status=303, headers={**_HEADERS, "Location": "./"})
        begun.set_cookie(
            *(_COOKIE, secret),
            path=None,  # type: ignore[arg-type]  # that of this page, whatever a proxy puts before it
            max_age=int(SESSION.total_seconds()),
            httponly=True,
            samesite="Strict",
            secure=self._listener.public_url.startswith("https:"),
        )
        return begun

    def _moment(self, secret_hash: bytes, valid_until: datetime | None) -> datetime | None:
        """What the store is to take for the time: what is valid by the steady clock is, whatever the wall clock was set to. None:
        it is over."""
        now = self._clock.now()
        holds = self._terms.holds(secret_hash, valid_until, is_old=False, now=now, steady_s=self._steady_s())
        if valid_until is None or not holds:
            return None
        return min(now, valid_until - _A_MOMENT)

    # -- the session --------------------------------------------------------------------------------------------------------

    async def _in_session(self, request: StrangerRequest, name: str, secret: str, session: Invite) -> web.Response | None:
        guard = hash_of(f"guard of {secret}").hex()[:32]
        if request.method == "GET":
            return self._choose(request, session, guard) if name == "" else None
        actions = {"make": self._make, "test": self._test, "look": self._look}
        if name not in actions or (request.content_length or _MOST_FORM_BYTES + 1) > _MOST_FORM_BYTES:
            return None
        try:
            form = parse_qsl((await request.read()).decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
        except ValueError:
            return None  # none of our pages has so many
        if not hmac.compare_digest(dict(form).get("guard", "").encode(), guard.encode()):
            return None  # another site's page
        return await actions[name](request, form, secret, session, guard)

    def _choose(self, request: StrangerRequest, session: Invite, guard: str, *, error: str = "", status: int = 200) -> web.Response:
        chats = [{"address": str(chat), "leads_to": self._leads_to(chat)} for chat in session.chats]
        return _page(request, "choose", status=status, error=error, guard=guard, chats=chats)

    async def _make(
        self, request: StrangerRequest, form: list[tuple[str, str]], secret: str, session: Invite, guard: str
    ) -> web.Response:
        given = dict(form)
        chat = next((one for one in session.chats if str(one) == given.get("chat")), None)
        if chat is None:
            return self._choose(request, session, guard, error="bad_chat", status=400)
        is_form = given.get("what") != "service"
        site = given.get("site", "").strip()
        now = self._clock.now()
        try:
            origins = [site] if site and is_form else []
            key, opener = make_key(chat, KeyDirection.IN, now=now, label=given.get("label", ""), is_form=is_form, origins=origins)
        except ValueError:
            return self._choose(request, session, guard, error="bad_site", status=400)
        at = self._moment(hash_of(secret), session.session_until)
        if at is None or not await self._store.add_invited_key(hash_of(secret), key, most=MOST_KEYS, at=at):
            return self._choose(request, session, guard, error="too_many", status=403)
        url = url_of(self._listener.public_url, KeyDirection.IN, opener)
        snippet = _snippet(request, url, form) if is_form else ""
        places = places_for(*texts_for(request.headers.get("Accept-Language", "")), url)
        return _page(request, "made", guard=guard, url=url, snippet=snippet, places=places, key_id=key.key_id)

    async def _test(
        self, request: StrangerRequest, form: list[tuple[str, str]], secret: str, session: Invite, guard: str
    ) -> web.Response | None:
        key = await self._key(dict(form).get("key", ""), session)
        if key is None or self._tests.take(secret, _TESTS_PER_MINUTE, self._clock.monotonic_s()):
            return None
        _, texts = texts_for(request.headers.get("Accept-Language", ""))
        before = await self._newest(key.address)
        try:
            status, answer = await self._listener.call_with(key, *_test_request(key, texts))
        except OSError as error:
            status, answer = 503, str(error)
        if status >= 400:
            reason = f"{texts['test_refused']} {status} {answer.strip()}"[:500]
            return _page(request, "tested", text=reason, guard=guard, outcomes=None, message="", key_id=key.key_id)
        message = await self._newest(key.address, not_=before)
        outcomes = None if message is None else await self._outcomes(key.address, message)
        return _page(request, "tested", guard=guard, outcomes=outcomes, message=message or "", key_id=key.key_id)

    async def _look(
        self, request: StrangerRequest, form: list[tuple[str, str]], secret: str, session: Invite, guard: str
    ) -> web.Response | None:
        given = dict(form)
        key, message = await self._key(given.get("key", ""), session), given.get("message", "")[:200]
        if key is None or not message:
            return None
        outcomes = await self._outcomes(key.address, message)
        return _page(request, "tested", guard=guard, outcomes=outcomes, message=message, key_id=key.key_id)

    async def _key(self, key_id: str, session: Invite) -> StoredKey | None:
        """One that this session made."""
        if key_id not in session.keys:
            return None
        return next((key for key in await self._store.keys() if key.key_id == key_id and key.revoked_at is None), None)

    # -- what became of the test --------------------------------------------------------------------------------------------

    async def _chat(self, chat: ChatAddress) -> ChatRef:
        native = await self._store.native_ids(chat.account)
        return ChatRef(chat.account, native.get(chat.address, chat.address))

    async def _newest(self, chat: ChatAddress, *, not_: str | None = "") -> str | None:
        """The newest message of a chat; with `not_`, wait briefly for one that is newer."""
        for _ in range(1 if not_ == "" else _LOOKS):
            found = next(iter(await self._store.latest_messages(await self._chat(chat), 1)), None)
            if not_ == "" or found != not_:
                return found
            await self._clock.sleep(_LOOK_EVERY_S)
        return None

    async def _outcomes(self, chat: ChatAddress, message: str) -> list[dict[str, str]] | None:
        """The outcome of a message in each chat; waits briefly while it is not final."""
        outcomes: list[dict[str, str]] | None = None
        for _ in range(_LOOKS):
            traced = await self._store.trace(MessageRef(await self._chat(chat), message))
            outcomes = [
                {"target": str(one.target), "state": _STATES.get(one.state, "waiting"), "note": one.note[:200]}
                for found in traced[:1]
                for one in found.event.deliveries
            ]
            if traced and all(one["state"] != "waiting" for one in outcomes):
                break
            await self._clock.sleep(_LOOK_EVERY_S)
        return outcomes


def _test_request(key: StoredKey, texts: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
    if key.is_form:
        body = urlencode({"name": key.label or texts["title"], "message": texts["test_words"]})
        return {"Content-Type": "application/x-www-form-urlencoded"}, body.encode()
    return {"Content-Type": "text/plain; charset=utf-8"}, texts["test_words"].encode()


def _snippet(request: StrangerRequest, url: str, form: list[tuple[str, str]]) -> str:
    _, texts = texts_for(request.headers.get("Accept-Language", ""))
    fields = [value for name, value in form if name == "field" and value in KNOWN_FIELDS]
    lines = [" ".join(line.split())[:60] for line in dict(form).get("more", "").splitlines()]
    own = list(dict.fromkeys(line for line in lines if line and line not in KNOWN_FIELDS))[:MOST_FIELDS]
    return form_snippet(url, fields, own, texts)


# -- what is sent -------------------------------------------------------------------------------------------------------------


@cache
def _template() -> Any:
    from jinja2 import Environment  # here: most bridges never show the page

    environment = Environment(autoescape=True, trim_blocks=True)
    return environment.from_string(files(__package__).joinpath("invited.html").read_text(encoding="utf-8"))


def _page(
    request: StrangerRequest, step: str, *, status: int = 200, error: str = "", text: str = "", **values: Any
) -> web.Response:
    """`error` names one of the texts; `text` is one by itself."""
    from aiohttp import web

    language, texts = texts_for(request.headers.get("Accept-Language", ""))
    body = _template().render(lang=language, t=texts, step=step, error=text or texts.get(error, ""), **values)
    headers = {**_HEADERS, "Content-Language": language, "Vary": "Accept-Language"}
    return web.Response(status=status, text=body, content_type="text/html", headers=headers)


def _asset(name: str) -> web.Response:
    from aiohttp import web

    kind = "text/css" if name.endswith("css") else "text/javascript"
    text = files(__package__).joinpath(f"invited.{name.rpartition('.')[2]}").read_text(encoding="utf-8")
    return web.Response(text=text, content_type=kind, headers={"X-Content-Type-Options": "nosniff"})
