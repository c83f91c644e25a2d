"""The public listener: platforms call us under `/hooks/<account>/<name>`. Knows nothing of their formats: adapters mount handlers,
and check who calls. Everything else is a plain 404.

aiohttp's server is imported where it is used: most bridges have no listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.refs import AccountName

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.contract import WebHandler

log = structlog.get_logger("web")

_MOST_BODY_BYTES = 8 * 1024**2


class PublicWeb:
    """`public_url` is how the outside reaches the listener, without a trailing slash; empty if it does not."""

    def __init__(self, public_url: str = "") -> None:
        self.public_url = public_url
        self._handlers: dict[tuple[str, str], WebHandler] = {}
        self._runner: web.AppRunner | None = None

    def of(self, account: AccountName) -> AccountMount:
        """The part of the listener that belongs to one account."""
        return AccountMount(self, account)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (of use when 0 was asked for). Raises OSError."""
        from aiohttp import web

        app = web.Application(client_max_size=_MOST_BODY_BYTES)
        app.router.add_route("*", "/hooks/{account}/{name}", self._dispatch)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        handler = self._handlers.get((request.match_info["account"], request.match_info["name"]))
        if handler is None or request.method not in ("POST", "GET"):
            raise web.HTTPNotFound(text="not found\n")
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception:
            # not confirmed, so the platform delivers it again
            log.exception("webhook failed", account=request.match_info["account"])
            return web.Response(status=503, text="try again later\n")


class AccountMount:
    """See `bridge.contract.WebMount`."""

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
