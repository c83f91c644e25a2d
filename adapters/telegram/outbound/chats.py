"""Chats renamed. Source: Bot API reference 10.3, setChatTitle: 1 to 128 characters, and the right to change the chat's info."""

from __future__ import annotations

from adapters.telegram.errors import Refused
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call

_MOST = 128
_SAME = ("chat_not_modified", "chat title is not modified")


async def rename_chat(transport: Transport, chat_id: str, name: str) -> str:
    """See `bridge.model.abilities.RenamesChats`."""
    title = name[:_MOST]
    try:
        await transport.call(Call("SetChatTitle", {"chat_id": chat_id, "title": title}))
    except Refused as refusal:
        if not refusal.says(*_SAME):
            raise
    return title
