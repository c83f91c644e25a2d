"""Options of a Discord account in bridge.yaml. Imports no client library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from adapters.common.options import HttpUrl, NetworkOptions, SecretStr
from adapters.common.tls import ca_file_faults
from adapters.discord.urls import API_URL, CDN_URL, GATEWAY_URL
from bridge.model.errors import ConfigFault


class DiscordOptions(NetworkOptions):
    """One bot on Discord."""

    token: SecretStr = Field(min_length=1, description="bot token, from the developer portal: Bot, Reset Token")
    post_as: Literal["webhook", "bot"] = Field(
        "webhook",
        description="webhook: copies carry their author's name and avatar, through a webhook that is created in each channel; "
        "bot: the bot posts, with the author's name in the text and native replies",
    )
    webhook_name: str = Field(
        "messenger-bridge", min_length=1, max_length=80, description="name of the webhooks created in channels"
    )
    members: bool = Field(
        False, description="report members who leave; needs the SERVER MEMBERS INTENT switch in the developer portal"
    )
    show_health: bool = Field(
        False, description="let the bot's own presence say how the bridge is: online, idle (connecting), dnd (a human must act)"
    )
    requests_per_s: float = Field(50.0, gt=0, description="most requests a second as the bot; Discord's own limit is 50")
    api_url: HttpUrl = Field(API_URL, description="base of the REST API")
    gateway_url: str = Field(GATEWAY_URL, description="websocket URL of the gateway")
    cdn_url: HttpUrl = Field(CDN_URL, description="base of avatars, emoji and stickers")

    @field_validator("gateway_url")
    @classmethod
    def _websocket_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise ValueError("not a ws:// or wss:// URL")
        return value.rstrip("/")

    @field_validator("webhook_name")
    @classmethod
    def _allowed_name(cls, value: str) -> str:
        for word in ("clyde", "discord"):
            if word in value.casefold():
                raise ValueError(f'Discord refuses webhook names that contain "{word}"')
        return value


Options = DiscordOptions


def check_options(options: DiscordOptions) -> Sequence[ConfigFault]:
    """Faults that the model does not express: a CA file that is none, a token that cannot be one."""
    faults = ca_file_faults(options.ca_file)
    token = options.token.get_secret_value().strip()
    if token.startswith("Bot ") or any(c.isspace() or not c.isascii() for c in token):
        faults.append(
            ConfigFault("not a bot token", key="token", hint="copy it from the developer portal, page Bot, nothing before it")
        )
    return faults
