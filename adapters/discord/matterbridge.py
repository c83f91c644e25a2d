"""What matterbridge's `[discord.*]` becomes. Its settings: github.com/42wim/matterbridge, matterbridge.toml.sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.model.foreign_settings import ForeignSection

PROTOCOLS = ("discord",)


def account(section: ForeignSection) -> dict[str, Any]:
    """The options of an account."""
    if section.text("Token").lower().startswith("user "):
        section.note(
            "Token", "is a user's", "make a bot as adapters/discord/README.md describes: Discord forbids programs to be users"
        )
    ids = "write ids of channels if two servers have one of that name"
    section.tell_given(["Server"], "is not needed: a channel's id is unique", ids)
    section.tell_given(["WebhookURL"], "is not needed: the bot makes its own webhooks", "give it the right Manage Webhooks")
    if section.given("AllowMention") is None or "everyone" in section.words("AllowMention"):
        why = "@everyone from other messengers pings nobody here"
        section.note("AllowMention", why, "mass_mentions: [NAME] lets people of `people` do it")
    section.tell_given(("AutoWebhooks", "UseUserName", "UseDiscriminator", "UseLocalAvatar"), "is not needed")
    section.tell_given(("ShowEmbeds", "CustomStatus"), "has no counterpart")
    return {"token": section.secret("Token")}


def chat(channel: str, options: Mapping[str, Any]) -> str:
    """The chat part of an address: `#name`, or the id after `ID:`. Raises ValueError if it is none."""
    if channel.lower().startswith("id:"):
        return channel[3:].strip()
    _, _, name = channel.rpartition("/")
    if not name.strip("#"):
        raise ValueError("a Discord channel is its name, or ID: and its id")
    return "#" + name.removeprefix("#")
