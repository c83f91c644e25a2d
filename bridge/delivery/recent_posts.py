"""Messages that this process posted a moment ago: their receipts may not be on disk yet when they come back as events."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.model.events import ChatEvent, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import ChatRef, MessageRef

_KEPT = 4096
"""Receipts are written within a second; fewer than this are sent in that time."""


class Posted:
    """Bounded, in memory: what is on disk is known to the journal."""

    def __init__(self) -> None:
        self._messages: dict[MessageRef, None] = {}

    def add(self, chat: ChatRef, message_ids: Iterable[str]) -> None:
        self._messages.update((MessageRef(chat, message_id), None) for message_id in message_ids)
        while len(self._messages) > _KEPT:
            del self._messages[next(iter(self._messages))]

    def has(self, event: ChatEvent) -> bool:
        """Whether the event is one of these messages, edited or deleted perhaps."""
        if not isinstance(event, MessageCreated | MessageEdited | MessageDeleted):
            return False
        return MessageRef(event.meta.origin, event.message_id) in self._messages
