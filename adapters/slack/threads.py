"""The parents of threads: their author and first words, which replies do not contain; and which thread a reply is in.

Bounded; learned from passing messages, otherwise requested once. Without an answer in time a reply has no excerpt.
Called by `receiver`, `catch_up` and `sender`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
import structlog

from adapters.slack.identity import Identity
from adapters.slack.inbound.decode import created
from adapters.slack.inbound.decode_context import Context, Parent
from adapters.slack.lenient import Undecodable, convert, objects
from adapters.slack.names import NO_NAMES
from adapters.slack.transport import Transport
from adapters.slack.wire import Message
from bridge.model.errors import BridgeError
from bridge.model.events import ChatEvent, MessageCreated, MessageEdited
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of

log = structlog.get_logger("slack")

_T = TypeVar("_T")

Key = tuple[str, str]
"""Channel id and `ts`."""

_REMEMBERED = 2000
_EXCERPT_LENGTH = 200
_LOOKUP_LIMIT_S = 1.0
_UNKNOWN = Parent("", "")
_NOBODY = Context(Identity(AccountName("")), NO_NAMES, datetime.fromtimestamp(0, UTC))


def _remember(memory: OrderedDict[Key, _T], key: Key, value: _T) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)


class Threads:
    """Remembers the latest messages by what a reply to them would quote."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: OrderedDict[Key, Parent] = OrderedDict()
        self._parent_of: OrderedDict[Key, str] = OrderedDict()

    def learn(self, event: ChatEvent) -> None:
        """Remember a message, or its new text."""
        if isinstance(event, MessageCreated | MessageEdited):
            words = text_of(event.content.text) or ", ".join(entry.name for entry in event.content.attachments)
            name = event.meta.author.name if event.meta.author else ""
            chat_id, replied = event.meta.origin.chat_id, event.content.reply_to
            self._put((chat_id, event.message_id), Parent(name, words[:_EXCERPT_LENGTH]))
            self.learn_place(chat_id, event.message_id, replied.message_id if replied else None)

    def learn_place(self, channel: str, ts: str, parent: str | None) -> None:
        """Remember in which thread a message is; None: in none."""
        _remember(self._parent_of, (channel, ts), parent or ts)

    def _put(self, key: Key, parent: Parent) -> None:
        _remember(self._known, key, parent)

    async def parent_of(self, channel: str, ts: str) -> str:
        """The `ts` to post under in order to answer a message: its own, or that of the thread it is in."""
        key = (channel, ts)
        if key not in self._parent_of:
            parent = ts
            try:
                async with asyncio.timeout(_LOOKUP_LIMIT_S):
                    answer = await self._transport.call("conversations.replies", {"channel": channel, "ts": ts, "limit": 1})
                for entry in objects(answer.get("messages")):
                    if entry.get("ts") == ts:
                        parent = str(entry.get("thread_ts") or ts)
            except (BridgeError, TimeoutError) as error:
                log.info("thread not looked up", chat=channel, reason=str(error) or "no answer in time")
                return ts
            self.learn_place(channel, ts, parent)
        return self._parent_of[key]

    async def parents(self, wanted: Iterable[Key]) -> Mapping[Key, Parent]:
        """What is known, or can be asked in time, of these messages."""
        keys = set(wanted)
        missing = [key for key in keys if key not in self._known]
        if missing:
            try:
                async with asyncio.timeout(_LOOKUP_LIMIT_S), asyncio.TaskGroup() as group:
                    for key in missing:
                        group.create_task(self._load(key), name="slack thread lookup")
            except TimeoutError:
                log.info("threads not looked up in time", count=len(missing))
                for key in missing:
                    self._known.setdefault(key, _UNKNOWN)
        return {key: self._known[key] for key in keys if key in self._known}

    async def _load(self, key: Key) -> None:
        """Ask for a parent. An answer without it is remembered as well, so that nobody asks for every reply."""
        channel, ts = key
        parent = _UNKNOWN
        try:
            answer = await self._transport.call("conversations.replies", {"channel": channel, "ts": ts, "limit": 1})
            for entry in objects(answer.get("messages")):
                message = convert(entry, Message)
                if message.ts == ts:
                    event = created(message, channel, _NOBODY)
                    # the name of a person is known from the reply itself
                    parent = Parent(message.username or "", text_of(event.content.text)[:_EXCERPT_LENGTH])
        except (BridgeError, msgspec.ValidationError, Undecodable) as error:
            log.info("thread not looked up", chat=channel, reason=str(error))
        self._put(key, parent)
