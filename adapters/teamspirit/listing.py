"""The part of the adapter that lists chats for an admin, where the dialect has an operation for it."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.teamspirit.client import Client
from bridge.model.abilities import ListedChat


class ListsChats:
    _client: Client

    async def chats(self) -> Sequence[ListedChat]:
        chats = sorted(await self._client.chats(), key=lambda chat: chat.title)
        return [ListedChat(address=chat.chat_id, name=chat.title or chat.name) for chat in chats]
