"""Parses the body of a request: JSON, a form or plain text. Pure.

The content decides, not the declared type: senders declare JSON (`curl -d`) and plain text as a form. Sources: WHATWG
HTML, "URL-encoded form data" (`_charset_`); ntfy's docs/publish.md; developer.mattermost.com and docs.slack.dev (`payload=`), read
2026-11-26.
"""

from __future__ import annotations

import json
import re
from email.message import Message as _Mail
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from adapters.webhook.inbound.charset import words_of
from adapters.webhook.inbound.refusal import COMPRESSED, Refusal
from bridge.model.events import Attachment

MOST_FIELDS = 200
_CARRIERS = ("payload", "payload_json", "data")
"""Fields of a form that hold the whole payload as JSON: Slack's and Mattermost's, Discord's, Uptime Kuma's."""
_TAKEN = "send JSON, a form, plain text, or a file with its name in the header Filename"
_ENCODED = re.compile(rb"[A-Za-z0-9*\-._%+&=~!'()$,;:@/?\[\]]*")
_PAIR = re.compile(rb"[A-Za-z_][\w.\[\]-]{0,63}=")
_TEXT_FIELDS = frozenset(
    {b"text", b"message", b"title", b"body", b"msg", b"content", b"subject", *(name.encode() for name in _CARRIERS)}
)


class Kind(StrEnum):
    JSON = "json"
    FORM = "form"
    TEXT = "text"
    NOTHING = "nothing"


class Body(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind
    data: Any = None
    """The value of a JSON body."""
    text: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[Attachment, ...] = ()


NOTHING_BODY = Body(kind=Kind.NOTHING)


def type_of(content_type: str) -> tuple[str, str]:
    """The media type in lower case, and its charset parameter; empty if absent."""
    mail = _Mail()
    mail["Content-Type"] = content_type or "application/octet-stream"
    charset = mail.get_param("charset", "")
    return mail.get_content_type() if content_type else "", charset if isinstance(charset, str) else ""


def parse(raw: bytes, content_type: str) -> Body:
    """The parsed body. Raises Refusal (400, 415) if it cannot be read."""
    kind, charset = type_of(content_type)
    if raw.startswith(b"\x1f\x8b"):
        raise Refusal(415, COMPRESSED)
    start = raw.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if not start:
        return NOTHING_BODY
    if kind == "application/json" or kind.endswith("+json"):
        return Body(kind=Kind.JSON, data=json_of(raw, charset))
    if start in (b"{", b"["):
        found = _perhaps_json(raw, charset)
        if found is not None:
            return Body(kind=Kind.JSON, data=found)
        if kind not in ("text/plain", "text/markdown"):
            json_of(raw, charset)  # raises Refusal with the place of the error
    if kind == "application/x-www-form-urlencoded" and _is_form(raw):
        return of_fields(pairs_of(raw, charset))
    if kind and not (kind.startswith("text/") or kind in ("application/x-www-form-urlencoded", "application/octet-stream")):
        raise Refusal(415, f"{kind[:100]} is not read here: {_TAKEN}")
    return Body(kind=Kind.TEXT, text=words_of(raw, charset))


def json_of(raw: bytes, charset: str = "") -> Any:
    """The value. Raises Refusal with the place of the syntax error."""
    text = _json_text(raw, charset)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Refusal(400, f"the body is no JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is no JSON that can be read: it is nested too deeply, or a number is too long") from None


def _json_text(raw: bytes, charset: str) -> str:
    encoding = json.detect_encoding(raw)
    if encoding.startswith(("utf-16", "utf-32")):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            raise Refusal(400, "the body is no JSON: it is not UTF-8") from None
    return words_of(raw, charset)


def _perhaps_json(raw: bytes, charset: str) -> Any:
    try:
        found = json_of(raw, charset)
    except Refusal:
        return None
    return found if isinstance(found, dict | list) else None


def _is_form(raw: bytes) -> bool:
    """Whether it is a form: `curl -d "words"` declares any text as one. Browsers and libraries percent-encode all other characters;
    people type `text=some words`, which the name of the field gives away."""
    if b"=" not in raw:
        return False
    if _ENCODED.fullmatch(raw):
        return True
    return bool(_PAIR.match(raw)) and raw.partition(b"=")[0].lower() in _TEXT_FIELDS


def pairs_of(raw: bytes, charset: str = "") -> list[tuple[str, str]]:
    """The fields of a urlencoded form, in order. `_charset_` names the charset of the others. Raises Refusal."""
    pairs = [pair.partition(b"=") for pair in raw.split(b"&", MOST_FIELDS) if pair]
    if len(pairs) > MOST_FIELDS or (pairs and b"&" in pairs[-1][2]):
        raise Refusal(400, f"the form has more than {MOST_FIELDS} fields")
    plain = [(_unquoted(name), _unquoted(value)) for name, _, value in pairs]
    said = next((value.decode("ascii", "ignore") for name, value in plain if name == b"_charset_"), charset)
    return [(words_of(name, said), words_of(value, said)) for name, value in plain if name != b"_charset_"]


def _unquoted(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def of_fields(pairs: list[tuple[str, str]], files: tuple[Attachment, ...] = ()) -> Body:
    """The form, or the JSON in one of its fields. Raises Refusal."""
    for name, value in pairs:
        is_carried = name in _CARRIERS and value.lstrip()[:1] in ("{", "[")
        if is_carried and (name == "payload" or len(pairs) == 1 or _is_json(value)):
            return Body(kind=Kind.JSON, data=json_of(value.encode("utf-8", "replace")), files=files)
    return Body(kind=Kind.FORM, fields=tuple(pairs), files=files)


def _is_json(text: str) -> bool:
    return _perhaps_json(text.encode("utf-8", "replace"), "") is not None
