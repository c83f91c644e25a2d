"""Failures of HTTP -> the bridge's errors, decided once for every platform. Pure, but for the note that `departures` makes.

It covers network failures (names, connections, TLS, proxies, time-outs, broken bodies) and the few answers that mean the same from
every server. The platform's own error codes are in its `errors`. Called by the platforms' transports.

The texts name the kind of failure, the host and the port, and never a URL: URLs hold tokens and tickets.
"""

from __future__ import annotations

import math
import os
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from types import SimpleNamespace
from typing import cast

import aiohttp

from bridge.model.errors import AccountDown, BridgeError, ConnectionLost, OutcomeUnknown, RetryLater, Scope

TRANSPORT_ERRORS = (aiohttp.ClientError, OSError, UnicodeDecodeError)
"""What a request can raise without an answer: `except` these. (TimeoutError and ssl.SSLError are kinds of OSError; the last one is
an answer whose text is none.)"""

BLOCKED_WAIT_S = 60.0
"""How long to wait after a refusal by a firewall or proxy in front of an API: such blocks last minutes, and new requests prolong
some."""

_NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError, aiohttp.InvalidURL)
"""No connection was made, so the request cannot have arrived. `departures` detects other such cases."""
_NOTE = "_request_never_left"

_CORRECT_ADDRESS = "correct the server's address in bridge.yaml"
_UNTRUSTED_ACTION = f"set ca_file to the CA that signed it, or {_CORRECT_ADDRESS}"
_RENEW = "have the server's certificate renewed, and see whether this machine's clock is right"
_OTHER_NAME = f"{_CORRECT_ADDRESS}, or give the server a certificate for this name"
_CERTIFICATE_ACTIONS: Mapping[int, str] = {9: _RENEW, 10: _RENEW, 62: _OTHER_NAME, 64: _OTHER_NAME}
"""By OpenSSL's X509_V_ERR code: not yet valid, expired, another host, another address. Source: openssl/x509_vfy.h of 3.0."""


class Effect(Enum):
    """The effect of executing a call twice: whether it may be repeated while its outcome is unknown."""

    CREATES = auto()
    """It creates something: without an answer its outcome is unknown."""
    IDEMPOTENT = auto()
    """A second time changes nothing (reading, editing, deleting, reacting, uploading): it is simply tried again."""


def departures(trace: aiohttp.TraceConfig) -> aiohttp.TraceConfig:
    """For every session: marks an error if its request was never sent. A tunnel that breaks while a proxy opens it raises the same
    error as a server that does not answer; only this mark distinguishes them. Added to `trace`: aiohttp tells each of its steps to
    each configuration that a session has."""

    async def leaves(_session: object, request: SimpleNamespace, _params: object) -> None:
        request.left = True

    async def failed(_session: object, request: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams) -> None:
        if not getattr(request, "left", False):
            setattr(params.exception, _NOTE, True)

    trace.on_request_headers_sent.append(leaves)
    trace.on_request_exception.append(failed)
    return trace


# -- requests without an answer -----------------------------------------------------------------------------------------------


