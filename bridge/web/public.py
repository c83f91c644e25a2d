"""The public listener: platforms call us under `/hooks/<account>/<name>`. Knows nothing of their formats: adapters mount handlers,
and check who calls, by the headers first.

To a stranger every place under `/hooks` looks the same, whether somebody is mounted there or not: neither the names of accounts nor
why a call was refused are anybody's business. The reasons of refusals are in the log, one a minute.

aiohttp's server is imported where it is used: most bridges have no listener."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from bridge.model.refs import AccountName

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.model.web_mount import KeyHandler, WebHandler

log = structlog.get_logger("web")

_LOGGED_EVERY_S = 60.0


class PublicWeb:
    """`public_url` is how the outside reaches the listener, without a trailing slash; empty if it does not."""

    def __init__(self, public_url: str = "") -> None:
        self.public_url = public_url
        self._handlers: dict[tuple[str, str], WebHandler] = {}
        self._key_handlers: dict[AccountName, KeyHandler] = {}
        self._runner: web.ServerRunner | None = None
        self._logged_at_s: dict[str, float] = {}

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

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        refusal = _refused_by_headers(request)
        if refusal is not None:
            return refusal
        account, _, name = request.path.removeprefix("/hooks/").partition("/")
        handler = self._handlers.get((account, name))
        if handler is None:
            return _refusal(401)
        try:
            answer = await handler(request)
        except web.HTTPException:
            raise
        except Exception:
            # not confirmed, so the platform delivers it again
            if self._is_loggable(account):
                log.exception("webhook failed", account=account)
            return _closing(web.Response(status=503, text="try again later\n"))
        if answer.status == 401:
            if self._is_loggable(account):
                log.warning("a call was refused", account=account, reason=_words(answer))
            return _refusal(401)
        return answer

    def _is_loggable(self, account: str) -> bool:
        """One line a minute for each account: strangers must not fill the log."""
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


def _refused_by_headers(request: web.Request) -> web.Response | None:
    """What needs no look at the body, and no knowledge of who is mounted where."""
    from bridge.web.door import MOST_BODY_BYTES

    if request.path.count("/") != 3 or not request.path.startswith("/hooks/"):
        return _refusal(404)
    if request.method != "POST":
        return _refusal(405)
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        return _refusal(415)
    if (request.content_length or 0) > MOST_BODY_BYTES:
        return _refusal(413)
    return None


_TEXTS = {404: "not found\n", 405: "only POST\n", 415: "no Content-Encoding\n", 413: "too large\n", 401: "not authorised\n"}


def _refusal(status: int) -> web.Response:
    from aiohttp import web

    headers = {"Allow": "POST"} if status == 405 else None
    return _closing(web.Response(status=status, text=_TEXTS[status], headers=headers))


def _closing(answer: web.Response) -> web.Response:
    answer.force_close()
    return answer


def _words(answer: web.StreamResponse) -> str:
    text = getattr(answer, "text", None)
    return text.strip() if isinstance(text, str) else ""
