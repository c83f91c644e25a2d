"""Decodes plain text with its title and so on in headers, as `curl -H "Title: ..." -d "words"` sends it. Pure.

Source: ntfy's docs/publish.md ("Message title", "Message priority", "Tags & emojis", "Click action", "Icons", "Markdown
formatting", "UTF-8 headers": raw UTF-8 or RFC 2047), read 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Any

from adapters.webhook.inbound.charset import known
from adapters.webhook.inbound.decode_content import decode_content, web_address
from adapters.webhook.inbound.decode_text import DecodePost, decode_text
from adapters.webhook.inbound.received import Said
from bridge.model.events import Attachment
from bridge.model.rich_text import concat, plain

_NAMES = {
    "title": ("x-title", "title", "ti", "t"),
    "priority": ("x-priority", "priority", "prio", "p"),
    "tags": ("x-tags", "tags", "tag", "ta"),
    "click": ("x-click", "click"),
    "icon": ("x-icon", "icon"),
    "markdown": ("x-markdown", "markdown", "md"),
    "message": ("x-message", "message", "m"),
    "attach": ("x-attach", "attach", "a"),
    "id": ("x-sequence-id", "sequence-id", "sid"),
    "author": ("x-author", "author"),
}
_PRIORITIES = {"min": 1, "low": 2, "default": 3, "high": 4, "urgent": 5, "max": 5}
_NUMBERS = ("1", "2", "3", "4", "5")
_YES = ("1", "yes", "true")
_SHOWN = {4: "❗ high priority", 5: "‼️ highest priority"}
_MOST_TAGS = 20


def decode_words(
    text: str,
    files: tuple[Attachment, ...],
    headers: Mapping[str, str],
    query: Mapping[str, str],
    decode_post: DecodePost,
    *,
    is_markdown: bool = False,
) -> Said | None:
    """None if there is nothing to show. Values missing in the headers may be in the query: `?title=...`."""

    def told(name: str) -> str:
        return next((found for each in _NAMES[name] if (found := word(headers.get(each, "") or query.get(each, "")).strip())), "")

    title, text = told("title"), text.strip() or told("message")
    attached = web_address(told("attach"))
    if not (title or text or files or attached):
        return None
    written_in = "markdown" if is_markdown or told("markdown").lower() in _YES else "plain"
    given = told("priority").lower()
    priority = _PRIORITIES.get(given) or (int(given) if given in _NUMBERS else 3)
    lines = [priority_line(priority), tags_line(told("tags").split(",")), f"📎 {attached}" if attached else ""]
    said = concat(decode_text(text, written_in, decode_post), *(plain(line) for line in lines if line))
    return Said(
        content=decode_content(title=title, url=told("click"), text=said, files=files),
        id=told("id"),
        author=told("author"),
        avatar_url=web_address(told("icon")),
    )


def told_beside(headers: Mapping[str, str]) -> dict[str, Any]:
    """The values in headers for a message in JSON, under their JSON names."""

    def told(name: str) -> str:
        return next((found for each in _NAMES[name] if (found := word(headers.get(each, "")).strip())), "")

    given = told("priority").lower()
    return {
        "title": told("title"),
        "click": told("click"),
        "icon": told("icon"),
        "markdown": told("markdown").lower() in _YES,
        "tags": told("tags").split(","),
        "priority": _PRIORITIES.get(given) or (int(given) if given in _NUMBERS else 3),
    }


def priority_line(priority: int) -> str:
    return _SHOWN.get(priority, "")


def tags_line(tags: Any) -> str:
    if not isinstance(tags, list):
        return ""
    names = [" ".join(tag.split()) for tag in tags[:_MOST_TAGS] if isinstance(tag, str) and tag.strip()]
    return f"🏷️ {', '.join(names)}" if names else ""


def word(header: str) -> str:
    """A header's value: raw UTF-8 as aiohttp passes it on; RFC 2047 encoding is decoded here."""
    text = header.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if "=?" not in text:
        return text
    try:
        parts = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(
        part if isinstance(part, str) else part.decode(known(charset or "") or "utf-8", "replace") for part, charset in parts
    )
