"""The dialect's reading operations as methods: who we are, which chats and users there are, pages of history, webhooks.

It connects `encode` and `transport`; `directory` resolves chats and people by name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.common.http_errors import Effect
from adapters.common.platform_time import PlatformTime
from adapters.common.queries import find, find_text
from adapters.teamspirit.dialect.variables import variables_of
from adapters.teamspirit.errors import CHECK_CHAT, CHECK_SERVER, Gone, TooFar
from adapters.teamspirit.inbound.decode_parts import list_of, truth_of
from adapters.teamspirit.outbound.encode import Encoder, Values
from adapters.teamspirit.threads import Found
from adapters.teamspirit.transport import Transport
from adapters.teamspirit.web_links import web_url
from bridge.model.errors import AccountDown, ChatDown, Rejected, RetryLater
from bridge.model.events import Author

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Call, History, Operations

_MOST_CHAT_PAGES = 1000
_MOST_DIRECT_PAGES = 20
"""They are listed again and again."""
_MOST_PAGES_BACK = 200
_MOST_WEBHOOK_PAGES = 100


@dataclass(frozen=True)
class Chat:
    chat_id: str
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class DirectChat:
    """A private chat of one person and the bot."""

    chat_id: str
    latest: str = ""
    """When its latest message was sent, as the server writes it; empty if it does not say."""


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody whom the server tells of."""

    user_id: str
    username: str
    name: str
    email: str = ""


@dataclass(frozen=True)
class Registration:
    """A webhook that the server made for us."""

    webhook_id: str
    url: str


