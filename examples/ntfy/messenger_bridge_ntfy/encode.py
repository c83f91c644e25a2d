"""An outbound message to the headers that go with it; its words or its file are the body. Pure."""

from __future__ import annotations

from base64 import b64encode

from bridge.model.adapter import Outbound
from bridge.model.rich_text import text_of


def headers_of(outbound: Outbound) -> dict[str, str]:
    headers = {"X-Sequence-ID": outbound.token}
    if outbound.silent:
        headers["Priority"] = "2"
    if outbound.sender is not None:
        headers["Title"] = _word(outbound.sender.name)
        if outbound.sender.avatar_url.startswith(("http://", "https://")):
            headers["Icon"] = outbound.sender.avatar_url
    if outbound.files:
        headers["Filename"] = _word(outbound.files[0].name)
        if words := text_of(outbound.text):  # the server takes the two characters \n for a line break here
            headers["Message"] = _word(words.replace("\\n", "\\\u2060n"))
    return headers


def _word(text: str) -> str:
    """A header takes ASCII; ntfy decodes RFC 2047."""
    return f"=?UTF-8?B?{b64encode(text.encode()).decode()}?="
