"""Builds a message's content from title, text and fields. Pure; used by all decoders."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from bridge.model.events import Attachment, Content
from bridge.model.rich_text import EMPTY, Inline, Mark, Paragraph, RichText, Text, concat, plain

LONGEST_FIELD = 4000
_LONGEST_TITLE = 500


def decode_content(
    *,
    title: str = "",
    url: str = "",
    text: RichText = EMPTY,
    fields: Iterable[tuple[str, str]] = (),
    files: tuple[Attachment, ...] = (),
) -> Content:
    """The title in bold, linked to the URL; the text; a line for each field; a URL without a title as the last line."""
    link = web_address(url)
    parts = [_line(Text(short(title, _LONGEST_TITLE), Mark.BOLD, link or None))] if title.strip() else []
    parts += [text, *(field(name, value) for name, value in fields)]
    if link and not title.strip():
        parts.append(_line(Text(link, 0, link)))
    return Content(text=concat(*parts), attachments=files)


def field(name: str, value: str) -> RichText:
    """`Name: value`; a value of several lines stands below its name."""
    value = short(value.strip(), LONGEST_FIELD)
    label = name.strip().removesuffix(":")
    if not label:
        return plain(value)
    if "\n" in value:
        return concat(_line(Text(f"{label}:", Mark.BOLD)), plain(value))
    link = web_address(value)
    return _line(Text(f"{label}: ", Mark.BOLD), Text(value, 0, link or None)) if value else EMPTY


def short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def web_address(url: str) -> str:
    """The URL if it is an http(s) link, else empty."""
    try:
        parts = urlsplit(url.strip())
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, url.strip()))
    except ValueError:
        return ""
    return url.strip() if is_one and len(url) <= 2000 else ""


def _line(*runs: Inline) -> RichText:
    return RichText((Paragraph(tuple(runs)),))
