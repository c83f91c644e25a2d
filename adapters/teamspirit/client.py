"""The dialect's reading operations as methods: who we are, which chats and users there are, pages of history, webhooks.

Between `encode`, `transport` and those who ask: `adapter`, `receiver`, `probe`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.common.http_errors import Effect
from adapters.common.platform_time import PlatformTime
from adapters.common.queries import find, find_text
from adapters.teamspirit.errors import CHECK_CHAT, CHECK_SERVER, USE_ID, USE_ID_OR_ALLOW, is_forbidden
from adapters.teamspirit.outbound.encode import Encoder, Values
from adapters.teamspirit.threads import Found
from adapters.teamspirit.transport import Transport
from adapters.teamspirit.web_links import web_url
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, ChatDown, Rejected, RetryLater
from bridge.model.events import Author

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.calls import Call
    from adapters.teamspirit.dialect.model import Dialect

_CHATS_KEPT_S = 60.0
_MOMENT_S = 0.5
_MOST_CHAT_PAGES = 1000


@dataclass(frozen=True)
class Chat:
    chat_id: str
    name: str
    title: str


@dataclass(frozen=True)
class Registration:
    """A webhook that the server made for us."""

    webhook_id: str
    url: str


class Client:
    def __init__(self, dialect: Dialect, options: TeamSpiritOptions, encoder: Encoder, transport: Transport, clock: Clock) -> None:
        self._dialect = dialect
        self._options = options
        self._operations = dialect.operations
        self._encoder = encoder
        self._transport = transport
        self._clock = clock
        self._chats: list[Chat] = []
        self._chats_until_s = 0.0
        self._not_looked_up: dict[str, Rejected | ChatDown] = {}

    async def call(self, operation: str, call: Call, values: Values, effect: Effect = Effect.IDEMPOTENT) -> Any:
        """One call; its JSON answer. Raises a DeliveryError or AccountDown."""
        return await self._transport.call(self._encoder.request(operation, call, values), effect)

    @property
    def time(self) -> PlatformTime:
        """The server's clock."""
        return self._transport.time

    @property
    def own_name(self) -> str:
        """What we are called, once `identify` was told; empty if the dialect cannot tell."""
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

    async def resolve(self, address: str) -> str:
        """The chat's native id for its id or unique name. Raises ChatDown, RetryLater, AccountDown."""
        entry = self._options.chats.get(address)
        if entry is not None:
            return entry.id or address
        if self._operations.chats is None:
            if self._operations.send is not None:
                return address
            raise ChatDown(f"chat {address!r} is not among the account's chats", action="name it under chats in bridge.yaml")
        for fresh in (False, True):
            try:
                chats = await self.chats(fresh=fresh)
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
                raise ChatDown(f"several chats are named {address!r}", action="use the chat's id in bridge.yaml")
        raise ChatDown(f"there is no chat {address!r}, or the bot is not in it", action=CHECK_CHAT)

    def _explained(self, chat_id: str, error: ChatDown) -> ChatDown:
        """Why a chat is refused that may be a name, taken for an id because nobody could look it up."""
        refusal = self._not_looked_up.get(chat_id)
        if refusal is None:
            return error
        why = "the bot may not list chats" if is_forbidden(refusal) else "the server does not list chats"
        return ChatDown(
            f"{error.reason}; whether {chat_id!r} is a chat's name could not be looked up: {why} ({refusal.reason})",
            action=USE_ID_OR_ALLOW if is_forbidden(refusal) else USE_ID,
        )

    async def chats(self, *, fresh: bool = False) -> list[Chat]:
        """The chats we are in; asked for again after a minute, or when `fresh` and the answer is older than a moment."""
        now_s = self._clock.monotonic_s()
        if now_s > self._chats_until_s or (fresh and now_s > self._chats_until_s - _CHATS_KEPT_S + _MOMENT_S):
            self._chats = await self._all_chats()
            self._chats_until_s = now_s + _CHATS_KEPT_S
        return self._chats

    async def _all_chats(self) -> list[Chat]:
        call = self._operations.chats
        assert call is not None, "the dialect lists no chats"
        found: list[Chat] = []
        cursor: str | None = None
        for _ in range(_MOST_CHAT_PAGES):
            answer = await self.call("chats", call, {"cursor": cursor})
            items = find(call.answer.items, answer)
            if not isinstance(items, list):
                raise RetryLater("chats: the answer holds no list of chats")
            for item in items:
                name = find_text(call.answer.name, item)
                found.append(Chat(find_text(call.answer.id, item), name, find_text(call.answer.title, item) or name))
            following = find_text(call.answer.next_cursor, answer)
            if not following or following == cursor:
                break
            cursor = following
        return [chat for chat in found if chat.chat_id]

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

    async def message(self, message_id: str) -> Found:
        """What thread a message is in. Raises Rejected or ChatDown if it is not there (for us), RetryLater, AccountDown."""
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
        try:
            answer = await self.call("history", call, values)
        except ChatDown as error:
            raise self._explained(chat_id, error) from None
        items = find(call.answer.items, answer)
        if not isinstance(items, list):
            raise RetryLater("history: the answer holds no list of messages")
        return items

    # -- webhooks -----------------------------------------------------------------------------------------------------------

    async def webhooks(self) -> list[Registration]:
        """The outgoing webhooks that the server has for us."""
        call = self._operations.list_webhooks
        if call is None:
            return []
        answer = await self.call("list_webhooks", call, {})
        items = find(call.answer.items, answer)
        found = items if isinstance(items, list) else []
        return [Registration(find_text(call.answer.id, item), find_text(call.answer.url, item)) for item in found]

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
