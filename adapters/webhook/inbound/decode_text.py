"""Decodes the text of senders to rich text. Pure.

Markdown and Slack's mrkdwn are decoded by the packages of those messengers (`AdapterContext.decode_post`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.model.events import Content
from bridge.model.rich_text import RichText, plain

DecodePost = Callable[[str, Any], Content | None]

_READERS = {"markdown": (("teamspirit", "text"), ("discord", "content")), "mrkdwn": (("slack", "text"),)}


def decode_text(text: str, written_in: str = "plain", decode_post: DecodePost | None = None) -> RichText:
    """`written_in`: plain, markdown or mrkdwn."""
    if decode_post is not None and text.strip():
        for platform, field in _READERS.get(written_in, ()):
            content = decode_post(platform, {field: text})
            if content is not None and content.text:
                return content.text
    return plain(text)
