"""What an address of bridge.yaml may be on a server of this kind. Pure."""

from __future__ import annotations


def check_address(address: str) -> str | None:
    """A chat is an id or a unique name: anything that is not empty and has no control characters."""
    if not address.strip():
        return "a chat's id or name is missing"
    return None if address.isprintable() else "a chat's id or name has no control characters"


def check_thread(thread: str) -> str | None:
    """A thread is the id of its first message."""
    return check_address(thread) and "a thread is the id of its first message"
