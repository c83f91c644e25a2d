"""What a request says as a message's content. Pure; used by `decode`."""

from __future__ import annotations

from adapters.webhook.inbound.decode_text import decode_text
from bridge.model.events import Content


def decode_content(text: str) -> Content:
    return Content(text=decode_text(text))
