"""A client for platforms whose API is plain HTTP and JSON: calls, uploads, line streams and downloads, one attempt each.

Errors are classified: network failures by `http_errors`, unsuccessful answers by the platform's `refusal`. An adapter built on a
client library has its own transport instead."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp

from adapters.common.egress import Egress
from adapters.common.http_body import BoundedResponse, no_redirects
from adapters.common.http_errors import (
    TRANSPORT_ERRORS,
    Effect,
    classify_page,
    classify_status,
    classify_transfer_error,
    classify_transport_error,
    departures,
    middlewares_for,
    retry_after_s,
)
from adapters.common.options import NetworkOptions, SecretStr
from adapters.common.tls import client_context
from adapters.common.transfers import AS_IT_IS, Progress, body_bytes, check_is_no_page, chunks_of, open_watched
from bridge.model.adapter import FileStream, OutboundFile
from bridge.model.errors import BridgeError, ConnectionLost, OutcomeUnknown, Rejected, RetryLater
from bridge.model.events import Attachment

_CONNECT_TIMEOUT_S = 10.0
_MOST_LINE_BYTES = 1024**2


class Refusal(Protocol):
    """The platform's table of errors. `payload` is the answer's JSON, None if it has none; `doing` begins the error's text."""

    def __call__(self, status: int, headers: Mapping[str, str], payload: Any, *, doing: str, effect: Effect) -> BridgeError: ...


