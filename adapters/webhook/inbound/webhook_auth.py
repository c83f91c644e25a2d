"""Verifies signed requests: the sender knows the secret, and signed the raw body a short time ago. Pure; runs before parsing.

Sources: standard-webhooks/standard-webhooks, spec/standard-webhooks.md; docs.github.com "Validating webhook deliveries";
docs.gitlab.com "Webhooks" (secret token), read 2026-11-26.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.webhook.config import SignatureOptions


class NotSigned(Exception):
    """The request does not prove who wrote it. The text is for our log, never for the caller."""


def check(options: SignatureOptions, headers: Mapping[str, str], body: bytes, *now_s: float) -> str:
    """The identifier of the request, by which a repetition is recognised; empty if it has none. `now_s`: what may be the time, in
    Unix time: a request that was signed near one of them is not old. Raises NotSigned."""
    match options.scheme:
        case "standard":
            return _standard(options, headers, body, now_s)
        case "github":
            return _github(options, headers, body)
        case "gitlab":
            return _gitlab(options, headers)
        case _:
            return _hmac(options, headers, body, now_s)


def secrets_of(options: SignatureOptions) -> Iterator[str]:
    yield options.secret.get_secret_value()
    if options.previous_secret is not None:
        yield options.previous_secret.get_secret_value()


def standard_key(secret: str) -> bytes:
    """The bytes of `whsec_...`. A secret that is not base64 is used as text."""
    text = secret.removeprefix("whsec_")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def _standard(options: SignatureOptions, headers: Mapping[str, str], body: bytes, now_s: Sequence[float]) -> str:
    for prefix in ("webhook", "svix"):
        message_id, said_at = headers.get(f"{prefix}-id", ""), headers.get(f"{prefix}-timestamp", "")
        if message_id and said_at:
            break
    else:
        raise NotSigned("it has no webhook-id or webhook-timestamp")
    if "." in message_id:  # what is signed is joined by dots: with one in the id, another id and body would have the same signature
        raise NotSigned("its webhook-id has a dot in it")
    _check_moment(said_at, now_s, options.window_s)
    signed = b".".join((message_id.encode(), said_at.encode(), body))
    given = [each[3:] for each in headers.get(f"{prefix}-signature", "").split()[:20] if each.startswith("v1,")]
    wanted = [base64.b64encode(hmac.digest(standard_key(secret), signed, "sha256")).decode() for secret in secrets_of(options)]
    _check_any(given, wanted)
    return message_id


def _github(options: SignatureOptions, headers: Mapping[str, str], body: bytes) -> str:
    """The signature is the identifier, since GitHub's delivery id is not signed."""
    given = headers.get("x-hub-signature-256", "")
    _check_any([given], ["sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest() for secret in secrets_of(options)])
    return given


def _gitlab(options: SignatureOptions, headers: Mapping[str, str]) -> str:
    _check_any([headers.get("x-gitlab-token", "")], list(secrets_of(options)))
    return headers.get("idempotency-key", "") or headers.get("x-gitlab-event-uuid", "")


def _hmac(options: SignatureOptions, headers: Mapping[str, str], body: bytes, now_s: Sequence[float]) -> str:
    said_at = headers.get(options.timestamp_header.lower(), "") if options.timestamp_header else ""
    if options.timestamp_header:
        _check_moment(said_at, now_s, options.window_s)
    before, _, after = options.signed.partition("{body}")
    signed = before.replace("{timestamp}", said_at).encode() + body + after.replace("{timestamp}", said_at).encode()
    given = headers.get(options.header.lower(), "").strip()
    if options.prefix and not given.startswith(options.prefix):
        raise NotSigned("the signature is not there, or does not begin as it should")
    given = given.removeprefix(options.prefix)
    digests = [hmac.new(secret.encode(), signed, getattr(hashlib, options.digest)).digest() for secret in secrets_of(options)]
    if options.encoding == "hex":
        given, wanted = given.lower(), [each.hex() for each in digests]
    else:
        given, wanted = given.rstrip("="), [base64.b64encode(each).decode().rstrip("=") for each in digests]
    _check_any([given], wanted)
    return given  # in normal form: another spelling of the same signature is the same request


def _check_moment(said_at: str, now_s: Sequence[float], window_s: float) -> None:
    """Raises NotSigned outside the window, before and after."""
    if not said_at.isascii() or not said_at.isdecimal() or len(said_at) > 13:
        raise NotSigned("it does not say when it was signed")
    at_s = int(said_at) / (1000 if len(said_at) == 13 else 1)
    if all(abs(one - at_s) > window_s for one in now_s):
        raise NotSigned("it was signed too long ago, or in the future: are the sender's clock and ours right?")


def _check_any(given: list[str], wanted: list[str]) -> None:
    """Raises NotSigned unless a given signature is a wanted one. Every pair is compared, each in constant time."""
    pairs = [(one.encode("utf-8", "replace"), other.encode("utf-8", "replace")) for one in given for other in wanted]
    right = sum(hmac.compare_digest(one, other) for one, other in pairs)
    if not right:
        raise NotSigned("the signature is not there, or is not right")
