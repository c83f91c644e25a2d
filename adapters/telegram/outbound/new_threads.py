"""Topics of forums that the bridge makes, and those it looks for. Called by `adapter`.

Telegram cannot list topics (platforms.md 1.2), but tells of every one that is made or renamed, the bot's own included:
`inbound.topic_names` keeps their names. Source: createForumTopic (a name of 1 to 128 characters; the right can_manage_topics),
getChat (`is_forum`), Bot API 10.3; November 2026."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from adapters.common.http_errors import Effect
from adapters.common.lenient import record, words
from adapters.telegram.errors import Refused
from adapters.telegram.inbound.topic_names import KnownTopics
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call
from bridge.model.adapter import Copy
from bridge.model.clock import Clock
from bridge.model.errors import ChatDown, OutcomeUnknown, Rejected, RetryLater
from bridge.model.threads import OutboundThread

NAME_LENGTH = 128
_ASK_AGAIN_S = 600.0
_HEAR_AGAIN_S = 3.0
_MOST_CHATS = 5000
_CLOCKS_DIFFER = timedelta(minutes=5)


class NewThreads:
    """All of one account. `heard_s`: when, on the monotonic clock, Telegram last had nothing more to tell; None: not yet."""

    def __init__(self, transport: Transport, clock: Clock, known: KnownTopics, heard_s: Callable[[], float | None]) -> None:
        self._transport = transport
        self._clock = clock
        self._known = known
        self._heard_s = heard_s
        self._asked: dict[str, tuple[bool, float]] = {}
        """Whether a chat is a forum, and until when that is believed."""
        self._attempts: dict[str, float] = {}
        """By token: when this process last tried to make the topic."""

    async def opens_thread(self, chat_id: str, _begins_at: Copy | None) -> bool:
        is_forum, until_s = self._asked.get(chat_id, (False, 0.0))
        if until_s > self._clock.monotonic_s():
            return is_forum
        try:
            chat = record(await self._transport.call(Call("GetChat", {"chat_id": chat_id})))
        except ChatDown as error:
            raise Rejected(error.reason) from None
        if len(self._asked) >= _MOST_CHATS:
            self._asked.clear()
        is_forum = chat.get("is_forum") is True
        self._asked[chat_id] = (is_forum, self._clock.monotonic_s() + _ASK_AGAIN_S)
        return is_forum

    async def open_thread(self, thread: OutboundThread) -> str:
        params = {"chat_id": thread.chat_id, "name": thread.title[:NAME_LENGTH]}
        self._attempts[thread.token] = self._clock.monotonic_s()
        try:
            answer = record(await self._transport.call(Call("CreateForumTopic", params), effect=Effect.CREATES))
        except Refused as refusal:
            self._attempts.pop(thread.token, None)
            if refusal.says("not a forum"):
                self._asked.pop(thread.chat_id, None)
            raise
        topic_id = words(answer.get("message_thread_id"))
        if not topic_id:
            raise OutcomeUnknown("Telegram took the topic, and its answer does not say which it became")
        self._attempts.pop(thread.token, None)
        return topic_id

    async def find_thread(self, thread: OutboundThread, since: datetime | None) -> str:
        """Among those that Telegram told of. After an attempt it is asked for only once everything until now was heard."""
        name = thread.title[:NAME_LENGTH]
        if since is None:
            return await self._known.named(thread.chat_id, name)
        heard_s = self._heard_s()
        if heard_s is None or heard_s <= self._attempts.get(thread.token, 0.0):
            raise RetryLater("Telegram has not told yet which topics there are", after_s=_HEAR_AGAIN_S)
        found = await self._known.named(thread.chat_id, name, made_since=since - _CLOCKS_DIFFER)
        self._attempts.pop(thread.token, None)
        return found