class HttpClient:
    """Made inside the running loop. The session is opened at the first call; `login` are the headers that hold the credential."""

    def __init__(self, options: NetworkOptions, base_url: str, *, login: Mapping[str, str], refusal: Refusal) -> None:
        self._options = options
        self._base_url = base_url
        self._login = dict(login)
        self._refusal = refusal
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        effect: Effect = Effect.IDEMPOTENT,
        headers: Mapping[str, str] | None = None,
        body: bytes | OutboundFile | None = None,
    ) -> Any:
        """The JSON of the answer, None if that is empty. A file is streamed from disk; a partly sent file creates nothing. Raises a
        DeliveryError (FileHarmed among them) or AccountDown."""
        if isinstance(body, OutboundFile):
            return await self._upload(method, path, body, doing, effect, headers)
        async with self._answer(method, path, doing, effect, headers=headers, data=body) as answer:
            return await _payload(answer, doing, effect)

    async def _upload(
        self, method: str, path: str, file: OutboundFile, doing: str, effect: Effect, headers: Mapping[str, str] | None
    ) -> Any:
        progress = Progress()
        limit = aiohttp.ClientTimeout(total=self._options.transfer_timeout_s, sock_connect=_CONNECT_TIMEOUT_S)
        with await asyncio.to_thread(open_watched, file, progress) as body:
            try:
                async with (
                    progress.moving(self._options.request_timeout_s),
                    self._answer(method, path, doing, effect, headers=headers, data=body, timeout=limit) as answer,
                ):
                    return await _payload(answer, doing, effect)
            except TimeoutError as error:
                sent = Effect.IDEMPOTENT if progress.is_torn else effect
                raise classify_transport_error(error, effect=sent, doing=doing) from None
            except OutcomeUnknown as error:
                if progress.is_torn:
                    raise RetryLater(error.reason) from None
                raise

    @asynccontextmanager
    async def lines(self, path: str, *, doing: str, silence_s: float) -> AsyncIterator[AsyncIterator[list[bytes]]]:
        """A continuing answer, line by line: lines that arrived together, without blank ones. `silence_s`: how long it may be
        silent. Raises a DeliveryError or AccountDown, ConnectionLost for a line without an end."""
        limit = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S, sock_read=silence_s)
        async with self._answer("GET", path, doing, Effect.IDEMPOTENT, timeout=limit) as answer:
            yield _lines(answer, doing)

    @asynccontextmanager
    async def download(
        self, url: str, stated_bytes: int | None, *, doing: str, sent_as: Attachment | None = None
    ) -> AsyncIterator[FileStream]:
        """A file whose address a message gave (`sent_as`); the credential is sent to the account's own server only."""
        egress = Egress([self._base_url], also=self._options.file_hosts, proxy=self._options.proxy)
        limit = aiohttp.ClientTimeout(
            total=self._options.transfer_timeout_s, sock_connect=_CONNECT_TIMEOUT_S, sock_read=self._options.request_timeout_s
        )
        try:
            answer = await egress.open(await self._open(), url, headers=AS_IT_IS, credentials=self._login, timeout=limit)
        except TRANSPORT_ERRORS as error:
            raise classify_transfer_error(error, doing=doing) from None
        # from here on the reader's code runs inside: a full local disk must not look like a network failure
        async with answer:
            if not 200 <= answer.status < 300:
                # the answer of a server that a message named says nothing about our account or the chat
                told_s, reason = retry_after_s(answer.headers), f"{doing}: HTTP {answer.status}"
                raise classify_status(answer.status, effect=Effect.IDEMPOTENT, reason=reason, after_s=told_s) or Rejected(reason)
            check_is_no_page(answer, sent_as)
            expected_bytes = body_bytes(answer, stated_bytes)
            yield FileStream(chunks=chunks_of(answer, expected_bytes), size_bytes=expected_bytes)

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, doing: str, effect: Effect, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            session = await self._open()
            url, sent = f"{self._base_url}/{path}", {**self._login, **(headers or {})}
            async with session.request(method, url, headers=sent, middlewares=middlewares_for(effect), **more) as answer:
                if not 200 <= answer.status < 300:
                    raise await self._refused(answer, doing, effect)
                yield answer
        except TRANSPORT_ERRORS as error:
            raise classify_transport_error(error, effect=effect, doing=doing) from None

    async def _refused(self, answer: aiohttp.ClientResponse, doing: str, effect: Effect) -> BridgeError:
        try:
            payload = await _payload(answer, doing, effect)
        except TRANSPORT_ERRORS:
            payload = None
        except BridgeError as error:
            return error
        return self._refusal(answer.status, answer.headers, payload, doing=doing, effect=effect)

    async def _open(self) -> aiohttp.ClientSession:
        async with self._opening:
            if self._session is None:
                context = await asyncio.to_thread(client_context, self._options.ca_file)
                self._session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=context, limit=100),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    response_class=BoundedResponse,
                    trace_configs=[departures(no_redirects())],
                    proxy=self._options.proxy,
                    timeout=aiohttp.ClientTimeout(total=self._options.request_timeout_s, sock_connect=_CONNECT_TIMEOUT_S),
                )
            return self._session


def login_headers(token: SecretStr | None, username: str = "", password: SecretStr | None = None) -> dict[str, str]:
    """The Authorization header for a bearer token, or for HTTP Basic; none for neither."""
    if token is not None:
        return {"Authorization": f"Bearer {token.get_secret_value()}"}
    if password is not None:
        return {"Authorization": aiohttp.encode_basic_auth(username, password.get_secret_value())}
    return {}


async def _lines(answer: aiohttp.ClientResponse, doing: str) -> AsyncIterator[list[bytes]]:
    rest = b""
    while chunk := await answer.content.readany():
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > _MOST_LINE_BYTES:
            raise ConnectionLost(f"{doing}: a line of more than {_MOST_LINE_BYTES} bytes")
        yield [line for line in whole if line.strip()]


async def _payload(answer: aiohttp.ClientResponse, doing: str, effect: Effect) -> Any:
    """The answer's JSON, None for an empty one. Raises aiohttp's errors, and the bridge's for a page, which is not the API's."""
    body = await answer.read()
    try:
        return json.loads(body) if body.strip() else None
    except ValueError:
        after_s = retry_after_s(answer.headers)
        raise classify_page(answer.status, effect=effect, reason=f"{doing}: HTTP {answer.status}", after_s=after_s) from None
