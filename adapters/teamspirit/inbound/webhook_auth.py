"""Calls of the server to us: who may call is decided here, in constant time, before anything else is looked at. No network I/O of
its own: the web server is the core's, which calls `Receiver.handle`.

An event is confirmed (2xx) only after the intake has it on disk. Everything else is answered with a plain reason.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import codecs
import hashlib
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from adapters.common.http_body import AnswerRefused, check_json
from adapters.teamspirit.dialect.query import find_text
from adapters.teamspirit.inbound.decode_parts import load_json

if TYPE_CHECKING:
    from aiohttp import web

    from adapters.teamspirit.dialect.model import Authentication, SignatureCheck

LARGEST_BODY_BYTES = 1024**2
_FORM = "application/x-www-form-urlencoded"

_HELD_S = 3.0
_MOST_HELD = 64
_FORM_BODY = re.compile(rb"[\w.~%+\-\[\]]+=[^\s{}]*")
_CHARSETS = ("iso8859", "latin", "cp125", "koi8", "gb", "big5", "euc", "shift_jis", "mac")
"""What a body may be in that is not Unicode, by the beginning of Python's name. Some others take long to decode."""
_A_CENTURY_S = 3.2e9

Take = Callable[[Any, bytes], Awaitable[None]]
"""(payload, raw body): returns once it is safe to confirm. Payload None: authenticated, and not readable."""


class NotNow(Exception):
    """Raised by what takes calls: this one cannot be kept now, and is to come again."""


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

    def __init__(self, authentication: Authentication, credentials: Credentials | None, now_s: Callable[[], float]) -> None:
        """`credentials`: None while the server is asked for them. `now_s`: the time, by the clock that calls are stamped by."""
        self._authentication = authentication
        self._credentials = credentials or Credentials()
        self._now_s = now_s
        self._take: Take | None = None
        self._registered = asyncio.Event()
        self._connected = asyncio.Event()
        self.held = 0
        """Calls that wait now."""
        if credentials is not None:
            self._registered.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web  # the core's server is running, or nobody would have called

        if request.method != "POST":
            return web.Response(status=405, text="only POST\n", headers={"Allow": "POST"})
        if (request.content_length or 0) > LARGEST_BODY_BYTES:
            refusal = web.Response(status=413, text="too large\n")
            refusal.force_close()  # what is still coming is not waited for
            return refusal
        await self._hold(self._registered)
        try:
            self._check_headers(request.headers, request.query)
            raw = await request.read()
            payload = self._checked(request.headers, request.content_type, request.charset, raw)
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

    def renew(self, credentials: Credentials | None) -> None:
        """Other credentials from now on; None: the server is being asked for them, and calls wait."""
        self._credentials = credentials or Credentials()
        if credentials is None:
            self._registered.clear()
        else:
            self._registered.set()

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

    def _checked(self, headers: Mapping[str, str], content_type: str, charset: str | None, raw: bytes) -> Any:
        """The payload of a call that may come in; None if it is not readable, though authentic. Raises Refused."""
        key, signature = self._authentication.key, self._authentication.signature
        if signature is not None:
            self._check_signature(signature, headers, raw)
        payload = read_body(content_type, raw, charset)
        if key is not None and key.place == "body":
            if payload is None:
                raise Refused(400, why_unreadable(raw))
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
            how_far = f"{age_s:.0f} s" if age_s < _A_CENTURY_S else "ages"
            raise Refused(401, f"the timestamp is {how_far} from our clock, more than {window_s:g} s: one of the clocks is wrong")

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


def read_body(content_type: str, raw: bytes, charset: str | None = None) -> Any:
    """JSON, or a form as a mapping of texts; None for anything else. Senders often state another type than they send, so what the
    body looks like counts: a form whose only use is to carry JSON (`payload=...`) is that JSON."""
    try:
        text = _text(raw, charset)
        stripped = text.lstrip()
        if content_type == _FORM and not stripped.startswith(("{", "[")):
            return _form(text)
        try:
            check_json(stripped)
            return load_json(stripped)
        except ValueError:
            return _form(text) if _FORM_BODY.match(raw) else None
    except (ValueError, LookupError, RecursionError, AnswerRefused):
        return None


def why_unreadable(raw: bytes) -> str:
    """What is wrong with a body that `read_body` cannot read, for the sender's developers."""
    if raw.startswith(b"\x1f\x8b"):
        return "the body is compressed: send it as it is"
    if not raw.strip():
        return "the body is empty"
    try:
        text = _text(raw, None)
        check_json(text)
        load_json(text)
    except UnicodeDecodeError:
        return "the body is not UTF-8, and no charset says what it is"
    except json.JSONDecodeError as error:
        return f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
    except (ValueError, RecursionError, AnswerRefused):
        return "the body is nested too deeply, or too large in its parts"
    return "the body is not JSON of the stated charset"


def _text(raw: bytes, charset: str | None) -> str:
    """Raises UnicodeDecodeError, LookupError."""
    encoding = json.detect_encoding(raw)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        if charset is None or not codecs.lookup(charset).name.startswith(_CHARSETS):
            raise
        return raw.decode(charset)


def _form(text: str) -> Any:
    fields = dict(parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=1000))
    if list(fields) == ["payload"] and fields["payload"].lstrip().startswith("{"):
        check_json(fields["payload"])
        return load_json(fields["payload"])
    return fields


def _decoded(signature: str, encoding: str) -> bytes:
    try:
        return bytes.fromhex(signature) if encoding == "hex" else base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return b""
