"""What matterbridge's `[telegram.*]` becomes. Its settings: github.com/42wim/matterbridge, matterbridge.toml.sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.model.foreign_settings import ForeignSection

PROTOCOLS = ("telegram",)


def account(section: ForeignSection) -> dict[str, Any]:
    """The options of an account."""
    section.tell_given(["MessageFormat"], "is not needed: formatting crosses by itself")
    section.tell_given(["UseInsecureURL"], "is refused: it would show the bot's token in links to files")
    section.tell_given(("QuoteDisable", "QuoteFormat", "QuoteLengthLimit"), "is not needed: replies are native")
    names = "sender: '{username}' shows usernames"
    section.tell_given(("UseFirstName", "UseFullName"), "is not needed: the full name is shown", names)
    section.tell_given(("MediaConvertWebPToPNG", "MediaConvertTgs"), "is not needed: media.convert does it where a target needs it")
    return {"token": section.secret("Token")}


def chat(channel: str, options: Mapping[str, Any]) -> str:
    """The chat part of an address: the id of a chat, and with `/` that of a topic. Raises ValueError if it is none."""
    chat_id, _, topic = channel.partition("/")
    if not chat_id.lstrip("-").isdecimal() or (topic and not topic.isdecimal()):
        raise ValueError("a Telegram chat is its id, such as -1001234567890")
    return channel
