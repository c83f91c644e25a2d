"""People and chats: the chat for an id or a name, the person for a user id. A bounded cache with expiry; asks through `client`.

Used by `adapter`, `probe` and what reads messages (`inbound`).
"""

from __future__ import annotations

import asyncio
import collections
from typing import TYPE_CHECKING, Any

from adapters.teamspirit.client import Chat, Client
from adapters.teamspirit.errors import CHECK_CHAT, USE_ID, USE_ID_OR_ALLOW, is_forbidden
from bridge.model.clock import Clock
from bridge.model.errors import BridgeError, ChatDown, Rejected
from bridge.model.events import Author

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.teamspirit.config import ChatOptions
    from adapters.teamspirit.dialect.calls import Operations

_CHATS_KEPT_S = 60.0
_MOMENT_S = 0.5
_MOST_NAMED = 10
"""Chats of one name that a fault lists."""
_PEOPLE_KEPT = 2000
_PEOPLE_KEPT_S = 3600.0
_FAILED_KEPT_S = 60.0


class Directory:
    """`named`: the account's `chats` in bridge.yaml."""

    def __init__(
        self, operations: Operations, named: Mapping[str, ChatOptions], client: Client, clock: Clock, *, by_name: bool = False
    ) -> None:
        """`by_name`: whether chats that are not among those are known by the names that the server gives them."""
        self._operations = operations
        self._named = named
        self._by_name = by_name
        self._aliases = {name: entry.id or name for name, entry in named.items()}
        self._client = client
        self._clock = clock
        self._chats: list[Chat] = []
        self._chats_until_s = 0.0
        self._not_looked_up: dict[str, Rejected | ChatDown] = {}
        self._people: collections.OrderedDict[str, tuple[float, Author | None]] = collections.OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    # -- chats --------------------------------------------------------------------------------------------------------------

    async def resolve(self, address: str) -> str:
        """The chat's native id for its id or unique name. Raises ChatDown, RetryLater, AccountDown."""
        entry = self._named.get(address)
        if entry is not None:
            return entry.id or address
        if self._operations.chats is None:
            if self._operations.send is not None or self._by_name:
                return address
            raise ChatDown(f"chat {address!r} is not among the account's chats", action="name it under chats in bridge.yaml")
        for fresh in (False, True):
            try:
                chats = await self._all_chats(fresh=fresh)
            except (Rejected, ChatDown) as error:
                # then only an id can be meant
                self._not_looked_up[address] = error
                return address
            self._not_looked_up.pop(address, None)
            found = {chat.chat_id for chat in chats if address == chat.chat_id}
            found = found or {chat.chat_id for chat in chats if address in (chat.name, chat.title)}
            if len(found) == 1:
                return found.pop()
            if len(found) > 1:
                which = ", ".join(sorted(found)[:_MOST_NAMED]) + (", ..." if len(found) > _MOST_NAMED else "")
                action = f"write the id of the one that is meant in bridge.yaml: {which}"
                raise ChatDown(f"{len(found)} chats are named {address!r}", action=action)
        raise ChatDown(f"there is no chat {address!r}, or the bot is not in it", action=CHECK_CHAT)

    def chat_id(self, native_id: str, name: str) -> str:
        """The id by which routes know a chat: a webhooks-only account may know it by its name alone."""
        if native_id in self._aliases.values():
            return native_id
        return self._aliases.get(name, name if self._by_name and name else native_id)

    async def page(self, chat_id: str, after: str, since_ms: int | None) -> list[Any]:
        """A page of a chat's history, oldest first. Raises DeliveryError, AccountDown; a refused chat id may really be a name that
        could not be looked up; then the error says so."""
        try:
            return await self._client.page(chat_id, after, since_ms)
        except ChatDown as error:
            refusal = self._not_looked_up.get(chat_id)
            if refusal is None:
                raise
            why = "the bot may not list chats" if is_forbidden(refusal) else "the server does not list chats"
            raise ChatDown(
                f"{error.reason}; whether {chat_id!r} is a chat's name could not be looked up: {why} ({refusal.reason})",
                action=USE_ID_OR_ALLOW if is_forbidden(refusal) else USE_ID,
            ) from None

    async def _all_chats(self, *, fresh: bool = False) -> list[Chat]:
        """The chats we are in; asked for again after a minute, or when `fresh` and the answer is older than a moment."""
        now_s = self._clock.monotonic_s()
        if now_s > self._chats_until_s or (fresh and now_s > self._chats_until_s - _CHATS_KEPT_S + _MOMENT_S):
            self._chats = await self._client.chats()
            self._chats_until_s = now_s + _CHATS_KEPT_S
        return self._chats

    # -- people -------------------------------------------------------------------------------------------------------------

    async def fill(self, author: Author) -> Author:
        """The author with a name: the server's, otherwise the id. Never fails: a missing name must not delay a message."""
        known = await self.person(author.user_id)
        if known is None:
            return Author(user_id=author.user_id, name=author.user_id, is_bot=author.is_bot)
        return Author(
            user_id=author.user_id,
            name=known.name or author.user_id,
            username=known.username,
            avatar_url=author.avatar_url or known.avatar_url,
            is_bot=author.is_bot or known.is_bot,
        )

    async def person(self, user_id: str) -> Author | None:
        """What the server says about a user; None if that cannot be found out. Failures are remembered for a minute, so that a
        missing right does not double every call."""
        if self._operations.users is None:
            return None
        async with self._one_at_a_time:
            until_s, found = self._people.get(user_id, (0.0, None))
            if until_s > self._clock.monotonic_s():
                return found
            try:
                found = await self._client.user(user_id)
            except BridgeError:
                found = None
            self._people[user_id] = (self._clock.monotonic_s() + (_PEOPLE_KEPT_S if found else _FAILED_KEPT_S), found)
            self._people.move_to_end(user_id)
            while len(self._people) > _PEOPLE_KEPT:
                self._people.popitem(last=False)
            return found
