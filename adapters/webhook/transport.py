"""All network I/O towards the receivers of an account, and nothing else. One attempt per call; errors come out as the bridge's."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from adapters.common.egress import Egress, Purpose
from adapters.common.http_body import no_redirects
from adapters.common.http_errors import TRANSPORT_ERRORS, Effect, classify_transport_error, departures
from adapters.common.tls import client_context, context_with_certificate
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, Answer, BridgeError, ChatDown, DeliveryError, Rejected, RetryLater, Scope

if TYPE_CHECKING:
    from adapters.webhook.config import EndOptions, OAuth2Options, WebhookOptions

ENDPOINTS = Purpose(
    what="endpoint", where="messages are not posted to {host}, which is no public address", option="allow_hosts", plain=True
)

_CONNECT_TIMEOUT_S = 10.0
_MOST_READ_BYTES = 4096
"""Of an answer: nobody needs more of it."""
_LONGEST_READ_S = 5.0
_MOST_TOKEN_BYTES = 65536
_MOST_SHOWN = 500
_SHORTEST_TOKEN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A receiver's response."""

    status: int
    headers: Mapping[str, str]
    answer: Answer


class Transport:
    """One account's connections to its receivers. Each receiver has its own lane, so the number of connections is bounded by them:
    one that hangs takes no other's."""

    def __init__(self, options: WebhookOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._egress = Egress((), also=options.allow_hosts, proxy=options.proxy, purpose=ENDPOINTS)
        self._sessions: dict[tuple[Path, Path | None] | None, aiohttp.ClientSession] = {}
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()

    async def post(
        self, end: EndOptions, url: str, *, headers: Mapping[str, str], body: bytes, effect: Effect, doing: str
    ) -> Answered:
        """One attempt. Raises ChatDown, RetryLater and OutcomeUnknown, each with the response, or the time without one."""
        began_s = self._clock.monotonic_s()

        def with_time(error: BridgeError) -> BridgeError:
            if isinstance(error, DeliveryError):
                error.answer = Answer(status=None, took_s=self._clock.monotonic_s() - began_s)
            return error

        try:
            answer = await self._ask(end, url, headers, body)
            try:
                start = await _shown_of(answer)
            finally:
                answer.close()
        except (Rejected, AccountDown, RetryLater) as error:
            raise with_time(_of_one_end(error)) from None
        except TRANSPORT_ERRORS as error:
            raise with_time(_of_one_end(classify_transport_error(error, effect=effect, doing=doing), error)) from None
        took_s = self._clock.monotonic_s() - began_s
        shown = showable(start, answer.charset or "utf-8", hide=self._secrets(end, headers))
        return Answered(
            status=answer.status, headers=answer.headers, answer=Answer(status=answer.status, took_s=took_s, body=shown)
        )

    async def look(self, url: str) -> None:
        """Check whether a receiver's address may be posted to, without a request. Raises ChatDown, RetryLater."""
        try:
            await self._egress.look(url)
        except Rejected as error:
            raise _of_one_end(error) from None

    async def fetch_token(self, end: EndOptions, oauth2: OAuth2Options) -> tuple[int, bytes]:
        """The answer to a request for a token: its status, and its body as far as it is one. Raises ChatDown, RetryLater."""
        doing = "fetching a token"
        login = aiohttp.encode_basic_auth(oauth2.client_id, oauth2.client_secret.get_secret_value())
        form = aiohttp.FormData({"grant_type": "client_credentials", **({"scope": oauth2.scope} if oauth2.scope else {})})
        headers = {"Authorization": login, "Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        try:
            payload = form().decode().encode()
            answer = await self._ask(end, oauth2.token_url, headers, payload)
            try:
                return answer.status, await _start_of(answer, _MOST_TOKEN_BYTES)
            finally:
                answer.close()
        except (Rejected, AccountDown, RetryLater) as error:
            raise _of_one_end(error) from None
        except TRANSPORT_ERRORS as error:
            raise _of_one_end(classify_transport_error(error, effect=Effect.IDEMPOTENT, doing=doing), error) from None

    async def _ask(self, end: EndOptions, url: str, headers: Mapping[str, str], body: bytes) -> aiohttp.ClientResponse:
        limit = aiohttp.ClientTimeout(total=self._options.request_timeout_s, sock_connect=_CONNECT_TIMEOUT_S)
        async with asyncio.timeout(self._options.request_timeout_s + _CONNECT_TIMEOUT_S):
            session = await self._session(end)
            return await self._egress.ask(session, url, method=self._options.method, headers=headers, timeout=limit, body=body)

    async def _session(self, end: EndOptions) -> aiohttp.ClientSession:
        key = None if end.client_cert is None else (end.client_cert, end.client_key)
        async with self._opening:
            if key not in self._sessions:
                context = await asyncio.to_thread(self._context, key)
                self._sessions[key] = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=context, limit=0),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    trace_configs=[departures(no_redirects())],
                    # a body that is packed wrongly, or to gigabytes, would cost the status that came before it
                    auto_decompress=False,
                    headers={"User-Agent": "messenger-bridge", "Accept-Encoding": "identity"},
                )
            return self._sessions[key]

    def _context(self, key: tuple[Path, Path | None] | None) -> ssl.SSLContext:
        if key is None:
            return client_context(self._options.ca_file)
        try:
            return context_with_certificate(self._options.ca_file, *key)
        except OSError as error:
            action = "put the certificate and its key there as PEM, or correct client_cert and client_key"
            raise ChatDown(f"client_cert cannot be used: {error.strerror or 'not PEM'}", action=action) from None

    def _secrets(self, end: EndOptions, headers: Mapping[str, str]) -> Iterator[str]:
        """Secrets that a response may repeat and that must not be logged."""
        for secret in (self._options.secret, end.secret, end.previous_secret):
            if secret is not None:
                yield secret.get_secret_value()
        for name in ("Authorization", "webhook-signature"):
            yield from headers.get(name, "").split()
        yield from _secrets_in(end.url or "")


