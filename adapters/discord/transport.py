"""All HTTP towards Discord: one attempt per call, classified errors, learned rate limits, streamed files.

Why not discord.py's own HTTP layer: `HTTPClient.request` and the webhook adapter try five times on 5xx (a webhook send is doubled
by that), sleep through 429s inside the call, hold a call back after it used the last token of a bucket, and take their base URL
from a class attribute, so that two accounts with different servers cannot live in one process (read in discord.py 2.7.1, http.py
and webhook/async_.py). Sends need exactly one attempt whose outcome is known; so everything that is REST goes through here with our
own aiohttp session, and discord.py serves what it is good at, the gateway (`gateway.py`). Session settings (API version, user
agent, proxy, TLS) are shared by both, one session per account.

One exception is aiohttp's: it repeats a GET, PUT or DELETE once when a kept-alive connection turns out to be closed, which is
harmless; a POST or PATCH it never repeats.

Called by `adapter` and its helpers. Knows nothing of events or outbound messages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from yarl import URL

from adapters.common.egress import Egress
from adapters.common.http_body import BoundedResponse, no_redirects
from adapters.common.http_errors import (
    TRANSPORT_ERRORS,
    Effect,
    classify_transfer_error,
    classify_transport_error,
    departures,
    may_be_done,
)
from adapters.common.lenient import mended_json
from adapters.common.platform_time import PlatformTime
from adapters.common.tls import client_context
from adapters.common.transfers import AS_IT_IS, body_bytes, check_is_no_page, chunks_of
from adapters.discord.errors import Refused, classify, refusal_of
from adapters.discord.rate_limit import Limiter
from adapters.discord.uploads import Upload
from bridge.model.adapter import FileStream, OutboundFile
from bridge.model.clock import Clock
from bridge.model.errors import OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.model.events import Attachment

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

USER_AGENT = "DiscordBot (https://github.com/Rapptz/discord.py 2.7) messenger-bridge"
CONNECT_TIMEOUT_S = 15.0
MAX_CONNECTIONS = 256
FILE_HOSTS = (".discordapp.com", ".discordapp.net", ".discord.com")
"""Where files of messages live. Source: API reference, "CDN Endpoints" and "Signed Attachment CDN URLs"."""


@dataclass(frozen=True, slots=True)
class Route:
    """A call's method and path. `bucket` names what shares a rate limit: Discord's major parameters are part of it."""

    method: str
    path: str
    bucket: str
    by_token: bool = False
    """A webhook's own token in the path authorises it; the bot token is not sent."""

    def __str__(self) -> str:
        return f"{self.method} {self.bucket}"


