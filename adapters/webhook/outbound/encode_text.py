"""Rich text to what a receiver is sent, and how long it is there. Pure."""

from __future__ import annotations

import json
import re

from bridge.model.rich_text import RichText, text_of

_ALL_OF_A_CHANNEL = re.compile(r"@(?=(?:all|channel|everyone|here)\b)", re.IGNORECASE)


def encode_text(text: RichText) -> str:
    return text_of(text)


def json_bytes(text: RichText) -> int:
    """What the text takes in a JSON body."""
    return len(json.dumps(encode_text(text), ensure_ascii=False).encode("utf-8", "surrogatepass")) - 2


def encode_slack(text: RichText, *, mass_mentions: bool = False) -> str:
    """As receivers of Slack's payload read it: `&`, `<` and `>` are markup, and Mattermost's `@all` and its like ping in plain
    text. Source: Slack's "Formatting text for app surfaces" (escaping), Mattermost's "Incoming webhooks", read 2026-11-26."""
    shown = encode_text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return shown if mass_mentions else _ALL_OF_A_CHANNEL.sub("@\u200b", shown)
