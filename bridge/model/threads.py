"""Optional abilities of adapters around threads: topics of a forum, threads of a channel, posts. Types only.

The core keeps which threads of which chats are one conversation; an adapter only makes a thread, looks for one, and changes one."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from bridge.model.adapter import Copy


class OutboundThread(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A thread to be made in a chat. `title` is one line of words, never empty; the adapter shortens it to the platform's limit.

    `begins_at`: the message in the chat that it is to begin at. None: at no message that exists. `token` identifies it for ever, as
    `Outbound.token` does a message."""

    token: str
    chat_id: str
    title: str
    begins_at: Copy | None = None


@runtime_checkable
class NeedsThreads(Protocol):
    async def needs_thread(self, chat_id: str) -> bool:
        """Whether that chat takes no messages but in threads (a forum of posts)."""
        ...


@runtime_checkable
class OpensThreads(Protocol):
    async def opens_thread(self, chat_id: str, begins_at: Copy | None) -> bool:
        """Whether that chat has such threads at all: a place that an answer alone does not lead into. Raises RetryLater if that
        cannot be found out now."""
        ...

    async def open_thread(self, thread: OutboundThread) -> str:
        """Its native id. One attempt. Raises Rejected where it cannot be made (a right is missing, too many), RetryLater,
        OutcomeUnknown, AccountDown."""
        ...

    async def find_thread(self, thread: OutboundThread, since: datetime | None) -> str:
        """Its native id if an attempt made since then has made it, empty if none has. `since` None: the id of any thread of the
        chat with exactly that title, as far as the adapter knows them; of several the newest. Raises RetryLater if that cannot be
        found out now."""
        ...
