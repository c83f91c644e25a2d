"""People and chats by name and id: the bot's identity, what it may receive, and which chat an address of bridge.yaml names."""

from __future__ import annotations

import re
from collections import OrderedDict

import msgspec

from adapters.common.lenient import record, whole, words
from adapters.telegram.errors import Refused
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call, full_name
from adapters.telegram.wire import chat_name as name_of
from bridge.model.errors import AccountDown, ChatDown, ConnectionLost, DeliveryError
from bridge.model.events import Attachment, AttachmentKind

_MOST_NAMES = 1000
_FACE_WIDTH = 160
"""Pixels: the smallest size of a picture that is as wide is taken. Telegram lists sizes from small to large."""


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
        self._public: OrderedDict[str, str] = OrderedDict()
        """Public names of chats in lower case, and their ids."""

    def learn(self, username: object, chat_id: str) -> None:
        """A chat has that public name now, if it has any."""
        name = words(username).lower()
        if name and self._public.get(name) != chat_id:
            self._public[name] = chat_id
            while len(self._public) > _MOST_NAMES:
                self._public.popitem(last=False)

    def chat_named(self, name: str) -> str:
        return self._public.get(name.removeprefix("@").lower(), "") if name.startswith("@") else ""

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
        self.learn(address.removeprefix("@"), str(chat["id"]))
        return str(chat["id"])

    async def chat_name(self, chat_id: str) -> str:
        """Source: getChat, Bot API 10.3: groups and channels have a title, people a name."""
        try:
            chat = record(await self._transport.call(Call("GetChat", {"chat_id": chat_id})))
        except (DeliveryError, AccountDown):
            return ""
        return name_of(chat)

    async def face(self, user_id: str) -> Attachment | None:
        """The picture of a user, or of a chat that speaks as itself (its id is negative); None: none, or not for bots. Sources:
        getUserProfilePhotos, getChat (ChatPhoto), Bot API 10.3."""
        if not user_id.removeprefix("-").isdecimal():  # somebody whom the bridge made up, as for a test of a route
            return None
        try:
            if user_id.startswith("-"):
                chat = record(await self._transport.call(Call("GetChat", {"chat_id": user_id})))
                photo = record(chat.get("photo"))
                return _picture(photo.get("small_file_id"), photo.get("small_file_unique_id"), None)
            answer = record(await self._transport.call(Call("GetUserProfilePhotos", {"user_id": user_id, "limit": 1})))
        except Refused:
            return None
        photos = answer.get("photos")
        sizes = [record(one) for one in photos[0]] if isinstance(photos, list) and photos and isinstance(photos[0], list) else []
        if not sizes:
            return None
        best = next((one for one in sizes if (whole(one.get("width")) or 0) >= _FACE_WIDTH), sizes[-1])
        return _picture(best.get("file_id"), best.get("file_unique_id"), whole(best.get("file_size")))

    async def hears_all(self, *, before: bool) -> bool:
        """Whether privacy mode is off now; the previous value if that cannot be found out."""
        try:
            me = record(await self._transport.call(Call("GetMe", {})))
        except (DeliveryError, AccountDown):
            return before
        return me.get("can_read_all_group_messages") is True


def _picture(file_id: object, unique_id: object, size_bytes: int | None) -> Attachment | None:
    if not words(file_id):
        return None
    return Attachment(kind=AttachmentKind.PHOTO, file_id=words(file_id), unique_id=words(unique_id), size_bytes=size_bytes)
