"""Incoming albums: N messages with one `media_group_id`, no count and no end mark (platforms.md 1.2). Pure.

A group is complete when nothing more arrived for some time, when it is full, or when the chat continues with something else. That
time is `Listened`: while a batch is stored, or the process does not run, the rest of an album waits at Telegram.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from adapters.telegram.inbound.decoded import AlbumItem
from adapters.telegram.wire import Message

ALBUM_MAX = 10
"""Most files in one album. Source: platforms.md 1.3."""
GROUPS_MAX = 200
"""Groups held at the same time; with more, the oldest goes on as it is."""


_LATE_S = 0.05
_LATE_IN_A_ROW = 5
"""A process that never runs in time goes on nevertheless."""
_MOST_WAITS, _LEAST_BOUND_S = 5, 5.0
"""In a chat so busy that hardly anything is listened for, an album waits for so many times its wait, and at least for so long."""


class Listened:
    """The time in which the rest of an album could have come, on a clock of its own."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._late = 0

    def waited(self, took_s: float, at_most_s: float | None) -> None:
        """A poll was under way and the process waited for it. One that woke late may have something to read: half of it counts."""
        if at_most_s is None or took_s - at_most_s <= _LATE_S:
            self._late = 0
        elif self._late < _LATE_IN_A_ROW:
            self._late += 1
            took_s = at_most_s / 2
        self.now_s += took_s


@dataclass(slots=True)
class _Group:
    chat_id: str
    last_at_s: float
    last_real_s: float
    messages: list[Message] = field(default_factory=list)


class Albums:
    """Groups by chat and media group id, oldest first. Times are those of `Listened`; `real_s` are of the monotonic clock."""

    def __init__(self, *, wait_s: float) -> None:
        self._wait_s = wait_s
        self._bound_s = max(_MOST_WAITS * wait_s, _LEAST_BOUND_S)
        self._groups: dict[str, _Group] = {}

    def add(self, item: AlbumItem, now_s: float, real_s: float = 0.0) -> list[list[Message]]:
        """Keep one message; gives back what is complete now: earlier groups of that chat, and this one if it is full."""
        message = item.message
        chat_id = str(message["chat"]["id"])
        complete = self._pop(lambda key, group: group.chat_id == chat_id and key != item.group)
        group = self._groups.setdefault(item.group, _Group(chat_id, now_s, real_s))
        group.last_at_s, group.last_real_s = now_s, real_s
        if all(kept["message_id"] != message["message_id"] for kept in group.messages):
            group.messages.append(message)
        if len(group.messages) >= ALBUM_MAX:
            complete += self._pop(lambda key, _: key == item.group)
        if len(self._groups) > GROUPS_MAX:
            oldest = next(iter(self._groups))
            complete += self._pop(lambda key, _: key == oldest)
        return complete

    def edit(self, message: Message) -> bool:
        """Whether this edit is of a message that is kept; it then says from the start what it says now."""
        for group in self._groups.values():
            for place, kept in enumerate(group.messages):
                if kept["message_id"] == message["message_id"] and kept["chat"]["id"] == message["chat"]["id"]:
                    group.messages[place] = message
                    return True
        return False

    def of_chat(self, chat_id: str) -> list[list[Message]]:
        """The groups of a chat, complete because something else follows there."""
        return self._pop(lambda _, group: group.chat_id == chat_id) if self._groups else []

    def due(self, now_s: float, real_s: float = 0.0) -> list[list[Message]]:
        """The groups for which nothing came for long enough."""
        return self._pop(lambda _, group: now_s - group.last_at_s >= self._wait_s or real_s - group.last_real_s >= self._bound_s)

    def due_in_s(self, now_s: float) -> float | None:
        """How long until the next group is complete; None when there is none."""
        if not self._groups:
            return None
        return max(min(group.last_at_s for group in self._groups.values()) + self._wait_s - now_s, 0.0)

    def held(self) -> list[Message]:
        """Everything kept, in order, for the cursor."""
        return [message for group in self._groups.values() for message in group.messages]

    def restore(self, messages: Sequence[Message]) -> None:
        """Take back what `held` gave before a restart; it becomes due at once unless more arrives."""
        for message in messages:
            key = f"{message['chat']['id']}/{message['media_group_id']}"
            self._groups.setdefault(key, _Group(str(message["chat"]["id"]), float("-inf"), float("-inf"))).messages.append(message)

    def _pop(self, chosen: Callable[[str, _Group], bool]) -> list[list[Message]]:
        keys = [key for key, group in self._groups.items() if chosen(key, group)]
        return [sorted(self._groups.pop(key).messages, key=lambda message: int(message["message_id"])) for key in keys]
