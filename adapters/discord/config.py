"""Options of a Discord account in bridge.yaml, and what an address behind `account/` may look like. Imports no client library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from adapters.common.options import HttpUrl, NetworkOptions, SecretStr
from bridge.errors import ConfigFault

API_URL = "https://discord.com/api/v10"
GATEWAY_URL = "wss://gateway.discord.gg"
CDN_URL = "https://cdn.discordapp.com"

_NAME = re.compile(r"#?[^\s/#@:`]{1,100}")


class DiscordOptions(NetworkOptions):
    """One bot on Discord."""

    token: SecretStr = Field(min_length=1, description="bot token, from the developer portal: Bot, Reset Token")
    post_as: Literal["webhook", "bot"] = Field(
        "webhook",
        description="webhook: copies carry their author's name and avatar, through a webhook that is made in each channel; "
        "bot: the bot posts, with the author's name in the text and native replies",
    )
    webhook_name: str = Field("messenger-bridge", min_length=1, max_length=80, description="name of the webhooks made in channels")
    members: bool = Field(
        False, description="report members who leave; needs the SERVER MEMBERS INTENT switch in the developer portal"
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


def check_options(options: object) -> Sequence[ConfigFault]:
    """Nothing beyond what the model says."""
    return ()


def check_address(address: str) -> str | None:
    """A channel's id (Developer Mode, Copy Channel ID), or its name if it is unique among the bot's servers."""
    if address.isdecimal():
        return None if 15 <= len(address) <= 20 else "a channel id has 17 to 20 digits"
    return None if _NAME.fullmatch(address) else "neither a channel id nor a channel name"


def check_thread(thread: str) -> str | None:
    return None if thread.isdecimal() and 15 <= len(thread) <= 20 else "a thread is written as its id, 17 to 20 digits"
