"""Presence of the bridge: that somebody types in a chat, and the bot's status. Used by `adapter`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.teamspirit.client import Client
from adapters.teamspirit.outbound.encode import Encoder, Values

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Operations


class Presence:
    def __init__(self, operations: Operations, encoder: Encoder, client: Client) -> None:
        self._operations = operations
        self._encoder = encoder
        self._client = client

    async def show_typing(self, chat_id: str, thread_id: str | None) -> None:
        call = self._operations.typing
        assert call is not None
        values: Values = {"chat": self._encoder.chat(chat_id), "message": {"thread": thread_id}}
        await self._client.call("typing", call, values)

    async def set_status(self, status: str, text: str) -> None:
        call = self._operations.set_status
        assert call is not None
        await self._client.call("set_status", call, {"status": {"name": status, "text": text}})
