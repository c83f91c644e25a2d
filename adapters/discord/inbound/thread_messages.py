"""Which messages are in which thread, kept for when the thread is deleted: Discord then reports the thread alone.

The core knows messages by their chat only, so each relayed thread has a cursor of its own with the ids of its latest messages,
stored with them. Called by `receiver` and `catch_up`. Source: API reference, "Thread Delete".
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from bridge.model.adapter import Cursor, Intake
from bridge.model.events import ChatEvent, MessageCreated

MESSAGES_KEPT = 200
THREADS_AT_HAND = 500
_PREFIX = "thread:"


class ThreadMessages:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._ids: OrderedDict[str, list[str]] = OrderedDict()

    async def noting(self, events: Iterable[ChatEvent]) -> list[Cursor]:
        """What to store with these events."""
        changed: dict[str, None] = {}
        routed = self._intake.routed_chats()
        for event in events:
            thread_id = event.meta.thread_id
            if not isinstance(event, MessageCreated) or event.meta.sent_by_us or thread_id is None:
                continue
            if event.meta.origin.chat_id not in routed:
                continue
            known = await self._of(thread_id)
            if event.message_id not in known:
                known.append(event.message_id)
                del known[:-MESSAGES_KEPT]
                changed[thread_id] = None
        return [Cursor(name=_PREFIX + thread_id, value=",".join(self._ids[thread_id])) for thread_id in changed]

    async def of(self, thread_id: str) -> list[str]:
        """Ids of the latest messages, oldest first."""
        return list(await self._of(thread_id))

    def forgotten(self, thread_id: str) -> Cursor:
        """What to store once the thread is gone."""
        self._ids.pop(thread_id, None)
        return Cursor(name=_PREFIX + thread_id, value="")

    async def _of(self, thread_id: str) -> list[str]:
        if thread_id not in self._ids:
            stored = await self._intake.cursor(_PREFIX + thread_id)
            self._ids[thread_id] = [one for one in (stored or "").split(",") if one]
            while len(self._ids) > THREADS_AT_HAND:
                self._ids.popitem(last=False)
        self._ids.move_to_end(thread_id)
        return self._ids[thread_id]
