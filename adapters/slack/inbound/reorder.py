"""Events that Slack delivers in the wrong order: a message after its own edit or deletion; an edit, a reaction or a pin after a
later one of the same.

An unacknowledged event comes again at once, after one minute and after five, while later ones pass it. What is remembered here is
only needed for that long. Called by `receiver`; lives as long as the account, since retries outlive a connection.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from adapters.slack.inbound.decode import digest
from adapters.slack.timestamps import moment, to_ts
from bridge.model.events import ChatEvent, Ignored, MessageCreated, MessageDeleted, MessageEdited, PinsChanged, ReactionsChanged
from bridge.model.refs import ChatRef

K = TypeVar("K")
V = TypeVar("V")
IsKnown = Callable[[str], Awaitable[bool]]
"""Whether the core has an event of that key."""

_WINDOW = timedelta(minutes=10)
_REMEMBERED = 5000


class LateEvents:
    """Remembers which messages, deletions and edits arrived recently."""

    def __init__(self) -> None:
        self._created: OrderedDict[str, None] = OrderedDict()
        self._deleted: OrderedDict[str, None] = OrderedDict()
        self._versions: OrderedDict[str, datetime] = OrderedDict()
        self._edits: OrderedDict[str, datetime] = OrderedDict()
        self._said: OrderedDict[str, str] = OrderedDict()
        self._marks: OrderedDict[tuple[str, ...], datetime] = OrderedDict()
        """Each person's reactions, and pins: when they were changed last."""

    def learn_version(self, chat: ChatRef, message_id: str, edited_at: datetime) -> None:
        """The message's text is known as of this time: older edits of it are ignored."""
        key = f"created:{chat.account}:{chat.chat_id}:{message_id}"
        _remember(self._versions, key, max(edited_at, self._versions.get(key, edited_at)))

    def says_otherwise(self, event: MessageCreated) -> bool:
        """Whether an app's message differs from when it was last seen. Its updates leave no mark in the history."""
        said = self._said.get(_created_key(event))
        return said is not None and said != digest(event.content)

    def heard(self, events: Iterable[ChatEvent]) -> None:
        """The core has these, from the history."""
        for event in events:
            if isinstance(event, MessageCreated | MessageEdited):
                self._hear(event)

    def _hear(self, event: MessageCreated | MessageEdited) -> None:
        if event.meta.author is not None and event.meta.author.is_bot and not event.meta.sent_by_us:
            _remember(self._said, _created_key(event), digest(event.content))

    def mark_accepted(self, keys: set[str]) -> None:
        """The core has these messages."""
        for key in keys:
            _remember(self._created, key, None)

    async def settle(self, event: ChatEvent, floor: str, arriving: set[str], is_known: IsKnown) -> ChatEvent | Ignored:
        """What the event is at this point. An edit of a message that never arrived is that message, with its latest words, if the
        chat was relayed by then (`floor` is the `ts` of its beginning); a message that was deleted before it arrived is nothing.
        Adds the keys of messages to `arriving`, which become `arrived` when the core has them."""
        match event:
            case MessageCreated():
                key = _created_key(event)
                if key in self._deleted:
                    return Ignored("deleted before it arrived")
                arriving.add(key)
                self._hear(event)
            case MessageDeleted():
                _remember(self._deleted, _created_key(event), None)
            case MessageEdited():
                return await self._edited(event, floor, arriving, is_known)
            case ReactionsChanged() | PinsChanged():
                return self._marked(event)
            case _:
                pass
        return event

    def _marked(self, event: ReactionsChanged | PinsChanged) -> ChatEvent | Ignored:
        """A reaction that is added and taken back tells of each in an event, and so does a pin: the later one counts."""
        origin, what = event.meta.origin, ["pin"]
        if isinstance(event, ReactionsChanged):
            what = [event.meta.author.user_id if event.meta.author else "", *event.added, *event.removed]
        key = (str(origin), event.message_id, *what)
        at = self._marks.get(key, event.meta.occurred_at)
        if event.meta.occurred_at < at:
            return Ignored("older than a change of the same reaction or pin that was here first")
        _remember(self._marks, key, event.meta.occurred_at)
        return event

    async def _edited(self, event: MessageEdited, floor: str, arriving: set[str], is_known: IsKnown) -> ChatEvent | Ignored:
        key = _created_key(event)
        known = self._versions.get(key)
        if known is not None and event.meta.occurred_at < known:
            return Ignored("older than an edit that was here first")
        _remember(self._versions, key, event.meta.occurred_at)
        event = self._distinct(event)
        self._hear(event)
        if event.meta.sent_by_us or event.message_id <= floor:
            return event
        posted_at = moment(event.message_id)
        if key in arriving or key in self._created or event.meta.occurred_at - posted_at > _WINDOW or await is_known(key):
            return event
        arriving.add(key)
        meta = msgspec.structs.replace(event.meta, event_key=key, occurred_at=posted_at)
        return MessageCreated(meta=meta, message_id=event.message_id, content=event.content)

    def _distinct(self, event: MessageEdited) -> MessageEdited:
        """An edit is named by its mark and words. Words that come back within the mark's second are another edit, not a repetition:
        that one has the time of the first."""
        key = event.meta.event_key
        first_at = self._edits.get(key)
        if first_at is None:
            _remember(self._edits, key, event.meta.occurred_at)
        return event if first_at in (None, event.meta.occurred_at) else _again(event)


def _again(event: MessageEdited) -> MessageEdited:
    key = f"{event.meta.event_key}:{to_ts(event.meta.occurred_at)}"
    return msgspec.structs.replace(event, meta=msgspec.structs.replace(event.meta, event_key=key))


def _created_key(event: MessageCreated | MessageEdited | MessageDeleted) -> str:
    origin = event.meta.origin
    return f"created:{origin.account}:{origin.chat_id}:{event.message_id}"


def _remember(keys: OrderedDict[K, V], key: K, value: V) -> None:
    keys[key] = value
    keys.move_to_end(key)
    while len(keys) > _REMEMBERED:
        keys.popitem(last=False)
