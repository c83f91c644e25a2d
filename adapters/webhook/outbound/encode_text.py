"""Encodes rich text as plain text for receivers, and measures it. Pure."""

from __future__ import annotations

import json
import re

from bridge.model.rich_text import Inline, RichText, Text, map_inlines, runs_by_line, to_plain

TEXT_BYTES = 8_500
"""Limit of a text as JSON: with Markdown, author and quote, a body stays below 20 kB."""
_ALL_OF_A_CHANNEL = re.compile(r"@(?=(?:all|channel|everyone|here)\b)", re.IGNORECASE)


def encode_text(text: RichText) -> str:
    """Plain text: items have bullets or numbers, quoted lines a > sign, and links their address after the label."""
    has_links = any(isinstance(inline, Text) and inline.link for inlines in runs_by_line(text) for inline in inlines)
    return to_plain(map_inlines(text, _named) if has_links else text)


def _named(inline: Inline) -> Inline:
    """A link whose label is its address is written once."""
    if isinstance(inline, Text) and inline.link and inline.text.strip() in (inline.link, _bare(inline.link)):
        return Text(inline.text, inline.marks)
    return inline


def _bare(link: str) -> str:
    return link.removeprefix("mailto:").removeprefix("tel:")


def json_bytes(text: str) -> int:
    """The size of the text in a JSON body, in bytes."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")) - 2


def encode_slack(text: RichText, *, mass_mentions: bool = False) -> str:
    """Text for receivers of Slack's payload: `&`, `<` and `>` are escaped. Mattermost's `@all` and the like notify even in plain
    text. Source: Slack's "Formatting text for app surfaces" (escaping), Mattermost's "Incoming webhooks", read 2026-11-26."""
    shown = encode_text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return shown if mass_mentions else _ALL_OF_A_CHANNEL.sub("@\u200b", shown)
