"""What senders write to rich text. Pure."""

from __future__ import annotations

from bridge.model.rich_text import RichText, plain


def decode_text(text: str) -> RichText:
    return plain(text)
