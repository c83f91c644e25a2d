"""The one file of this adapter that does network I/O as a client: calls, uploads and downloads by aiohttp, one attempt each.

Errors come out classified; no text of them holds a URL, since a URL may hold a webhook's key.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from adapters.common.egress import FILES, Egress, Purpose
from adapters.common.http_body import BoundedResponse, no_redirects
from adapters.common.http_errors import (
    TRANSPORT_ERRORS,
    Effect,
    classify_connection_error,
    classify_page,
    classify_transfer_error,
    classify_transport_error,
    departures,
    middlewares_for,
)
from adapters.common.platform_time import PlatformTime
from adapters.common.tls import client_context
from adapters.common.transfers import AS_IT_IS, Progress, body_bytes, check_is_no_page, chunks_of, open_again, open_watched
from adapters.teamspirit.errors import refusal
from adapters.teamspirit.wire import Request, load_json
from bridge.model.adapter import FileStream, OutboundFile
from bridge.model.errors import BridgeError
from bridge.model.events import Attachment
from bridge.model.secret_urls import keys_in

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect

_CONNECT_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 3.0
_MOST_FRAME_BYTES = 4 * 1024**2
_CHECKED_BYTES_PER_S = 1_000_000
_JSON = "application/json"
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+(?:; ?[\w-]+=[\w.+-]+)*", re.ASCII)
"""A type is as its sender says: what is none would end the header, or be refused."""

Content = bytes | aiohttp.FormData | None

A_FILE, BROKE_OFF = "(a file)", "(it broke off)"
"""The placeholder for an answer that is no text."""


class Transport:
    """Made inside the running loop; the session is opened at the first call."""

    def __init__(self, dialect: Dialect, options: TeamSpiritOptions) -> None:
        self._dialect = dialect
        self._options = options
        self._session: aiohttp.ClientSession | None = None
        self.time = PlatformTime()
        """The server's clock."""
        self._hidden = tuple(_secrets(options))
        self.seen: Callable[[Request, int, Any], None] | None = None
        """Who is told of each answer: the call, its status, and what it says (JSON, or text where it is none)."""

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            async with asyncio.timeout(5):
                await session.close()

    # -- calls --------------------------------------------------------------------------------------------------------------

    async def call(self, request: Request, effect: Effect) -> Any:
        """The JSON of the answer (None if it has none). Raises a DeliveryError or AccountDown."""
        async with self._answer(request, effect, partial(_body, request), self._options.request_timeout_s) as answer:
            return await self._payload(request, effect, answer)

    async def upload(self, request: Request, field: str, outbound: OutboundFile) -> Any:
        """The same with a file as one part of a multipart body, streamed from disk. Repeating an upload doubles nothing."""
        progress = Progress()
        with ExitStack() as files:
            unused = [files.enter_context(await asyncio.to_thread(open_watched, outbound, progress))]
            # a server may look through the whole file before it answers
            answer_s = self._options.request_timeout_s + progress.size_bytes / _CHECKED_BYTES_PER_S
            mime = outbound.mime if _MIME.fullmatch(outbound.mime) else "application/octet-stream"

            async def form() -> aiohttp.FormData:
                file = unused.pop() if unused else files.enter_context(await asyncio.to_thread(open_again, outbound, progress))
                made = aiohttp.FormData(quote_fields=False)
                for key, value in request.multipart or ():
                    made.add_field(key, value)
                made.add_field(field, file, filename=outbound.name.replace('"', "'"), content_type=mime)
                return made

            try:
                async with (
                    progress.moving(self._options.request_timeout_s, answer_s=answer_s),
                    self._answer(request, Effect.IDEMPOTENT, form, self._options.transfer_timeout_s) as answer,
                ):
                    return await self._payload(request, Effect.IDEMPOTENT, answer)
            except TimeoutError as error:
                raise classify_transport_error(error, effect=Effect.IDEMPOTENT, doing=request.operation) from None

    @asynccontextmanager
    async def download(
        self, request: Request, stated_bytes: int | None = None, *, sent_as: Attachment | None = None
    ) -> AsyncIterator[FileStream]:
        """An open download; a message has it as `sent_as`.

        Raises RetryLater, Rejected, AccountDown; a body that ends early raises RetryLater while it is read."""
        timeout = aiohttp.ClientTimeout(
            total=self._options.transfer_timeout_s, sock_connect=_CONNECT_TIMEOUT_S, sock_read=self._options.request_timeout_s
        )
        try:
            answer = await self._egress(request, FILES).open(
                self._open(),
                _url(request),
                method=request.method,
                headers=AS_IT_IS,
                credentials=request.headers,
                timeout=timeout,
            )
        except TRANSPORT_ERRORS as error:
            raise classify_transfer_error(error, doing=request.operation) from None
        # from here on it is the reader's code that runs inside: a full disk of ours must not look like the network's fault
        async with answer:
            if not 200 <= answer.status < 300:
                await self._tell(request, answer)
                raise await self._refused(request, Effect.IDEMPOTENT, answer)
            if self.seen is not None:
                self.seen(request, answer.status, A_FILE)
            check_is_no_page(answer, sent_as)
            expected = body_bytes(answer, stated_bytes)
            yield FileStream(chunks=chunks_of(answer, expected), size_bytes=expected)

    @asynccontextmanager
    async def socket(self, url: str, headers: Mapping[str, str], ping_s: float) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """An open websocket, whose peer is pinged every so often. Raises ConnectionLost, AccountDown, RetryLater."""
        try:
            async with asyncio.timeout(self._options.request_timeout_s):
                opened = await self._open().ws_connect(
                    URL(url, encoded=True),
                    headers=headers,
                    heartbeat=ping_s,
                    max_msg_size=_MOST_FRAME_BYTES,
                    proxy=self._options.proxy,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT_S),
                )
        except TRANSPORT_ERRORS as error:
            raise classify_connection_error(error, doing="websocket") from None
        async with opened:
            yield opened

    def _egress(self, request: Request, purpose: Purpose) -> Egress:
        """Ours is the server, and where the dialect's `base` puts its API."""
        own = [url for url in (self._options.server, request.base, *_webhook_urls(self._options)) if url]
        return Egress(own, also=self._options.file_hosts, proxy=self._options.proxy, purpose=purpose)

    # -- one request --------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _answer(
        self, request: Request, effect: Effect, body: Callable[[], Awaitable[Content]], timeout_s: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with await self._asked(request, effect, body, timeout_s) as answer:
                self.time.learn(answer.headers)
                yield answer
        except TRANSPORT_ERRORS as error:
            if self.seen is not None:
                self.seen(request, 0, f"({type(error).__name__})")
            raise classify_transport_error(error, effect=effect, doing=request.operation) from None

    async def _asked(
        self, request: Request, effect: Effect, body: Callable[[], Awaitable[Content]], timeout_s: float
    ) -> aiohttp.ClientResponse:
        """A redirect is an answer like any other: a redirected POST would become a GET, and the key would go to another server."""
        headers = {**request.headers, **({"Content-Type": _JSON} if request.json_body is not None else {})}
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_TIMEOUT_S)
        if request.is_led:
            return await self._egress(request, _led(request.operation)).ask(
                self._open(),
                _url(request),
                method=request.method,
                headers=headers,
                timeout=timeout,
                body=body,
                middlewares=middlewares_for(effect),
            )
        return await self._open().request(
            request.method,
            _url(request),
            headers=headers,
            data=await body(),
            proxy=self._options.proxy,
            timeout=timeout,
            allow_redirects=False,
            middlewares=middlewares_for(effect),
        )

    async def _tell(self, request: Request, answer: aiohttp.ClientResponse) -> None:
        if self.seen is None:
            return
        try:
            said = await _read_json(answer)
            self.seen(request, answer.status, await answer.text(errors="replace") if said is None else said)
        except TRANSPORT_ERRORS:
            self.seen(request, answer.status, BROKE_OFF)

    async def _payload(self, request: Request, effect: Effect, answer: aiohttp.ClientResponse) -> Any:
        await self._tell(request, answer)
        if not 200 <= answer.status < 300:
            raise await self._refused(request, effect, answer)
        payload = await _read_json(answer)
        if payload is None and answer.content_type == "text/html" and (await answer.read()).lstrip().startswith(b"<"):
            # a login page, or a proxy's; a bare word is how small servers say that all is well, whatever they call its type
            raise classify_page(answer.status, effect=effect, reason=f"{request.operation}: HTTP {answer.status}")
        return payload

    async def _refused(self, request: Request, effect: Effect, answer: aiohttp.ClientResponse) -> BridgeError:
        try:
            payload = await _read_json(answer)
        except TRANSPORT_ERRORS:
            payload = None
        return refusal(self._dialect, request.operation, effect, answer.status, answer.headers, payload, hidden=self._hidden)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=client_context(self._options.ca_file), limit=100),
                cookie_jar=aiohttp.DummyCookieJar(),
                response_class=BoundedResponse,
                trace_configs=[departures(no_redirects())],
            )
        return self._session


