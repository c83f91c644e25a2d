"""What an address of bridge.yaml may be on Telegram. Pure."""

from __future__ import annotations

import re


def check_address(address: str) -> str | None:
    """Why this cannot be a chat, or None."""
    if re.fullmatch(r"-?\d{1,19}", address) or re.fullmatch(r"@[A-Za-z]\w{3,31}", address, re.ASCII):
        return None
    return "a Telegram chat is a number like -1001234567890, or the @username of a public group or channel"


def check_thread(thread: str) -> str | None:
    """Why this cannot be a topic, or None."""
    if thread == "1":
        return "the General topic has no number of its own: leave it out"
    return None if re.fullmatch(r"[1-9]\d{0,18}", thread) else "a Telegram topic is a number"