def _secrets_in(url: str) -> Iterator[str]:
    """A url's tokens: a receiver that does not know a path repeats it (`Cannot POST /hooks/...`), as it came or decoded. What is
    short is a word such as `api`, and no token."""
    parsed = URL(url)
    yield url
    yield parsed.raw_path_qs
    yield f"{parsed.path}?{parsed.query_string}"
    values = [*parsed.parts, *parsed.raw_parts, *parsed.query.values()]
    yield from sorted((value for value in values if len(value) >= _SHORTEST_TOKEN), key=len, reverse=True)


def _of_one_end(error: BridgeError, cause: BaseException | None = None) -> BridgeError:
    """The error as one of this end alone, since each end has a server of its own: only a proxy concerns the whole account."""
    if isinstance(error, AccountDown) and not _is_proxys(error):
        return ChatDown(error.reason, action=error.action)
    if isinstance(error, Rejected):
        return ChatDown(error.reason, action="correct url of the end in bridge.yaml, or allow its host in allow_hosts")
    if isinstance(error, RetryLater) and error.scope is Scope.ACCOUNT and not isinstance(cause, aiohttp.ClientProxyConnectionError):
        return RetryLater(error.reason, after_s=error.after_s)
    return error


def _is_proxys(error: AccountDown) -> bool:
    return "proxy" in error.action


async def _start_of(answer: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """The start of the body, whatever its size."""
    start = bytearray()
    while len(start) < most_bytes and (piece := await answer.content.read(most_bytes - len(start))):
        start += piece
    return bytes(start)


async def _shown_of(answer: aiohttp.ClientResponse) -> bytes:
    """The start of a body that is only shown. The status has said what became of the message: a body that hangs, breaks or is coded
    wrongly changes nothing of that, and would let it be posted twice."""
    start = b""
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        return start  # although that was not accepted
    with suppress(*TRANSPORT_ERRORS):
        async with asyncio.timeout(_LONGEST_READ_S):
            start = await _start_of(answer, _MOST_READ_BYTES)
    return start


def showable(start: bytes, charset: str, *, hide: Iterator[str]) -> str:
    """The start of an answer on one line: without control characters, and without what `hide` names. A charset that is none of
    texts, or not known, is read as UTF-8."""
    try:
        text = start.decode(charset, "replace")
    except (LookupError, ValueError):
        text = start.decode("utf-8", "replace")
    for secret in hide:
        if len(secret) > 3:
            text = text.replace(secret, "***")
    text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())[:_MOST_SHOWN]
