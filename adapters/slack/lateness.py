"""Events that Slack delivers in the wrong order: a message after its own edit or deletion. Called by `receiver`.

An unacknowledged event comes again at once, after one minute and after five, while later ones pass it. What is remembered here is
only needed for that long.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from adapters.slack.decode_context import moment
from bridge.events import ChatEvent, Ignored, MessageCreated, MessageDeleted, MessageEdited

_WINDOW = timedelta(minutes=10)
_REMEMBERED = 5000


class Lateness:
    """`is_known` tells whether the core has an event of that key."""

    def __init__(self, is_known: Callable[[str], Awaitable[bool]]) -> None:
        self._is_known = is_known
        self._created: OrderedDict[str, None] = OrderedDict()
        self._deleted: OrderedDict[str, None] = OrderedDict()

    async def settle(self, event: ChatEvent, floor: str) -> ChatEvent | Ignored:
        """What the event is at this point. An edit of a message that never arrived is that message, with its latest words, if the
        chat was relayed by then (`floor` is the `ts` of its beginning); a message that was deleted before it arrived is nothing."""
        match event:
            case MessageCreated():
                key = _created_key(event)
                if key in self._deleted:
                    return Ignored("deleted before it arrived")
                _remember(self._created, key)
            case MessageDeleted():
                _remember(self._deleted, _created_key(event))
            case MessageEdited() if not event.meta.sent_by_us and event.message_id > floor:
                return await self._edited(event)
            case _:
                pass
        return event

    async def _edited(self, event: MessageEdited) -> ChatEvent:
        key = _created_key(event)
        posted_at = moment(event.message_id)
        if key in self._created or event.meta.received_at - posted_at > _WINDOW or await self._is_known(key):
            return event
        _remember(self._created, key)
        meta = msgspec.structs.replace(event.meta, event_key=key, occurred_at=posted_at)
        return MessageCreated(meta=meta, message_id=event.message_id, content=event.content)


def _created_key(event: MessageCreated | MessageEdited | MessageDeleted) -> str:
    origin = event.meta.origin
    return f"created:{origin.account}:{origin.chat_id}:{event.message_id}"


def _remember(keys: OrderedDict[str, None], key: str) -> None:
    keys[key] = None
    keys.move_to_end(key)
    while len(keys) > _REMEMBERED:
        keys.popitem(last=False)
