"""What matterbridge's `[mattermost.*]` and `[rocketchat.*]` become: accounts with a dialect of that server. Its settings:
github.com/42wim/matterbridge, matterbridge.toml.sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.model.foreign_settings import ForeignSection

PROTOCOLS = ("mattermost", "rocketchat")

_HOW = "create a bot account (Mattermost: Integrations, Bot Accounts; Rocket.Chat: a personal access token) and give its token"


def account(section: ForeignSection) -> dict[str, Any]:
    """The options of an account."""
    protocol = section.place.partition(".")[0]
    server = section.text("Server")
    scheme = "http" if section.flag("NoTLS") else "https"
    token = section.secret("Token")
    hook = "" if token or protocol != "mattermost" else section.secret("WebhookURL")
    if hook:
        how = "give a bot's token (api_key), or set up an outgoing webhook (webhook)"
        section.note("WebhookURL", "posts into the channels, and nothing arrives by it", how)
    elif not token:
        section.note("Token", "is missing: a bot logs in by a token, not by a password", _HOW)
    others = ("Login", "Password", "Team", *(() if hook else ("WebhookURL", "WebhookBindAddress")))
    section.tell_given(others, "is not needed: the webhook is enough" if hook else "is not needed: the bot's token is enough")
    section.tell_given(("PrefixMessagesWithNick", "SkipVersionCheck", "UseUserName"), "is not needed")
    address = server if "://" in server else f"{scheme}://{server or 'im.example.com'}"
    if hook:
        section.tell_given(("WebhookBindAddress",), "cannot be kept", "set up an outgoing webhook that calls the bridge (webhook)")
        return {"dialect": protocol, **({"server": address} if server else {}), "incoming_webhook": hook}
    if not server:
        section.note("Server", "is missing", "write the server's address into the account's `server`")
    return {"dialect": protocol, "server": address, "api_key": token or "${" + protocol.upper() + "_TOKEN}"}


def chat(channel: str, options: Mapping[str, Any]) -> str:
    """The chat part of an address: the name of a channel, or its id after `ID:`. Raises ValueError if it is none."""
    name = channel[3:] if channel.lower().startswith("id:") else channel.removeprefix("#")
    if not name.strip():
        raise ValueError("a channel is its name in the URL, or ID: and its id")
    return name
