"""People and chats by name and id: the bot's identity, what it may receive, and which chat an address of bridge.yaml names."""

from __future__ import annotations

import re

import msgspec

from adapters.common.lenient import record, words
from adapters.telegram.errors import Refused
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call, full_name
from bridge.model.errors import AccountDown, ChatDown, ConnectionLost, DeliveryError


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The bot itself."""

    user_id: str
    names: tuple[str, ...]
    sees_all: bool
    """Privacy mode is off (`can_read_all_group_messages`)."""


class Directory:
    """Asks one account's server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def me(self) -> Me:
        """Raises AccountDown for a token that is refused, ConnectionLost for a server that does not say."""
        try:
            said = await self._transport.call(Call("GetMe", {}))
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from None
        if not isinstance(said, dict) or not words(said.get("id")):
            raise ConnectionLost("the server does not say who the bot is: it is no Bot API server")
        return Me(
            user_id=words(said["id"]),
            names=(full_name(said), words(said.get("username"))),
            sees_all=said.get("can_read_all_group_messages") is True,
        )

    async def resolve(self, address: str) -> str:
        """The chat's id for its id or `@name`. Raises ChatDown where there is none."""
        if re.fullmatch(r"-?\d+", address):
            return address
        try:
            chat = await self._transport.call(Call("GetChat", {"chat_id": address}))
        except Refused as refusal:
            raise ChatDown(refusal.reason, action="check the chat's name in bridge.yaml") from None
        return str(chat["id"])

    async def hears_all(self, *, before: bool) -> bool:
        """Whether privacy mode is off now; the previous value if that cannot be found out."""
        try:
            me = record(await self._transport.call(Call("GetMe", {})))
        except (DeliveryError, AccountDown):
            return before
        return me.get("can_read_all_group_messages") is True
