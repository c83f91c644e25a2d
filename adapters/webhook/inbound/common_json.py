"""Decodes JSON without a known schema, by common names for text, title and so on, as scripts use them. Pure.

It reads the fields of ntfy's JSON that ntfy shows (docs/publish.md, "Publish as JSON", read 2026-11-26). Other fields are not
shown."""

from __future__ import annotations

from typing import Any

from adapters.common.lenient import record, whole, words
from adapters.webhook.inbound.decode_content import decode_content
from adapters.webhook.inbound.decode_text import DecodePost, decode_text
from adapters.webhook.inbound.ntfy import priority_line, tags_line
from adapters.webhook.inbound.received import Said
from bridge.model.events import Attachment
from bridge.model.rich_text import concat, plain

TEXTS = ("text", "message", "body", "msg", "content", "description", "summary")
_TITLES = ("title", "subject", "heading")
_URLS = ("url", "link", "click", "title_link")
_AUTHORS = ("author", "username", "sender", "from", "user")
_AVATARS = ("avatar_url", "icon_url", "avatar", "icon")
_IDS = ("id", "fingerprint", "key", "incident_id", "alert_id", "dedup_key")
_OVER = frozenset({"resolved", "ok", "closed", "up", "recovered", "done"})
_FORMATS = {"markdown": "markdown", "md": "markdown", "mrkdwn": "mrkdwn", "text/markdown": "markdown"}
_MOST_FIELDS = 50


def decode_common(data: dict[str, Any], files: tuple[Attachment, ...], decode_post: DecodePost) -> Said | None:
    """None if it has nothing to show."""
    title, text = _first(data, _TITLES), _first(data, TEXTS)
    fields = _fields(data.get("fields"))
    url = _first(data, _URLS)
    if not (title or text or fields or files):
        return None
    written_in = _FORMATS.get(words(data.get("format")) or words(data.get("type")), "plain")
    if data.get("markdown") is True:
        written_in = "markdown"
    lines = [plain(line) for line in (priority_line(whole(data.get("priority")) or 3), tags_line(data.get("tags"))) if line]
    said = concat(decode_text(text, written_in, decode_post), *lines)
    return Said(
        content=decode_content(title=title, url=url, text=said, fields=fields, files=files),
        id=_first(data, _IDS),
        over=_is_over(data),
        author=_author(data),
        avatar_url=_first(data, _AVATARS),
    )


def _first(data: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := words(data.get(name)).strip())), "")


def _author(data: dict[str, Any]) -> str:
    for name in _AUTHORS:
        value = data.get(name)
        found = words(value) or words(record(value).get("name")) or words(record(value).get("username"))
        if found.strip():
            return found.strip()
    return ""


def _is_over(data: dict[str, Any]) -> bool:
    return data.get("over") is True or data.get("resolved") is True or words(data.get("status")).strip().lower() in _OVER


def _fields(value: object) -> list[tuple[str, str]]:
    """`{"Name": "value"}`, or a list of `{"name" or "title", "value"}`. Values other than texts, numbers and booleans are not
    shown."""
    if isinstance(value, dict):
        pairs = [(str(name), each) for name, each in value.items()]
    elif isinstance(value, list):
        pairs = [(words(record(each).get("name")) or words(record(each).get("title")), record(each).get("value")) for each in value]
    else:
        return []
    return [(name, shown) for name, each in pairs[:_MOST_FIELDS] if (shown := _scalar(each))]


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else words(value)
