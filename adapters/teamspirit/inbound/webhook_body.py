"""Body of a call to us: JSON or a form, in Unicode or the charset that it states; why it cannot be read, for the sender. Pure.

Bounded in depth and size. Used by `webhook_auth` and `webhook_events`.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any
from urllib.parse import parse_qsl

from adapters.common.http_body import AnswerRefused, check_json
from adapters.teamspirit.wire import load_json

_FORM = "application/x-www-form-urlencoded"
_FORM_BODY = re.compile(rb"[\w.~%+\-\[\]]+=[^\s{}]*")
_CHARSETS = ("iso8859", "latin", "cp125", "koi8", "gb", "big5", "euc", "shift_jis", "mac")
"""What a body may be in that is not Unicode, by the beginning of Python's name. Some others take long to decode."""


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
