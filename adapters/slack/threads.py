"""What threads are about: author and first words of their parents, which replies do not carry. Called by `receiver` and `catch_up`.

Bounded; learned from the messages that pass, else asked for once. Without an answer in time a reply just has no excerpt.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec
import structlog

from adapters.slack.decode import Context, Identity, Parent, Undecodable, created
from adapters.slack.names import NO_NAMES
from adapters.slack.payloads import Message
from adapters.slack.transport import Transport
from bridge.errors import BridgeError
from bridge.events import ChatEvent, MessageCreated, MessageEdited
from bridge.refs import AccountName
from bridge.text import text_of

log = structlog.get_logger("slack")

Key = tuple[str, str]
"""Channel id and `ts`."""

_REMEMBERED = 2000
_EXCERPT_LENGTH = 200
_LOOKUP_LIMIT_S = 1.0
_UNKNOWN = Parent("", "")
_NOBODY = Context(Identity(AccountName("")), NO_NAMES, datetime.fromtimestamp(0, UTC))


class Threads:
    """Remembers the latest messages by what a reply to them would quote."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._known: OrderedDict[Key, Parent] = OrderedDict()

    def learn(self, event: ChatEvent) -> None:
        """Remember a message, or its new text."""
        if isinstance(event, MessageCreated | MessageEdited):
            words = text_of(event.content.text) or ", ".join(entry.name for entry in event.content.attachments)
            name = event.meta.author.name if event.meta.author else ""
            self._put((event.meta.origin.chat_id, event.message_id), Parent(name, words[:_EXCERPT_LENGTH]))

    def _put(self, key: Key, parent: Parent) -> None:
        self._known[key] = parent
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

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
            for entry in answer.get("messages") or []:
                message = msgspec.json.decode(msgspec.json.encode(entry), type=Message)
                if message.ts == ts:
                    event = created(message, channel, _NOBODY)
                    # the name of a person is known from the reply itself
                    parent = Parent(message.username or "", text_of(event.content.text)[:_EXCERPT_LENGTH])
        except (BridgeError, msgspec.DecodeError, Undecodable) as error:
            log.info("thread not looked up", chat=channel, reason=str(error))
        self._put(key, parent)
