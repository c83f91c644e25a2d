"""The public listener: platforms call us under `/hooks/<account>/<name>`, holders of a key under `/in/<key>` and so on (see
`key_paths`), and links lead to files under `/files/` (see `media`). Knows nothing of their formats: adapters mount handlers, and
check who calls, by the headers first.

Unauthenticated callers get the same answer on every path: they must not learn the names of accounts, or why a call was refused. The
reasons are in the log, at most one a minute.

aiohttp's server is imported where it is used: most bridges have no listener."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit

import structlog

from bridge.files.faces import ROOT as FACES
from bridge.files.links import ROOT as FILES
from bridge.journal.contract import Arrival, JournalError, StoredKey
from bridge.model.refs import AccountName
from bridge.web.arrivals import Replays, place_to_call, replayed_headers
from bridge.web.client_address import Proxies
from bridge.web.invited import ROOT, InvitedPages
from bridge.web.key_paths import shown
from bridge.web.keyed import RETRY_DOWN_S, HandlerFailed, KeyedCalls

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.model.web_mount import KeyHandler, WebHandler
    from bridge.web.door import StrangerRequest
    from bridge.web.media import MediaPages

log = structlog.get_logger("web")

T = TypeVar("T")

_LOGGED_EVERY_S = 60.0
_CALL_S = 30.0
_ANSWER_BYTES = 2000


class PublicWeb:
    """`public_url` is how the outside reaches the listener, without a trailing slash; empty if it does not. Its path is a prefix: a
    proxy may leave it on or take it off. Without `keyed` there are no keys. `is_missing` says whether an account that its platform
    calls is not up: then nobody is told that a place does not exist, since senders give up a hook for that."""

    def __init__(
        self,
        public_url: str = "",
        *,
        keyed: Callable[[PublicWeb], KeyedCalls] | None = None,
        proxies: Proxies | None = None,
        is_missing: Callable[[], bool] = lambda: False,
    ) -> None:
        self.public_url = public_url
        self._prefix = urlsplit(public_url).path if public_url.startswith("http") else ""
        self._handlers: dict[tuple[str, str], WebHandler] = {}
        self._key_handlers: dict[AccountName, KeyHandler] = {}
        self._keyed = keyed(self) if keyed is not None else None
        self._proxies = proxies or Proxies()
        self._is_missing = is_missing
        self.replays: Replays | None = None
        self.pages: InvitedPages | None = None
        self.media: MediaPages | None = None
        self._runner: web.ServerRunner | None = None
        self._logged_at_s: dict[str, float] = {}

    def key_handler(self, account: AccountName) -> KeyHandler | None:
        return self._key_handlers.get(account)

    def of(self, account: AccountName) -> AccountMount:
        """The part of the listener that belongs to one account."""
        return AccountMount(self, account)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (of use when 0 was asked for). Raises OSError."""
        from aiohttp import web

        from bridge.web.door import Door

        self._runner = web.ServerRunner(Door(self._dispatch), shutdown_timeout=5)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def run(self) -> None:
        """What the listener does by itself, while there is one."""
        if self._runner is None or self.replays is None:
            await asyncio.get_running_loop().create_future()
        else:
            await self.replays.run()

    async def repeat(self, key: StoredKey, arrival: Arrival) -> tuple[int, str]:
        """See `arrivals.Repeater`: the listener is called as everybody calls it."""
        assert self._keyed is not None
        with self._keyed.passing(key) as secret:
            query = f"?{arrival.query}" if arrival.query else ""
            path, bearer = place_to_call(key, arrival, secret)
            return await self.call(path + query, arrival.method, [*replayed_headers(arrival.headers), *bearer], arrival.body)

    async def call_with(self, key: StoredKey, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """See `invited.Listener`."""
        assert self._keyed is not None
        with self._keyed.passing(key) as secret:
            return await self.call(f"/{key.direction.value}/{secret}", "POST", headers.items(), body)

    async def call(self, path: str, method: str, headers: Iterable[tuple[str, str]], body: bytes) -> tuple[int, str]:
        """What this listener answers: status, and the beginning of the text. Raises OSError."""
        from aiohttp import ClientError, ClientSession, ClientTimeout
        from yarl import URL

        assert self._runner is not None
        host, port = self._runner.addresses[0][:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a place to call, not to listen on
        url = URL(f"http://{f'[{host}]' if ':' in host else host}:{port}{path}", encoded=True)
        try:
            async with ClientSession(timeout=ClientTimeout(total=_CALL_S), auto_decompress=False) as session:
                async with session.request(method, url, headers=list(headers), data=body or None, allow_redirects=False) as answer:
                    return answer.status, (await answer.content.read(_ANSWER_BYTES)).decode("utf-8", "replace")
        except (ClientError, TimeoutError, ValueError) as error:
            raise OSError(str(error) or type(error).__name__) from error

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        path = _without(self._prefix, request.rel_url.raw_path)
        if self.media is not None and path.startswith((FILES, FACES)):
            return await self._answered(self.media.answer(request, path, self._client(request)), "")
        refusal = _refused_by_headers(request, path)
        if refusal is not None:
            return refusal
        if _is_keyed(request, path):
            return await self._by_key(request, path)
        if path.startswith(ROOT):
            return await self._page(request, path)
        account, _, name = path.removeprefix("/hooks/").partition("/")
        handler = self._handlers.get((account, name))
        if handler is None:
            return self._unknown()
        answer = await self._answered(handler(request), account)
        if answer.status == 401:
            if self._is_loggable(account):
                log.warning("a call was refused", account=account, client=self._client(request), reason=_words(answer))
            return self._unknown()
        return answer

    async def _by_key(self, request: web.Request, path: str) -> web.StreamResponse:
        if self._keyed is None:
            return _refusal(401)
        stranger = cast("StrangerRequest", request)
        answer = await self._answered(self._keyed.answer(stranger, path, self._client(request)), "")
        return _refusal(401) if answer is None else answer

    async def _page(self, request: web.Request, path: str) -> web.StreamResponse:
        if self.pages is None:
            return _refusal(401)
        answer = await self._answered(self.pages.answer(cast("StrangerRequest", request), path), "")
        return _refusal(401) if answer is None else answer

    async def _answered(self, answering: Awaitable[T], account: str) -> T | web.Response:
        from aiohttp import web

        try:
            return await answering
        except (web.HTTPException, ConnectionError):
            raise
        except JournalError as error:
            if self._is_loggable("journal unavailable"):
                log.error("journal unavailable", reason=str(error))
        except HandlerFailed as error:
            if self._is_loggable(error.account):
                log.exception("webhook failed", account=error.account)
        except Exception:
            # not confirmed, so the platform delivers it again
            if self._is_loggable(account):
                log.exception("webhook failed", account=account)
        return _refusal(503)

    def _unknown(self) -> web.Response:
        """One answer for a path that does not exist and for one that this caller may not use."""
        return _refusal(503 if self._is_missing() else 401)

    def _client(self, request: web.Request) -> str:
        return self._proxies.client(request.remote, request.headers)

    def _is_loggable(self, account: str) -> bool:
        """At most one line a minute per account: outside callers must not fill the log."""
        now_s = time.monotonic()
        if now_s - self._logged_at_s.get(account, -_LOGGED_EVERY_S) < _LOGGED_EVERY_S:
            return False
        self._logged_at_s[account] = now_s
        return True


class AccountMount:
    """See `model.web_mount.WebMount`."""

    def __init__(self, public: PublicWeb, account: AccountName) -> None:
        self._public = public
        self._account = account

    @property
    def public_url(self) -> str:
        return self._public.public_url

    def mount(self, name: str, handler: WebHandler) -> str:
        self._public._handlers[(self._account, name)] = handler
        return f"/hooks/{self._account}/{name}"

    def unmount(self, name: str) -> None:
        self._public._handlers.pop((self._account, name), None)

    def serve_keys(self, handler: KeyHandler) -> None:
        self._public._key_handlers[self._account] = handler


def _without(prefix: str, path: str) -> str:
    return path.removeprefix(prefix) if path.startswith(prefix + "/") else path


def _is_keyed(request: web.Request, path: str) -> bool:
    return shown(path, request.headers.get("Authorization", "")) is not None


def _refused_by_headers(request: web.Request, path: str) -> web.Response | None:
    """The checks that need neither the body nor the mounted handlers."""
    from bridge.web.door import MOST_BODY_BYTES

    by_key = _is_keyed(request, path) or path.startswith(ROOT)
    if not by_key and (path.count("/") != 3 or not path.startswith("/hooks/")):
        return _refusal(401)
    if not by_key and request.method != "POST":
        return _refusal(405)
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        return _refusal(415)
    if not by_key and (request.content_length or 0) > MOST_BODY_BYTES:
        return _refusal(413)
    return None


_TEXTS = {
    405: "only POST\n",
    415: "no Content-Encoding\n",
    413: "too large\n",
    401: "not authorised\n",
    503: "try again later\n",
}
_HEADERS = {405: {"Allow": "POST"}, 503: {"Retry-After": str(RETRY_DOWN_S)}}


def _refusal(status: int) -> web.Response:
    from aiohttp import web

    return _closing(web.Response(status=status, text=_TEXTS[status], headers=_HEADERS.get(status)))


def _closing(answer: web.Response) -> web.Response:
    answer.force_close()
    return answer


def _words(answer: web.StreamResponse) -> str:
    text = getattr(answer, "text", None)
    return text.strip() if isinstance(text, str) else ""
