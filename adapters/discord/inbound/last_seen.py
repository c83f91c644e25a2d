"""Routed channels as they were when the bridge last heard of them: their names, the names and locks of their threads, and which of
their messages are pinned. Kept on disk.

`guild_cache` holds what is so now, also what was read from the server's lists after a stop; the difference is what was missed.
`decode` compares with this, `missed_changes` looks for the rest, `receiver` stores it with the position."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from adapters.discord.servers import Channel
from bridge.model.adapter import Cursor, Intake

THREADS_KEPT = 200
"""Of one channel; those that were begun last, whichever order they are heard of in. One entry takes some 60 bytes on disk."""
PINS_KEPT = 250
"""Of one channel with its threads; Discord lets one channel have so many (platforms.md 3.3)."""
_PREFIX = "seen:"


class SeenThread(msgspec.Struct, frozen=True, array_like=True):
    name: str
    is_locked: bool = False


class _Chat(msgspec.Struct):
    name: str = ""
    threads: dict[str, SeenThread] = {}
    """By id; the one that was heard of last comes last."""
    searches: int = 0
    """How many times something was missed: with it, each time has keys of its own for its events."""
    pins: list[str] = []
    """Ids of messages, the one pinned last at the end."""


class LastSeen:
    def __init__(self) -> None:
        self._chats: dict[str, _Chat] = {}
        self._changed: dict[str, None] = {}
        self._restored: set[str] = set()

    async def restore(self, intake: Intake, chat_ids: Iterable[str]) -> None:
        """Take what is on disk of these chats for what was last seen: the rest may not have been kept, and comes again."""
        self._chats, self._changed, self._restored = {}, {}, set()
        await self.restore_new(intake, chat_ids)

    async def restore_new(self, intake: Intake, chat_ids: Iterable[str]) -> list[str]:
        """The same of those that were not asked for before, since a reload gave them a route; returns these."""
        new = sorted(set(chat_ids) - self._restored)
        for chat_id in new:
            self._restored.add(chat_id)
            if (stored := await intake.cursor(_PREFIX + chat_id)) is not None:
                try:
                    self._chats[chat_id] = msgspec.json.decode(stored, type=_Chat)
                except (msgspec.DecodeError, msgspec.ValidationError):
                    continue  # as if nothing had been seen
        return new

    def name(self, chat_id: str) -> str:
        """Of a channel; empty if it was never seen."""
        chat = self._chats.get(chat_id)
        return chat.name if chat is not None else ""

    def thread(self, chat_id: str, thread_id: str) -> SeenThread | None:
        chat = self._chats.get(chat_id)
        return chat.threads.get(thread_id) if chat is not None else None

    def threads(self, chat_id: str) -> dict[str, SeenThread]:
        """By id, the one heard of last at the end."""
        chat = self._chats.get(chat_id)
        return dict(chat.threads) if chat is not None else {}

    def note(self, channel: Channel, routed: Iterable[str]) -> None:
        """A channel or thread as it is now; others than those of routes are not kept."""
        chat_id = channel.parent_id if channel.is_thread else channel.id
        if chat_id is None or chat_id not in routed:
            return
        chat = self._chats.setdefault(chat_id, _Chat(threads={}))
        if not channel.is_thread:
            if channel.name and chat.name != channel.name:
                chat.name = channel.name
                self._changed[chat_id] = None
            return
        seen = SeenThread(channel.name, channel.is_locked)
        if chat.threads.get(channel.id) != seen:
            chat.threads.pop(channel.id, None)
            chat.threads[channel.id] = seen
            if len(chat.threads) > THREADS_KEPT:
                oldest = min(chat.threads, key=lambda thread_id: (len(thread_id), thread_id))
                del chat.threads[oldest]
                if oldest == channel.id:
                    return
            self._changed[chat_id] = None

    def note_pin(self, chat_id: str, message_id: str, *, pinned: bool) -> bool:
        """Whether that was news."""
        chat = self._chats.get(chat_id)
        if chat is None or (message_id in chat.pins) is pinned:
            return False
        if pinned:
            chat.pins = [*chat.pins, message_id][-PINS_KEPT:]
        else:
            chat.pins = [one for one in chat.pins if one != message_id]
        self._changed[chat_id] = None
        return True

    def asked(self, chat_id: str, thread_id: str) -> None:
        """The thread was asked for by itself: next time others come first."""
        threads = self._chats[chat_id].threads
        if thread_id in threads:
            self._chats[chat_id].threads = {thread_id: threads.pop(thread_id), **threads}
            self._changed[chat_id] = None

    def forget(self, chat_id: str, thread_id: str) -> None:
        chat = self._chats.get(chat_id)
        if chat is not None and chat.threads.pop(thread_id, None) is not None:
            self._changed[chat_id] = None

    def next_search(self, chat_id: str) -> str:
        """Names one search in one chat: the same again if nothing was stored since, as after a crash."""
        chat = self._chats.get(chat_id)
        return str(1 if chat is None else chat.searches + 1)

    def found_something(self, chat_id: str) -> None:
        self._chats[chat_id].searches += 1
        self._changed[chat_id] = None

    @property
    def has_changed(self) -> bool:
        """Whether there is something to be stored."""
        return bool(self._changed)

    def take_changed(self) -> list[Cursor]:
        """What is to be stored since this was last asked."""
        changed, self._changed = self._changed, {}
        return [Cursor(name=_PREFIX + chat_id, value=msgspec.json.encode(self._chats[chat_id]).decode()) for chat_id in changed]