class Transport:
    """One account's HTTP session. Raises the bridge's errors, or `Refused` for an answer that the caller may handle."""

    def __init__(self, options: DiscordOptions, clock: Clock) -> None:
        self._options = options
        self._session: aiohttp.ClientSession | None = None
        self._timeout = aiohttp.ClientTimeout(total=options.request_timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        self._file_timeout = aiohttp.ClientTimeout(
            total=options.transfer_timeout_s, sock_connect=CONNECT_TIMEOUT_S, sock_read=options.request_timeout_s
        )
        self._limiter = Limiter(options.requests_per_s, now=clock.monotonic_s, sleep=clock.sleep)
        self._egress = Egress([options.api_url, options.cdn_url], only=FILE_HOSTS, also=options.file_hosts, proxy=options.proxy)
        self.time = PlatformTime()

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            tls = client_context(self._options.ca_file)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=MAX_CONNECTIONS, ssl=tls),
                headers={"User-Agent": USER_AGENT},
                timeout=self._timeout,
                auto_decompress=True,
                response_class=BoundedResponse,
                trace_configs=[departures(no_redirects())],
            )
        return self._session

    @property
    def proxy(self) -> str | None:
        return self._options.proxy

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    # -- the API --------------------------------------------------------------------------------------------------------------

    async def call(
        self,
        route: Route,
        *,
        json: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        files: Sequence[OutboundFile] = (),
        effect: Effect = Effect.IDEMPOTENT,
    ) -> Any:
        """One attempt; the decoded answer. Raises `Refused` for 4xx of the API other than 429."""
        await self._limiter.admit(route.bucket, is_bot=not route.by_token)
        try:
            return await self._attempt(route, json, query, files, effect)
        except TRANSPORT_ERRORS as error:
            raise classify_transport_error(error, effect=effect, doing=str(route)) from None

    async def _attempt(
        self,
        route: Route,
        json: Mapping[str, Any] | None,
        query: Mapping[str, str] | None,
        files: Sequence[OutboundFile],
        effect: Effect,
    ) -> Any:
        headers: dict[str, str] = {}
        if not route.by_token:
            headers["Authorization"] = f"Bot {self._options.token.get_secret_value().strip()}"
        if not files:
            data = None
            if json is not None:
                headers["Content-Type"] = "application/json"
                data = msgspec.json.encode(json)
            return await self._exchange(route, query, headers, data, self._timeout, effect)
        upload = Upload(json or {}, files)
        try:
            form = await upload.form()
            async with upload.progress.moving(self._options.request_timeout_s):
                return await self._exchange(route, query, headers, form, self._file_timeout, effect)
        except TRANSPORT_ERRORS as error:
            if upload.progress.is_torn:
                raise classify_transport_error(error, effect=Effect.IDEMPOTENT, doing=f"upload to {route}") from None
            raise
        finally:
            upload.close()

    async def _exchange(
        self,
        route: Route,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str],
        data: Any,
        timeout: aiohttp.ClientTimeout,
        effect: Effect,
    ) -> Any:
        async with self.session.request(
            route.method,
            _address(self._options.api_url, route.path, tuple(query.items()) if query else ()),
            data=data,
            headers=headers,
            proxy=self.proxy,
            allow_redirects=False,
            timeout=timeout,
        ) as response:
            return self._judge(route, response, _json_or_none(await response.read()), effect)

    def _judge(self, route: Route, response: aiohttp.ClientResponse, payload: Any, effect: Effect) -> Any:
        self.time.learn(response.headers)
        self._limiter.learn(route.bucket, response.headers)
        if 200 <= response.status < 300:
            if payload is None and response.status != 204:
                raise may_be_done(f"{route}: an answer that is not JSON", effect)
            return payload
        refusal = refusal_of(response.status, payload, response.headers)
        error = classify(refusal, effect=effect)
        if isinstance(error, RetryLater) and error.rate_limited and error.after_s is not None:
            self._limiter.block(None if error.scope is Scope.ACCOUNT else route.bucket, error.after_s)
        if isinstance(error, RetryLater | OutcomeUnknown) or response.status == 407:
            raise error
        raise Refused(refusal, error)

    # -- files ----------------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def download(
        self, url: str, stated_bytes: int | None = None, *, sent_as: Attachment | None = None
    ) -> AsyncIterator[FileStream]:
        """A file from the CDN, streamed; a message has it as `sent_as`.

        Raises `Gone` when the address has expired or the file is no longer there, Rejected for an
        address that is not the CDN's."""
        try:
            response = await self._egress.open(self.session, url, headers=AS_IT_IS, timeout=self._file_timeout)
        except TRANSPORT_ERRORS as error:
            raise classify_transfer_error(error, doing="file download") from None
        try:
            if response.status in (403, 404, 410):
                raise Gone
            if response.status != 200:
                raise RetryLater(f"Discord's CDN answered {response.status}")
            check_is_no_page(response, sent_as)
            expected = body_bytes(response, stated_bytes)
            yield FileStream(chunks=chunks_of(response, expected), size_bytes=expected)
        finally:
            response.close()

    def at_home(self, url: str, cdn_url: str) -> str:
        """A file's address, put onto the configured CDN if it is not one that files are fetched from: a server behind a TLS proxy
        names itself as it sees itself."""
        try:
            self._egress.admit(url)
        except Rejected:
            parts = urlsplit(url)
            return f"{cdn_url}{parts.path}?{parts.query}"
        return url


class Gone(Exception):
    """The CDN does not serve this address (any more)."""


@lru_cache(maxsize=512)
def _address(api_url: str, path: str, query: tuple[tuple[str, str], ...]) -> URL:
    """Most calls go to few addresses, and a URL takes as long to make as all else here."""
    return URL(api_url + path).update_query(query)


def _json_or_none(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        pass
    try:
        return msgspec.json.decode(mended_json(raw))
    except (ValueError, RecursionError):
        return None


def path_part(text: str) -> str:
    """One segment of a path, quoted so that it stays one."""
    return quote(text, safe="")
