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


class ThreadCopy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A thread of a chat that the bridge is to change. `token` as in `OutboundThread`.

    `is_alone`: the bridge began it at no message that was there."""

    token: str
    chat_id: str
    thread_id: str
    is_alone: bool = False


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


@runtime_checkable
class RenamesThreads(Protocol):
    async def rename_thread(self, thread: ThreadCopy, title: str) -> None:
        """Give it that title, shortened to the platform's limit; one that has it already is a success. Raises Rejected for what is
        not allowed or not possible: then a line in the thread says it. Raises ThreadGone, RetryLater, OutcomeUnknown, AccountDown;
        ChatDown only for failures that messages to the chat would also meet."""
        ...


@runtime_checkable
class ClosesThreads(Protocol):
    async def close_thread(self, thread: ThreadCopy, closed: bool) -> None:
        """Close it, so that people write nothing into it any more, or open it again. One that is so already is a success. Raises
        as `RenamesThreads.rename_thread`."""
        ...


@runtime_checkable
class HasMainThread(Protocol):
    main_thread_id: str
    """Stands in a `ThreadCopy` for the part of a chat that is no thread, where that is renamed and closed like one."""


@runtime_checkable
class DeletesThreads(Protocol):
    async def delete_thread(self, thread: ThreadCopy) -> None:
        """Delete it with all that was said in it. One that is gone already is a success. Raises as
        `RenamesThreads.rename_thread`."""
        ...
