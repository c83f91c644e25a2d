"""What an address of bridge.yaml may be on Discord. Pure."""

from __future__ import annotations

import re

_CHANNEL_NAME = re.compile(r"#?[^\s/#@:`]{1,100}")


def check_address(address: str) -> str | None:
    """A channel's id (Developer Mode, Copy Channel ID), or its name if it is unique among the bot's servers."""
    if address.isdecimal():
        return None if 15 <= len(address) <= 20 else "a Discord channel id has 17 to 20 digits"
    return None if _CHANNEL_NAME.fullmatch(address) else "a Discord channel is its id, or its name if only one has it"


def check_thread(thread: str) -> str | None:
    """Why this cannot be a thread, or None."""
    return None if thread.isdecimal() and 15 <= len(thread) <= 20 else "a Discord thread is its id, 17 to 20 digits"
