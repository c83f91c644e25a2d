"""What this process did a moment ago: messages that it posted, and chats that it renamed. It comes back as events, perhaps before
the journal knows of it."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.model.events import ChatEvent, ChatRenamed, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import ChatRef, MessageRef

_KEPT = 4096
"""Receipts are written within a second; fewer than this are sent in that time."""
_RENAMES_KEPT = 500
_RENAMED_S = 600.0
"""For so long the event of a renaming is waited for. After that it would be somebody else's."""


class Posted:
    """Bounded, in memory: what is on disk is known to the journal."""

    def __init__(self) -> None:
        self._messages: dict[MessageRef, None] = {}
        self._renamed: dict[ChatRef, tuple[set[str], float]] = {}

    def add(self, chat: ChatRef, message_ids: Iterable[str]) -> None:
        self._messages.update((MessageRef(chat, message_id), None) for message_id in message_ids)
        while len(self._messages) > _KEPT:
            del self._messages[next(iter(self._messages))]

    def renaming(self, chat: ChatRef, name: str, now_s: float) -> None:
        """The chat is given that name, or has it since."""
        names, _ = self._renamed.pop(chat, (set(), 0.0))
        self._renamed[chat] = {*names, _bare(name)}, now_s
        while len(self._renamed) > _RENAMES_KEPT:
            del self._renamed[next(iter(self._renamed))]

    def not_renamed(self, chat: ChatRef) -> None:
        self._renamed.pop(chat, None)

    def has(self, event: ChatEvent, now_s: float) -> bool:
        """Whether the event is one of these messages, edited or deleted perhaps, or one of these new names, which then is over."""
        if isinstance(event, ChatRenamed):
            names, since_s = self._renamed.get(event.meta.origin, (set[str](), 0.0))
            if event.meta.thread_id is not None or _bare(event.name) not in names:
                return False
            del self._renamed[event.meta.origin]
            return now_s - since_s < _RENAMED_S
        if not isinstance(event, MessageCreated | MessageEdited | MessageDeleted):
            return False
        return MessageRef(event.meta.origin, event.message_id) in self._messages


def _bare(name: str) -> str:
    """Platforms write names in small letters, with hyphens for spaces, and without what they do not like."""
    return "".join(char for char in name.casefold() if char.isalnum())
