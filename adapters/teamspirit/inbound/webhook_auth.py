"""Authenticates the server's calls to us by key, signature and time, before anything else is read. Constant time, pure.

What is refused says why, for the log and for the sender. Used by `webhook_endpoint`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.common.queries import find_text
from adapters.teamspirit.inbound.webhook_body import read_body, why_unreadable

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.events import Authentication, SignatureCheck

_A_CENTURY_S = 3.2e9


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


class WebhookAuth:
    """Who may call one webhook, and with what: any of the `credentials` will do, so that they can be changed while calls come in.
    `now_s`: the time, by the clock that calls are stamped by."""

    def __init__(self, authentication: Authentication, credentials: Sequence[Credentials], now_s: Callable[[], float]) -> None:
        self._authentication = authentication
        self._now_s = now_s
        self.credentials = credentials

    def check_headers(self, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
        """All that is known before the body is read. Raises Refused."""
        key, check = self._authentication.key, self._authentication.signature
        if check is not None:
            if check.timestamp is not None and check.timestamp.header is not None:
                self._check_time(headers.get(check.timestamp.header, ""), check.timestamp.window_s)
            if not any(one.secret for one in self.credentials) or not _signature(check, headers):
                raise Refused(401, "the signature is missing")
        if key is not None and key.place != "body":
            given = {"header": headers, "query": query}[key.place].get(key.name)
            if not self._knows(given or ""):
                raise Refused(401, "wrong key")

    def checked(self, headers: Mapping[str, str], content_type: str, charset: str | None, raw: bytes) -> Any:
        """The payload of a call that may come in; None if it is not readable, though authentic. Raises Refused."""
        key, signature = self._authentication.key, self._authentication.signature
        if signature is not None:
            self._check_signature(signature, headers, raw)
        payload = read_body(content_type, raw, charset)
        stamp = signature.timestamp if signature is not None else None
        if stamp is not None and stamp.body is not None:
            self._check_time(find_text(stamp.body, payload), stamp.window_s)
        if key is not None and key.place == "body":
            if payload is None:
                raise Refused(400, why_unreadable(raw))
            if not self._knows(find_text(key.name, payload)):
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
        timestamp = headers.get(check.timestamp.header or "", "") if check.timestamp is not None else ""
        parts = {"timestamp": timestamp.encode("utf-8", "surrogatepass"), "body": raw}
        signed = b"".join(parts.get(part, part.encode()) for part in check.signed)
        given = _signature(check, headers)
        secrets = [one.secret for one in self.credentials if one.secret]
        made = [hmac.new(secret.encode(), signed, getattr(hashlib, check.algorithm)).digest() for secret in secrets]
        fits = [hmac.compare_digest(one, given) for one in made]  # all of them: the time taken reveals nothing
        if True not in fits:
            raise Refused(401, "wrong signature")

    def _knows(self, key: str) -> bool:
        fits = [same(key, one.key) for one in self.credentials]
        return True in fits


def _signature(check: SignatureCheck, headers: Mapping[str, str]) -> bytes:
    """The signature that a call brings; empty if it has none, or none of this form."""
    given = headers.get(check.header, "")
    return _decoded(given.removeprefix(check.prefix), check.encoding) if given.startswith(check.prefix) else b""


def same(given: str, expected: str) -> bool:
    """Whether two keys are the same, in constant time; an empty one never is."""
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _decoded(signature: str, encoding: str) -> bytes:
    try:
        return bytes.fromhex(signature) if encoding == "hex" else base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return b""
