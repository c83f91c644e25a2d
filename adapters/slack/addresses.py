"""What an address of bridge.yaml may be on Slack. Pure. Called by the configuration and `channels`."""

from __future__ import annotations

import re

from adapters.slack.timestamps import is_ts

_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{5,20}")
_NAME = re.compile(r"#[^\s#/A-Z]{1,80}")


def is_channel_id(address: str) -> bool:
    return bool(_CHANNEL_ID.fullmatch(address))


def check_address(address: str) -> str | None:
    """Why this cannot be a channel, or None."""
    if _CHANNEL_ID.fullmatch(address) or _NAME.fullmatch(address):
        return None
    if re.fullmatch(r"[^\s#/A-Z]{1,80}", address):
        return f"a channel is written with its sign: #{address}"
    if address.startswith("#") and address != address.lower():
        return f"channel names are lower case: {address.lower()}"
    return "neither a channel name like #general nor a channel id like C024BE7LH"


def check_thread(thread: str) -> str | None:
    """Why this cannot be a thread, or None."""
    if is_ts(thread):
        return None
    return "a thread is the ts of its first message, like 1700000000.123456 (quoted)"
