"""Endpoint of an outgoing webhook: answers the server's calls. The web server is the core's, which calls `WebhookEndpoint.handle`.

An event is confirmed (2xx) only after the intake has it on disk. Everything else is answered with a plain reason. Who may call is
`webhook_auth`'s to say; mounted by `webhook`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from adapters.teamspirit.inbound.webhook_auth import Credentials, Refused, WebhookAuth
from adapters.teamspirit.inbound.webhook_body import why_unreadable

if TYPE_CHECKING:
    from aiohttp import web

    from adapters.teamspirit.dialect.events import Authentication

LARGEST_BODY_BYTES = 1024**2
_HELD_S = 3.0
_MOST_HELD = 64

Take = Callable[[Any, bytes], Awaitable[None]]
"""(payload, raw body): returns once it is safe to confirm. Payload None: authenticated, and not readable."""


class NotNow(Exception):
    """Raised by what takes calls: this one cannot be kept now, and is to come again."""


class WebhookEndpoint:
    """One webhook of an account. `take` is None while the account is not connected: the server is then asked to come again."""

    def __init__(self, authentication: Authentication, credentials: Sequence[Credentials], now_s: Callable[[], float]) -> None:
        """See `renew`. `now_s`: the time, by the clock that calls are stamped by."""
        self._auth = WebhookAuth(authentication, credentials, now_s)
        self._take: Take | None = None
        self._registered = asyncio.Event()
        self._connected = asyncio.Event()
        self.held = 0
        """Calls that wait now."""
        self.renew(credentials)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web  # the core's server is running, or there would be no call

        if request.method != "POST":
            return web.Response(status=405, text="only POST\n", headers={"Allow": "POST"})
        if (request.content_length or 0) > LARGEST_BODY_BYTES:
            refusal = web.Response(status=413, text="too large\n")
            refusal.force_close()  # what is still coming is not waited for
            return refusal
        try:
            payload, raw = await self._read(request)
        except Refused as refused:
            return web.Response(status=refused.status, text=f"{refused.reason}\n")
        take = await self._taker()
        try:
            if take is not None:
                await take(payload, raw)
                return web.Response(status=200, text="" if payload is not None else f"kept, but {why_unreadable(raw)}\n")
        except NotNow:
            pass
        return web.Response(status=503, text="not connected; come again\n", headers={"Retry-After": "2"})

    def renew(self, credentials: Sequence[Credentials], *, more_to_come: bool = False) -> None:
        """These will do from now on. `more_to_come`: the server is being asked for others, which calls may bring before its answer
        is here: a call that nothing fits waits for that."""
        self._auth.credentials = credentials
        if more_to_come:
            self._registered.clear()
        else:
            self._registered.set()

    async def _read(self, request: web.Request) -> tuple[Any, bytes]:
        """Payload and body of a call that may come in. Raises Refused."""
        try:
            return await self._checked(request)
        except Refused:
            if self._registered.is_set():
                raise
        await self._hold(self._registered)
        return await self._checked(request)

    async def _checked(self, request: web.Request) -> tuple[Any, bytes]:
        self._auth.check_headers(request.headers, request.query)
        raw = await request.read()  # kept by the request: it may be read twice
        return self._auth.checked(request.headers, request.content_type, request.charset, raw), raw

    @property
    def take(self) -> Take | None:
        return self._take

    @take.setter
    def take(self, take: Take | None) -> None:
        self._take = take
        if take is not None:
            self._connected.set()
        else:
            self._connected.clear()

    async def _taker(self) -> Take | None:
        """Who takes a call that may come in. While the account connects, a call waits a moment: a refused one comes again in the
        server's own time, behind what was said since. None: nobody, or too many wait."""
        await self._hold(self._connected)
        return self._take

    async def _hold(self, opened: asyncio.Event) -> None:
        """Let a call wait for that, a moment at most."""
        if opened.is_set() or self.held >= _MOST_HELD:
            return
        self.held += 1
        try:
            async with asyncio.timeout(_HELD_S):
                await opened.wait()
        except TimeoutError:
            pass
        finally:
            self.held -= 1