def _url(request: Request) -> URL:
    url = URL(request.url, encoded=True)
    return url.update_query(list(request.query)) if request.query else url


def _led(operation: str) -> Purpose:
    where = f"{operation}: the server leads to {{host}}, where nothing is sent"
    return Purpose(what=operation, where=where, option="file_hosts")


async def _body(request: Request) -> Content:
    if request.json_body is not None:
        return request.json_body
    if request.form is not None:
        return aiohttp.FormData(list(request.form))
    if request.multipart is not None:
        form = aiohttp.FormData(quote_fields=False)
        for key, value in request.multipart:
            form.add_field(key, value, content_type="text/plain; charset=utf-8")
        return form
    return None


async def _read_json(answer: aiohttp.ClientResponse) -> Any:
    """The JSON of a body of bounded size; None for anything else. Raises aiohttp's errors, for a body without bounds too."""
    try:
        return load_json(await answer.read())
    except ValueError:
        return None


def _webhook_urls(options: TeamSpiritOptions) -> list[str]:
    found = (options.incoming_webhook, *(chat.incoming_webhook for chat in options.chats.values()))
    return [secret.get_secret_value() for secret in found if secret is not None]


def _secrets(options: TeamSpiritOptions) -> list[str]:
    key, urls = options.api_key, _webhook_urls(options)
    return [*([] if key is None else [key.get_secret_value()]), *urls, *(part for url in urls for part in keys_in(url))]
