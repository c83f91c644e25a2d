"""The names of topics, as Telegram tells them when a topic is made or renamed: it has no list of them (platforms.md 1.2).

They are kept as cursors, one per chat, with the place read to: what was confirmed to Telegram is not told again. Called by
`receiver` and `outbound.new_threads`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from adapters.common.lenient import record, words
from adapters.telegram.wire import Message
from bridge.model.adapter import Cursor, Intake

TOPICS_KEPT = 500
"""Of a chat: the latest that were made or renamed."""
_CHATS_AT_HAND = 200
_PREFIX = "topics:"


class Topic(msgspec.Struct, array_like=True):
    """`made_unix_s`: when the bot itself made it; 0 if somebody else did."""

    name: str
    made_unix_s: int = 0


def told_name(message: Message) -> str:
    """The name that a topic has by what this service message says."""
    fields: Mapping[str, Any] = message
    for field in ("forum_topic_created", "forum_topic_edited"):
        if name := words(record(fields.get(field)).get("name")):
            return name
    return ""


_decoder = msgspec.json.Decoder(dict[str, Topic])


class KnownTopics:
    """Of one account; outlives its connections."""

    def __init__(self) -> None:
        self._intake: Intake | None = None
        self._chats: OrderedDict[str, dict[str, Topic]] = OrderedDict()

    def begin(self, intake: Intake) -> None:
        self._intake = intake

    async def learn(self, chat_id: str, topic_id: str, name: str, *, made_by_us: datetime | None) -> Cursor:
        """A topic has that name now. Returns what to store with the event that says so."""
        topics = await self._of(chat_id)
        before = topics.pop(topic_id, None)
        made = int(made_by_us.timestamp()) if made_by_us is not None else before.made_unix_s if before is not None else 0
        topics[topic_id] = Topic(name, made)
        while len(topics) > TOPICS_KEPT:
            del topics[next(iter(topics))]
        return Cursor(name=_PREFIX + chat_id, value=msgspec.json.encode(topics).decode())

    async def load(self, chat_id: str) -> None:
        """For `name`."""
        await self._of(chat_id)

    def name(self, chat_id: str, topic_id: str) -> str:
        """Empty if it was never told, or the chat was not loaded."""
        topic = self._chats.get(chat_id, {}).get(topic_id)
        return topic.name if topic is not None else ""

    async def named(self, chat_id: str, name: str, *, made_since: datetime | None = None) -> str:
        """The id of the newest topic of that name; with `made_since` of those that the bot itself made since then. Empty: none."""
        found = [
            topic_id
            for topic_id, topic in (await self._of(chat_id)).items()
            if topic.name == name and (made_since is None or datetime.fromtimestamp(topic.made_unix_s, UTC) >= made_since)
        ]
        return max(found, key=int, default="")

    async def _of(self, chat_id: str) -> dict[str, Topic]:
        if chat_id not in self._chats:
            stored = await self._intake.cursor(_PREFIX + chat_id) if self._intake is not None else None
            try:
                self._chats[chat_id] = _decoder.decode(stored) if stored else {}
            except msgspec.MsgspecError:
                self._chats[chat_id] = {}  # of another version: names that are not known cost a name
            while len(self._chats) > _CHATS_AT_HAND:
                self._chats.popitem(last=False)
        self._chats.move_to_end(chat_id)
        return self._chats[chat_id]
