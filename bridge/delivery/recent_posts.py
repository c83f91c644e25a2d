"""What this process did a moment ago: messages that it posted, and chats that it renamed. It comes back as events, perhaps before
the journal knows of it."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.model.events import ChatEvent, ChatRenamed, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import ChatRef, MessageRef

_KEPT = 4096
"""Receipts are written within a second; fewer than this are sent in that time."""
_RENAMES_KEPT = 500
_NAMES_KEPT = 20
_RENAMED_S = 600.0
"""For so long the event of a renaming is waited for. After that it would be somebody else's."""


class Posted:
    """Bounded, in memory: what is on disk is known to the journal."""

    def __init__(self) -> None:
        self._messages: dict[MessageRef, None] = {}
        self._renamed: dict[ChatRef, tuple[list[set[str]], float]] = {}
        """Of each renaming the forms of its name, in the order in which they were made; and when the last one was."""

    def add(self, chat: ChatRef, message_ids: Iterable[str]) -> None:
        self._messages.update((MessageRef(chat, message_id), None) for message_id in message_ids)
        while len(self._messages) > _KEPT:
            del self._messages[next(iter(self._messages))]

    def renaming(self, chat: ChatRef, name: str, now_s: float) -> None:
        """The chat is given that name."""
        names, _ = self._renamed.pop(chat, ([], 0.0))
        is_again = bool(names) and _bare(name) in names[-1]
        self._renamed[chat] = names if is_again else [*names[1 - _NAMES_KEPT :], {_bare(name)}], now_s
        while len(self._renamed) > _RENAMES_KEPT:
            del self._renamed[next(iter(self._renamed))]

    def renamed(self, chat: ChatRef, name: str, told: str) -> None:
        """It was given that name, and the platform calls it so. Nothing if that came back already."""
        names, _ = self._renamed.get(chat, ([], 0.0))
        if names and _bare(name) in names[-1]:
            names[-1].add(_bare(told))

    def not_renamed(self, chat: ChatRef) -> None:
        self._renamed.pop(chat, None)

    def has(self, event: ChatEvent, now_s: float) -> bool:
        """Whether the event is one of these messages, edited or deleted perhaps, or one of these new names, which then is over
        with those before it."""
        if isinstance(event, ChatRenamed):
            names, since_s = self._renamed.get(event.meta.origin, ([], 0.0))
            at = next((number for number, forms in enumerate(names) if _bare(event.name) in forms), None)
            if event.meta.thread_id is not None or at is None:
                return False
            del names[: at + 1]  # those after it are still to be told
            return now_s - since_s < _RENAMED_S
        if not isinstance(event, MessageCreated | MessageEdited | MessageDeleted):
            return False
        return MessageRef(event.meta.origin, event.message_id) in self._messages


def _bare(name: str) -> str:
    """Platforms write names in small letters, with hyphens for spaces, and without what they do not like."""
    return "".join(char for char in name.casefold() if char.isalnum())
