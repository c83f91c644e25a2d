"""The part of the adapter that lists chats for an admin, where the dialect has an operation for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from adapters.teamspirit.addresses import check_address
from adapters.teamspirit.client import Client
from bridge.model.abilities import ListedChat


class ListsChats:
    _client: Client

    async def chats(self) -> Sequence[ListedChat]:
        chats = sorted(await self._client.chats(), key=lambda chat: chat.title)
        names = [chat.title or chat.name for chat in chats]
        known = Counter(name for chat in chats for name in {chat.title, chat.name})
        return [
            ListedChat(address=chat.chat_id, name=name, by_name=name if known[name] == 1 and _is_address(name) else "")
            for chat, name in zip(chats, names, strict=True)
        ]


def _is_address(name: str) -> bool:
    """What follows a slash would be a thread."""
    return "/" not in name and check_address(name) is None
