"""Permissions: which bits the bot has in a channel. Pure. Used by `guild_cache`, and its bits by whoever asks for one.

Source: API reference, "Permissions" and "Permission Overwrites", August 2026.
"""

from __future__ import annotations

from adapters.discord.servers import Channel, Server

ADMINISTRATOR = 1 << 3
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16


def bits_in(channel: Channel, server: Server, user_id: str) -> int:
    """Of the bot with that id, in a channel that is no thread: everyone's role, own roles, then overwrites for everyone, roles,
    member. -1, which has every bit, for an owner or administrator."""
    bits = server.roles.get(server.id, ("", 0))[1]
    for role_id in server.own_roles:
        bits |= server.roles.get(role_id, ("", 0))[1]
    if bits & ADMINISTRATOR or server.owner_id == user_id:
        return -1
    by_id = {target: (allowed, denied) for target, allowed, denied in channel.overwrites}
    steps = [[by_id.get(server.id, (0, 0))], [by_id[r] for r in server.own_roles if r in by_id], [by_id.get(user_id, (0, 0))]]
    for step in steps:
        for _, denied in step:
            bits &= ~denied
        for allowed, _ in step:
            bits |= allowed
    return bits