def classify_transport_error(error: BaseException, *, effect: Effect, doing: str) -> BridgeError:
    """The error for a request without a usable answer. `doing` begins its text; `error` may be wrapped by a client library.

    AccountDown: a human must act (a certificate, a proxy's login or its rules). RetryLater for the account: the host was not
    reached. RetryLater for the chat, or for what creates OutcomeUnknown: the request left, and may have been carried out."""
    cause = next((each for each in _chain(error) if isinstance(each, TRANSPORT_ERRORS)), error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _certificate(cause, doing)
    if isinstance(cause, aiohttp.ClientResponseError) and cause.status == 407:
        return _proxy_login(doing)
    if isinstance(cause, aiohttp.ClientHttpProxyError) and cause.status in (401, 403):
        action = "let the proxy pass connections to this host, or correct proxy in bridge.yaml"
        return AccountDown(f"{doing}: the proxy refuses the connection (HTTP {cause.status})", action=action)
    if isinstance(cause, aiohttp.InvalidURL):
        return RetryLater(f"{doing}: its address is not a URL")
    if isinstance(cause, _NEVER_LEFT) or any(getattr(each, _NOTE, False) for each in _chain(error)):
        return RetryLater(f"{doing}: {_unreached(cause)}", scope=Scope.ACCOUNT)
    return may_be_done(f"{doing}: {_unanswered(cause)}", effect)


def classify_transfer_error(error: BaseException, *, doing: str) -> RetryLater:
    """The same for the transfer of one file, at an address from a message or an answer: its failure delays no account, and a
    repetition doubles nothing."""
    return RetryLater(classify_transport_error(error, effect=Effect.IDEMPOTENT, doing=doing).reason)


def classify_connection_error(error: BaseException, *, doing: str) -> AccountDown | ConnectionLost:
    """The same for a connection that only receives."""
    found = classify_transport_error(error, effect=Effect.IDEMPOTENT, doing=doing)
    if isinstance(found, AccountDown):
        return AccountDown(found.reason, action=found.action, sends=True)
    return ConnectionLost(found.reason)


def may_be_done(reason: str, effect: Effect, *, after_s: float | None = None) -> RetryLater | OutcomeUnknown:
    """The error for a call of which it is unknown whether it was executed."""
    return OutcomeUnknown(reason) if effect is Effect.CREATES else RetryLater(reason, after_s=after_s)


async def _one_attempt(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was sent; aiohttp does not repeat it
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


def middlewares_for(effect: Effect) -> tuple[aiohttp.ClientMiddlewareType, ...]:
    """For a call of a session. aiohttp repeats a PUT or DELETE once by itself when the connection breaks, even if the first one
    arrived (client.py, 3.14.5; read 2026-11-26). A call that creates something must not be repeated in secret."""
    return (_one_attempt,) if effect is Effect.CREATES else ()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _certificate(error: ssl.SSLCertVerificationError, doing: str) -> AccountDown:
    where, found = "", cast("Exception", error)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        where, found = f" of {error.host}:{error.port}", error.certificate_error
    action = _CERTIFICATE_ACTIONS.get(getattr(found, "verify_code", 0), _UNTRUSTED_ACTION)
    why = getattr(found, "verify_message", "") or "not valid"
    return AccountDown(f"{doing}: the certificate{where} is not trusted: {why}", action=action)


def _proxy_login(doing: str) -> AccountDown:
    action = "put the proxy's user and password into proxy in bridge.yaml: http://user:password@host:port"
    return AccountDown(f"{doing}: the proxy asks for another login (HTTP 407)", action=action)


def _unreached(cause: BaseException) -> str:
    match cause:
        case aiohttp.ClientHttpProxyError():
            return f"the proxy does not make the connection (HTTP {cause.status})"
        case aiohttp.ClientConnectorDNSError():
            return f"the name {cause.host} cannot be resolved"
        case aiohttp.ClientConnectorSSLError():
            return f"no TLS with {cause.host}:{cause.port} ({getattr(cause.os_error, 'reason', None) or 'handshake failed'})"
        case aiohttp.ClientConnectorError():
            whose = "the proxy " if isinstance(cause, aiohttp.ClientProxyConnectionError) else ""
            return f"{whose}{cause.host}:{cause.port} cannot be reached ({_os_words(cause.os_error)})"
        case TimeoutError():
            return "no connection in time"
        case _:
            return f"the connection broke before the request left ({type(cause).__name__})"


def _unanswered(cause: BaseException) -> str:
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, aiohttp.ClientPayloadError | aiohttp.ClientResponseError | UnicodeDecodeError):
        return f"an answer that cannot be used ({type(cause).__name__})"
    return f"the connection broke before the answer was there ({type(cause).__name__})"


def _os_words(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else type(error).__name__


# -- answers that mean the same whoever gives them ----------------------------------------------------------------------------


def classify_status(
    status: int, *, effect: Effect, reason: str, after_s: float | None = None, scope: Scope = Scope.CHAT
) -> BridgeError | None:
    """The error for an answer that means the same from every server, or None: then the platform's own table says. `after_s`: the
    wait that it asks for (`retry_after_s`); `scope`: of a rate limit. Source: RFC 9110 section 15, RFC 6585 section 4, RFC 8470
    section 5.2."""
    if status == 407:
        return _proxy_login(reason)
    if status == 429:
        return RetryLater(reason, after_s=after_s, scope=scope, rate_limited=True)
    if status in (408, 425):  # it was not read to its end, or is not done before the handshake is
        return RetryLater(reason, after_s=after_s)
    if status >= 500:  # a server failed at some point, before or after the work was done
        return may_be_done(reason, effect, after_s=after_s)
    return None


def classify_page(status: int, *, effect: Effect, reason: str, after_s: float | None = None) -> BridgeError:
    """The error for an answer that is not the API's: the page of a proxy, gateway or firewall in front of it. A refusal let nothing
    through; after any other the outcome is unknown."""
    found = classify_status(status, effect=effect, reason=reason, after_s=after_s, scope=Scope.ACCOUNT)
    if found is not None:
        return found
    if status >= 400:
        wait_s = BLOCKED_WAIT_S if after_s is None else after_s
        return RetryLater(f"{reason}; refused in front of the API", after_s=wait_s, scope=Scope.ACCOUNT)
    return may_be_done(f"{reason}; not an answer of the API", effect)


_A_MOMENT_S = 1e9
"""From here on a number of seconds is Unix time."""


def retry_after_s(headers: Mapping[str, str], name: str = "Retry-After") -> float | None:
    """The wait that an answer asks for, as seconds or as an HTTP date; None if there is none. A date is read against the answer's
    own `Date`: the two are of one clock. Source: RFC 9110 section 10.2.3. A number of more than 30 years is the moment itself, as
    Unix time in seconds or milliseconds: servers that limit rates by a header of their own give it so."""
    stated = str(headers.get(name) or "").strip()
    try:
        seconds = float(stated)
    except ValueError:
        due, now = _date(stated), _date(str(headers.get("Date") or "")) or datetime.now(UTC)
        return None if due is None else max((due - now).total_seconds(), 0.0)
    if not math.isfinite(seconds):
        return None
    if seconds >= _A_MOMENT_S:
        now = _date(str(headers.get("Date") or "")) or datetime.now(UTC)
        seconds = (seconds / 1000 if seconds >= 1000 * _A_MOMENT_S else seconds) - now.timestamp()
    return max(seconds, 0.0)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
