"""What matterbridge's `[telegram.*]` becomes. Its settings: github.com/42wim/matterbridge, matterbridge.toml.sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.model.foreign_settings import ForeignSection

PROTOCOLS = ("telegram",)


def account(section: ForeignSection) -> dict[str, Any]:
    """The options of an account."""
    if section.text("MessageFormat"):
        section.note("MessageFormat", "is not needed: formatting crosses by itself")
    if section.flag("UseInsecureURL"):
        section.note("UseInsecureURL", "is refused: it would show the bot's token in links to files")
    for key in ("QuoteDisable", "QuoteFormat", "QuoteLengthLimit"):
        if section.given(key) is not None:
            section.note(key, "is not needed: replies are native")
    for key in ("UseFirstName", "UseFullName"):
        if section.given(key) is not None:
            section.note(key, "is not needed: the full name is shown", "sender: '{username}' shows usernames")
    for key in ("MediaConvertWebPToPNG", "MediaConvertTgs"):
        if section.given(key) is not None:
            section.note(key, "has no counterpart")
    return {"token": section.secret("Token")}


def chat(channel: str, options: Mapping[str, Any]) -> str:
    """The chat part of an address: the id of a chat, and with `/` that of a topic. Raises ValueError if it is none."""
    chat_id, _, topic = channel.partition("/")
    if not chat_id.lstrip("-").isdecimal() or (topic and not topic.isdecimal()):
        raise ValueError("a Telegram chat is its id, such as -1001234567890")
    return channel
