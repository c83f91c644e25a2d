"""Channels renamed. Source: API reference, "Modify Channel": 1 to 100 characters, the permission Manage Channels; text channels get
small letters and hyphens. Discord lets one channel be renamed twice in ten minutes [#discord/discord-api-docs#1900]."""

from __future__ import annotations

from adapters.discord.errors import MISSING_PERMISSIONS, Refused
from adapters.discord.lenient import mapping, text
from adapters.discord.transport import Route, Transport
from bridge.model.errors import Rejected

_MOST = 100


async def rename_chat(transport: Transport, channel_id: str, name: str) -> str:
    """See `bridge.model.abilities.RenamesChats`."""
    route = Route("PATCH", f"/channels/{channel_id}", f"/channels/{channel_id}/name")
    try:
        answer = mapping(await transport.call(route, json={"name": name[:_MOST]}))
    except Refused as refused:
        if refused.code == MISSING_PERMISSIONS:  # messages go on without it
            raise Rejected("the bot lacks Manage Channels there") from None
        raise refused.error from None
    return text(answer.get("name")) or name
