"""Channels renamed. Source: docs.slack.dev, conversations.rename: small letters, digits, hyphens and underscores, at most 80; the
scope channels:manage; only whoever made the channel, or an admin, may do it."""

from __future__ import annotations

import re

from adapters.slack.transport import Transport
from bridge.model.errors import Rejected

_MOST = 80
_OTHERS = re.compile(r"[^\w-]+|_{2,}")


async def rename_chat(transport: Transport, chat_id: str, name: str) -> str:
    """See `bridge.model.abilities.RenamesChats`."""
    wanted = channel_name(name)
    if not wanted:
        raise Rejected("nothing of the name can be one of Slack's")
    answer = await transport.call("conversations.rename", {"channel": chat_id, "name": wanted})
    channel = answer.get("channel")
    return str(channel.get("name") or wanted) if isinstance(channel, dict) else wanted


def channel_name(name: str) -> str:
    """As Slack writes names; empty if nothing is left."""
    return _OTHERS.sub("-", name.lower()).strip("-")[:_MOST].rstrip("-")
