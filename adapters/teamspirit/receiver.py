"""Calls of the server to us: who may call is decided here, in constant time, before anything else is looked at. No network I/O of
its own: the web server is the core's, which calls `Receiver.handle`.

An event is confirmed (2xx) only after the intake has it on disk. Everything else is answered with a plain reason.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from adapters.teamspirit.dialect.query import find_text

if TYPE_CHECKING:
    from aiohttp import web

    from adapters.teamspirit.dialect.model import Authentication, SignatureCheck

LARGEST_BODY_BYTES = 1024**2
_FORM = "application/x-www-form-urlencoded"

Take = Callable[[Any, bytes], Awaitable[None]]
"""(payload, raw body): returns once it is safe to confirm. Payload None: authenticated, and not readable."""


class Refused(Exception):
    """The call is answered with this status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Credentials:
    """What the messenger showed when the webhook was made."""

    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


class Receiver:
    """One webhook of an account. `take` is None while the account is not connected: the server is then asked to come again."""

    def __init__(self, authentication: Authentication, credentials: Credentials, now_s: Callable[[], float] = time.time) -> None:
        self._authentication = authentication
        self._credentials = credentials
        self._now_s = now_s
        self.take: Take | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web  # the core's server is running, or nobody would have called

        if request.method != "POST":
            return web.Response(status=405, text="only POST\n", headers={"Allow": "POST"})
        if (request.content_length or 0) > LARGEST_BODY_BYTES:
            refusal = web.Response(status=413, text="too large\n")
            refusal.force_close()  # what is still coming is not waited for
            return refusal
        try:
            self._check_headers(request.headers, request.query)
            raw = await request.read()
            payload = self._checked(request.headers, request.content_type, raw)
        except Refused as refused:
            return web.Response(status=refused.status, text=f"{refused.reason}\n")
        if self.take is None:
            return web.Response(status=503, text="not connected; come again\n", headers={"Retry-After": "2"})
        await self.take(payload, raw)
        return web.Response(status=200)

    def _check_headers(self, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
        """All that is known before the body is read. Raises Refused."""
        key, check = self._authentication.key, self._authentication.signature
        if check is not None:
            if check.timestamp is not None:
                self._check_time(headers.get(check.timestamp.header, ""), check.timestamp.window_s)
            if not self._credentials.secret or not _signature(check, headers):
                raise Refused(401, "the signature is missing")
        if key is not None and key.place != "body":
            given = {"header": headers, "query": query}[key.place].get(key.name)
            if not same(given or "", self._credentials.key):
                raise Refused(401, "wrong key")

    def _checked(self, headers: Mapping[str, str], content_type: str, raw: bytes) -> Any:
        """The payload of a call that may come in; None if it is not readable, though authentic. Raises Refused."""
        key, signature = self._authentication.key, self._authentication.signature
        if signature is not None:
            self._check_signature(signature, headers, raw)
        payload = read_body(content_type, raw)
        if key is not None and key.place == "body":
            if payload is None:
                raise Refused(400, "the body is not readable")
            if not same(find_text(key.name, payload), self._credentials.key):
                raise Refused(401, "wrong key")
        return payload

    def _check_time(self, timestamp: str, window_s: float) -> None:
        try:
            age_s = abs(self._now_s() - float(timestamp))
        except ValueError:
            raise Refused(401, "the timestamp is missing or no number") from None
        # `not ... <=` also refuses a timestamp of nan
        if not age_s <= window_s:
            raise Refused(401, "the timestamp is too far from our clock")

    def _check_signature(self, check: SignatureCheck, headers: Mapping[str, str], raw: bytes) -> None:
        timestamp = headers.get(check.timestamp.header, "") if check.timestamp is not None else ""
        parts = {"timestamp": timestamp.encode("utf-8", "surrogatepass"), "body": raw}
        signed = b"".join(parts.get(part, part.encode()) for part in check.signed)
        made = hmac.new(self._credentials.secret.encode(), signed, getattr(hashlib, check.algorithm)).digest()
        if not hmac.compare_digest(made, _signature(check, headers)):
            raise Refused(401, "wrong signature")


def _signature(check: SignatureCheck, headers: Mapping[str, str]) -> bytes:
    """The signature that a call brings; empty if it has none, or none of this form."""
    given = headers.get(check.header, "")
    return _decoded(given.removeprefix(check.prefix), check.encoding) if given.startswith(check.prefix) else b""


def same(given: str, expected: str) -> bool:
    """Whether two keys are the same, in constant time; an empty one never is."""
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def read_body(content_type: str, raw: bytes) -> Any:
    """JSON, or a form as a mapping of texts; None for anything else."""
    try:
        if content_type == _FORM:
            return dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=1000))
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _decoded(signature: str, encoding: str) -> bytes:
    try:
        return bytes.fromhex(signature) if encoding == "hex" else base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return b""
