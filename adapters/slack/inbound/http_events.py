"""The HTTP Events API: requests from Slack are checked by signature, passed to the receiver, and answered when the core has them.

The alternative to `socket_mode` for accounts with `events: http`; served by the core's public listener (`WebMount`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web
from slack_sdk.signature import Clock, SignatureVerifier

from adapters.common.platform_time import PlatformTime
from adapters.slack.lenient import read
from adapters.slack.wire import Callback

MOUNT_NAME = "events"

_SIGNATURE = re.compile(r"v0=[0-9a-fA-F]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_OLDEST_S = 300.0
_ANSWER_LIMIT_S = 10.0
"""Slack gives up after 3 s and sends again; a request that waits longer than this is let go."""

Put = Callable[[bytes, Callable[[], Awaitable[None]]], Awaitable[None]]


class _SlackClock(Clock):
    """How old a request may be (5 minutes) is told by Slack's clock: with a wrong local one every request would look forged."""

    def __init__(self, slack_time: PlatformTime) -> None:
        self._time = slack_time

    def now(self) -> float:
        return self._time.now().timestamp()


class HttpEvents:
    """Handles requests on one URL. Without a valid signature nothing of the body is read."""

    def __init__(self, signing_secret: str, put: Put, slack_time: PlatformTime) -> None:
        self._verifier = SignatureVerifier(signing_secret, _SlackClock(slack_time))
        self._put = put

    def __repr__(self) -> str:
        return "HttpEvents()"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        if not self._may_be_signed(request):
            return web.Response(status=401, text="no fresh signature")
        body = await request.read()
        if not self._is_signed(body, request):
            return web.Response(status=401, text="bad signature")
        try:
            callback = read(body, Callback)
        except msgspec.DecodeError:
            callback = Callback(type="unknown")
        if callback.type == "url_verification":
            return web.Response(text=callback.challenge or "", content_type="text/plain")
        stored = asyncio.Event()

        async def confirm() -> None:
            stored.set()

        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                await self._put(body, confirm)
                await stored.wait()
        except TimeoutError:
            return web.Response(status=503, text="busy")
        return web.Response()

    def _may_be_signed(self, request: web.Request) -> bool:
        """What the headers alone show: a well-formed signature, and a recent time. Otherwise the body is not read."""
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        if not _SIGNATURE.fullmatch(request.headers.get("X-Slack-Signature", "")) or not _TIMESTAMP.fullmatch(timestamp):
            return False
        return abs(self._verifier.clock.now() - int(timestamp)) <= _OLDEST_S

    def _is_signed(self, body: bytes, request: web.Request) -> bool:
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        try:
            return self._verifier.is_valid(body=body, timestamp=timestamp, signature=signature)
        except UnicodeDecodeError:
            return False
