"""A publisher's request, read from headers, query and body. Source: server/server.go of binwiederhier/ntfy, read 2026-11-26."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Any

from aiohttp import web

from messenger_bridge_ntfy.emulator.refusals import Refused

TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
SEQUENCE_ID = TOPIC
_RESERVED = frozenset({"docs", "static", "file", "app", "metrics", "account", "settings", "signup", "login", "v1"})
_URL = re.compile(r"https?://.+")
_PRIORITIES = {"min": 1, "low": 2, "default": 3, "high": 4, "max": 5, "urgent": 5}
_NAMES = {
    "title": ("x-title", "title", "t"),
    "message": ("x-message", "message", "m"),
    "priority": ("x-priority", "priority", "prio", "p"),
    "tags": ("x-tags", "tags", "tag", "ta"),
    "click": ("x-click", "click"),
    "icon": ("x-icon", "icon"),
    "attach": ("x-attach", "attach", "a"),
    "filename": ("x-filename", "filename", "file", "f"),
    "sequence_id": ("x-sequence-id", "sequence-id", "sid"),
    "cache": ("x-cache", "cache"),
    "markdown": ("x-markdown", "markdown", "md"),
    "actions": ("x-actions", "actions", "action"),
}


@dataclass
class Request:
    """One message as it is to be published; an attachment's bytes are in `content`."""

    topic: str
    title: str = ""
    message: str = ""
    priority: int = 0
    tags: list[str] = field(default_factory=list)
    click: str = ""
    icon: str = ""
    actions: list[dict[str, Any]] = field(default_factory=list)
    attach: str = ""
    filename: str = ""
    sequence_id: str = ""
    markdown: bool = False
    cache: bool = True
    content: bytes | None = None


def check_topic(topic: str) -> str:
    if not TOPIC.fullmatch(topic):
        raise Refused(40009)
    if topic in _RESERVED:
        raise Refused(40010)
    return topic


def from_parameters(request: web.Request, topic: str, body: bytes, *, most_bytes: int) -> Request:
    """A body is the message, unless a file's name is given, it is longer than a message, or is no text: then it is a file."""
    given = {name: _parameter(request.headers, request.query, keys) for name, keys in _NAMES.items()}
    asked = _asked(check_topic(topic), given)
    if asked.attach or not (asked.filename or len(body) > most_bytes or not _is_text(body)):
        if body:
            asked.message = body[:most_bytes].decode(errors="ignore").strip()
    else:
        asked.content = body
    return asked


def from_json(body: bytes, *, most_bytes: int) -> Request:
    """The request as one JSON object, posted to the server's root."""
    if len(body) > 2 * most_bytes:
        raise Refused(41303)
    try:
        found = json.loads(body)
        topic, given = found.pop("topic"), {**dict.fromkeys(_NAMES, ""), **found}
    except (ValueError, KeyError, AttributeError, TypeError):
        raise Refused(40017) from None
    asked = _asked(check_topic(topic), {**given, "actions": "", "tags": ""})
    asked.tags, asked.actions = list(given["tags"] or []), list(given["actions"] or [])
    if len(asked.message.encode()) > most_bytes:
        asked.content, asked.message = asked.message.encode(), ""
    return asked


def type_of(name: str, content: bytes) -> tuple[str, str]:
    """MIME type and extension of a file."""
    mime = mimetypes.guess_type(name)[0] or ("text/plain; charset=utf-8" if _is_text(content) else "application/octet-stream")
    return mime, mimetypes.guess_extension(mime.partition(";")[0]) or ".bin"


def _asked(topic: str, given: Mapping[str, Any]) -> Request:
    priority = _PRIORITIES.get(str(given["priority"]).lower(), given["priority"] or 0)
    if str(priority) not in ("0", "1", "2", "3", "4", "5"):
        raise Refused(40007)
    if given["attach"] and not _URL.fullmatch(given["attach"]):
        raise Refused(40013)
    if given["icon"] and not _URL.fullmatch(given["icon"]):
        raise Refused(40021)
    return Request(
        topic=topic,
        title=given["title"],
        message=str(given["message"]).replace("\\n", "\n"),
        priority=int(priority),
        tags=[tag.strip() for tag in str(given["tags"]).split(",") if tag.strip()],
        click=given["click"],
        icon=given["icon"],
        actions=[{"action": "view", "label": one} for one in str(given["actions"]).split(";") if one],
        attach=given["attach"],
        filename=given["filename"],
        sequence_id=given["sequence_id"],
        markdown=str(given["markdown"]).lower() in ("1", "yes", "true"),
        cache=str(given["cache"]).lower() not in ("0", "no", "false"),
    )


def _parameter(headers: Mapping[str, str], query: Mapping[str, str], names: tuple[str, ...]) -> str:
    """The first of a parameter's names that is there: as a header, where RFC 2047 is decoded, else in the query."""
    for name in names:
        if value := headers.get(name, "").strip():
            try:
                return str(make_header(decode_header(value)))
            except (HeaderParseError, UnicodeError, LookupError):
                return value
    return next((query[name] for name in names if query.get(name)), "")


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
