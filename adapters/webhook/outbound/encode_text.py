"""Rich text to what a receiver is sent, and how long it is there. Pure."""

from __future__ import annotations

import json
import re

from bridge.model.rich_text import Inline, RichText, Text, map_inlines, runs_by_line, to_plain

TEXT_BYTES = 8_500
"""Of a text as JSON: with its markdown, the author and a quotation a body is below 20 kB."""
_ALL_OF_A_CHANNEL = re.compile(r"@(?=(?:all|channel|everyone|here)\b)", re.IGNORECASE)


def encode_text(text: RichText) -> str:
    """Plain: items have bullets or numbers, quoted lines a > sign, and links their address behind the words."""
    has_links = any(isinstance(inline, Text) and inline.link for inlines in runs_by_line(text) for inline in inlines)
    return to_plain(map_inlines(text, _named) if has_links else text)


def _named(inline: Inline) -> Inline:
    """An address that shows itself is not written twice."""
    if isinstance(inline, Text) and inline.link and inline.text.strip() in (inline.link, _bare(inline.link)):
        return Text(inline.text, inline.marks)
    return inline


def _bare(link: str) -> str:
    return link.removeprefix("mailto:").removeprefix("tel:")


def json_bytes(text: str) -> int:
    """What the text takes in a JSON body."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")) - 2


def encode_slack(text: RichText, *, mass_mentions: bool = False) -> str:
    """As receivers of Slack's payload read it: `&`, `<` and `>` are markup, and Mattermost's `@all` and its like ping in plain
    text. Source: Slack's "Formatting text for app surfaces" (escaping), Mattermost's "Incoming webhooks", read 2026-11-26."""
    shown = encode_text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return shown if mass_mentions else _ALL_OF_A_CHANNEL.sub("@\u200b", shown)
