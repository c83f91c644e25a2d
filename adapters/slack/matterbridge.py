"""What matterbridge's `[slack.*]` becomes. Its settings: github.com/42wim/matterbridge, matterbridge.toml.sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.model.foreign_settings import ForeignSection

PROTOCOLS = ("slack", "slack-legacy")

_APP = "create an app as adapters/slack/README.md describes: the bridge needs a bot token (xoxb-) and an app-level token (xapp-)"


def account(section: ForeignSection) -> dict[str, Any]:
    """The options of an account."""
    is_bot = section.text("Token").startswith("xoxb-")
    if not is_bot:
        section.note("Token", "is no bot token", _APP)
    if not section.text("AppToken"):
        section.note("AppToken", "is missing", _APP)
    section.tell_given(("WebhookURL", "WebhookBindAddress"), "is not needed: the app posts and receives", _APP)
    section.tell_given(("UseFullName", "SyncTopic"), "has no counterpart")
    app_token = section.secret("AppToken") or "${SLACK_APP_TOKEN}"
    return {"bot_token": section.secret("Token") if is_bot else "${SLACK_BOT_TOKEN}", "app_token": app_token}


def chat(channel: str, options: Mapping[str, Any]) -> str:
    """The chat part of an address: `#name`, or the id after `ID:`. Raises ValueError if it is none."""
    if channel.lower().startswith("id:"):
        return channel[3:]
    if not channel.strip("#"):
        raise ValueError("a Slack channel is its name, or ID: and its id")
    return "#" + channel.removeprefix("#")
