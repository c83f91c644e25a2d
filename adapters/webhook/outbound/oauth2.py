"""Access tokens by the client credentials grant, cached until they expire. Source: RFC 6749 sections 4.4 and 5.1, read
2026-11-26."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from bridge.model.clock import Clock
from bridge.model.errors import ChatDown, RetryLater

if TYPE_CHECKING:
    from adapters.webhook.config import OAuth2Options

_EARLIER_S = 30.0
"""How long before its expiry a token is renewed."""
_LIFETIME_S = 300.0
"""Lifetime of a token if the response has no `expires_in`."""
_MOST_LIFETIME_S = 86400.0
ACTION = "check oauth2 of the end in bridge.yaml"

Fetch = Callable[["OAuth2Options"], Awaitable[tuple[int, bytes]]]
"""Posts to the token endpoint; returns status and the start of the body. Raises the bridge's errors."""


class Tokens:
    """The token of one end."""

    def __init__(self, options: OAuth2Options, fetch: Fetch, clock: Clock) -> None:
        self._options = options
        self._fetch = fetch
        self._clock = clock
        self._token = ""
        self._until_s = 0.0
        self._fetching = asyncio.Lock()

    async def token(self, *, refused: str = "") -> str:
        """A valid token, other than `refused`. Raises ChatDown or RetryLater."""
        async with self._fetching:
            if self._token and self._token != refused and self._clock.monotonic_s() < self._until_s:
                return self._token
            status, body = await self._fetch(self._options)
            self._token, lifetime_s = _read(status, body)
            self._until_s = self._clock.monotonic_s() + max(lifetime_s - _EARLIER_S, lifetime_s / 2)
            return self._token


def _read(status: int, body: bytes) -> tuple[str, float]:
    if status in (400, 401, 403, 404):
        raise ChatDown(f"fetching a token: HTTP {status}", action=ACTION)
    try:
        found = json.loads(body) if 200 <= status < 300 else None
    except (ValueError, RecursionError):
        found = None
    token = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise RetryLater(f"fetching a token: HTTP {status}, and no token in it")
    stated = found.get("expires_in") if isinstance(found, dict) else None
    lifetime_s = float(stated) if isinstance(stated, int | float) and 0 < stated < _MOST_LIFETIME_S else _LIFETIME_S
    return token, lifetime_s