class Client:
    def __init__(self, operations: Operations, encoder: Encoder, transport: Transport) -> None:
        self._operations = operations
        self._encoder = encoder
        self._transport = transport
        self._by_kind = frozenset(name for name, call in operations if call is not None and "chat.kind" in variables_of(call))
        self._kinds: dict[str, str] = {}
        """Of the chats, where a call goes by it."""

    async def call(self, operation: str, call: Call, values: Values, effect: Effect = Effect.IDEMPOTENT) -> Any:
        """One call; its JSON answer. Raises a DeliveryError or AccountDown."""
        if operation in self._by_kind and "id" in (chat := values.get("chat") or {}):
            values = {**values, "chat": {**chat, "kind": await self._kind(chat["id"])}}
        return await self._transport.call(self._encoder.request(operation, call, values), effect)

    @property
    def time(self) -> PlatformTime:
        """The server's clock."""
        return self._transport.time

    @property
    def own_name(self) -> str:
        """Our name, once `identify` got it; empty if the dialect has none."""
        return self._encoder.me_name

    async def identify(self) -> str:
        """Ask who we are; returns our user id (empty if the dialect cannot tell). Raises AccountDown, DeliveryError."""
        me = self._operations.me
        if me is None:
            return ""
        try:
            answer = await self.call("me", me, {})
        except (Rejected, ChatDown) as error:
            raise AccountDown(error.reason, action=CHECK_SERVER) from None
        self._encoder.me_id = find_text(me.answer.id, answer)
        self._encoder.me_name = find_text(me.answer.name, answer)
        if not self._encoder.me_id:
            raise AccountDown(
                "me: the answer does not say who we are: this is not the server the dialect describes", action=CHECK_SERVER
            )
        return self._encoder.me_id

    # -- chats --------------------------------------------------------------------------------------------------------------

    async def chats(self) -> list[Chat]:
        """All chats that we are in. Raises a DeliveryError, AccountDown."""
        call = self._operations.chats
        assert call is not None, "the dialect lists no chats"
        fields, found, kinds = call.answer, list[Chat](), dict[str, str]()
        async for item in self._listed("chats", call, fields.items, fields.next_cursor):
            chat_id, name = find_text(fields.id, item), find_text(fields.name, item)
            if chat_id:
                found.append(Chat(chat_id, name, find_text(fields.title, item) or name))
                kinds[chat_id] = find_text(fields.kind, item)
        if self._by_kind:
            self._kinds = kinds
        return found

    async def direct_chats(self, most: int) -> list[DirectChat]:
        """Private chats of people with the bot, the first ones that the server lists. Raises a DeliveryError, AccountDown."""
        call = self._operations.direct_chats
        assert call is not None, "the dialect lists no private chats"
        fields, found = call.answer, dict[str, DirectChat]()
        async for item in self._listed("direct_chats", call, fields.items, fields.next_cursor, _MOST_DIRECT_PAGES):
            chat_id = find_text(fields.id, item)
            if chat_id:
                found[chat_id] = DirectChat(chat_id, find_text(fields.latest, item))
            if len(found) >= most:
                break
        return list(found.values())

    async def _listed(
        self, operation: str, call: Call, items: str, next_cursor: str | None, most_pages: int = _MOST_CHAT_PAGES
    ) -> AsyncIterator[Any]:
        """The items of a list that comes in pages. Raises a DeliveryError, AccountDown."""
        cursors: set[str] = set()
        cursor: str | None = None
        for _ in range(most_pages):
            answer = await self.call(operation, call, {"cursor": cursor})
            page = find(items, answer)
            if not isinstance(page, list):
                raise RetryLater(f"{operation}: the answer holds no list of chats")
            for item in page:
                yield item
            following = find_text(next_cursor, answer)
            if not following or following in cursors:
                return
            cursors.add(following)
            cursor = following

    async def _kind(self, chat_id: str) -> str:
        """What kind of chat it is. Raises ChatDown if the server does not list the chat, DeliveryError, AccountDown."""
        if not self._kinds.get(chat_id):
            await self.chats()
        kind = self._kinds.get(chat_id, "")
        if not kind:
            raise ChatDown(f"the server does not list the chat {chat_id}, or does not say of what kind it is", action=CHECK_CHAT)
        return kind

    # -- people and messages ------------------------------------------------------------------------------------------------

    async def user(self, user_id: str) -> Author | None:
        call = self._operations.users
        if call is None:
            return None
        answer = await self.call("users", call, {"user": {"id": user_id}})
        username = find_text(call.answer.username, answer)
        return Author(
            user_id=user_id,
            name=find_text(call.answer.name, answer).strip() or username,
            username=username,
            avatar_url=web_url(find_text(call.answer.avatar_url, answer)),
            is_bot=bool(find(call.answer.is_bot, answer)),
        )

    async def find_users(self, *, name: str = "", email: str = "") -> list[Known]:
        """Those whom the server tells by a name or an e-mail address, perhaps with others. Raises DeliveryError, AccountDown."""
        call = self._operations.find_users
        assert call is not None, "the dialect finds no people"
        try:
            answer = await self.call("find_users", call, {"user": {"name": name or None, "email": email or None}})
        except Gone:
            return []
        items, fields = list_of(find(call.answer.items, answer)), call.answer
        parts = (fields.id, fields.username, fields.name, fields.email)
        found = [Known(*(find_text(part, item).strip() for part in parts)) for item in items]
        return [one for one in found if one.user_id]

    async def is_member(self, chat_id: str, user_id: str) -> bool:
        """Whether a user is in a chat. Raises DeliveryError, AccountDown."""
        call = self._operations.member
        assert call is not None, "the dialect does not tell who is in a chat"
        try:
            answer = await self.call("member", call, {"chat": self._encoder.chat(chat_id), "user": {"id": user_id}})
        except Gone:
            return False
        return call.answer.is_member is None or truth_of(find(call.answer.is_member, answer))

    async def message(self, message_id: str) -> Found:
        """The thread of a message. Raises Rejected or ChatDown if the message does not exist (for us), RetryLater, AccountDown."""
        call = self._operations.message
        assert call is not None, "the dialect looks no message up"
        answer = await self.call("message", call, {"message": {"id": message_id}})
        fields = call.answer
        return Found(find_text(fields.thread, answer), find_text(fields.chat, answer), bool(find(fields.deleted, answer)))

    async def page(self, chat_id: str, after: str, since_ms: int | None) -> list[Any]:
        """A page of a chat's history, oldest first. Raises DeliveryError, AccountDown."""
        call = self._operations.history
        assert call is not None, "the dialect reads no history"
        values = {"chat": self._encoder.chat(chat_id), "after": after or None, "since_ms": since_ms, "limit": call.page_size}
        if after and call.answer.previous is not None:
            return await self._back_to(call, values, after)
        return (await self._messages(call, values))[0]

    async def _messages(self, call: History, values: Values) -> tuple[list[Any], str]:
        """The messages of one page, oldest first, and what leads to the page before."""
        answer = await self.call("history", call, values)
        items = find(call.answer.items, answer)
        if not isinstance(items, list):
            raise RetryLater("history: the answer holds no list of messages")
        return items, find_text(call.answer.previous, answer)

    async def _back_to(self, call: History, values: Values, after: str) -> list[Any]:
        """What comes after a message, of a server that pages backwards alone. Raises Gone if the message is not met."""
        found: list[Any] = []
        cursors = {""}
        cursor = ""
        for _ in range(_MOST_PAGES_BACK):
            items, following = await self._messages(call, {**values, "cursor": cursor or None})
            ids = [find_text(call.answer.id, item) for item in items]
            behind = [place for place, one in enumerate(ids) if one == after or _is_before(one, after)]
            if behind:
                return items[behind[-1] + 1 :] + found
            found = items + found
            if not items or following in cursors:
                raise Gone(f"history: {after} is not met on the way back")
            cursors.add(following)
            cursor = following
        raise TooFar(f"history: {after} is not met within {_MOST_PAGES_BACK} pages")

    # -- webhooks -----------------------------------------------------------------------------------------------------------

    async def webhooks(self) -> list[Registration]:
        """The outgoing webhooks that the server has for us."""
        call = self._operations.list_webhooks
        if call is None:
            return []
        found: dict[str, Registration] = {}
        cursors = {""}
        cursor = ""
        for _ in range(_MOST_WEBHOOK_PAGES):
            answer = await self.call("list_webhooks", call, {"cursor": cursor or None})
            for item in list_of(find(call.answer.items, answer)):
                webhook_id = find_text(call.answer.id, item)
                found.setdefault(webhook_id, Registration(webhook_id, find_text(call.answer.url, item)))
            cursor = find_text(call.answer.next_cursor, answer)
            if cursor in cursors:
                break
            cursors.add(cursor)
        return list(found.values())

    async def register_webhook(self, url: str, chat_ids: Sequence[str]) -> tuple[str, str, str]:
        """Ask the server to call `url` about these chats; returns the webhook's id, key and secret."""
        call = self._operations.register_webhook
        assert call is not None, "the dialect registers no webhooks"
        answer = await self.call("register_webhook", call, {"webhook": {"url": url, "chats": list(chat_ids)}})
        fields = call.answer
        return find_text(fields.id, answer), find_text(fields.key, answer), find_text(fields.secret, answer)

    async def remove_webhook(self, webhook_id: str) -> None:
        call = self._operations.remove_webhook
        if call is not None:
            await self.call("remove_webhook", call, {"webhook": {"id": webhook_id}})


def _is_before(message_id: str, other: str) -> bool:
    """Numbers that grow tell it; of other ids nobody can. They may have any length."""
    if not (message_id.isascii() and other.isascii() and message_id.isdecimal() and other.isdecimal()):
        return False
    one, two = message_id.lstrip("0"), other.lstrip("0")
    return (len(one), one) < (len(two), two)
