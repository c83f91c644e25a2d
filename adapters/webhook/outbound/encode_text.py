"""Rich text to what a receiver is sent. Pure."""

from __future__ import annotations

from bridge.model.rich_text import RichText, text_of


def encode_text(text: RichText) -> str:
    return text_of(text)
