"""Abilities that an adapter hands on to one of its parts, so that the adapter's own file stays a table of contents."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, cast

from bridge.model.adapter import Adapter, Copy, Edits, Outbound, OutboundEdit, Reconciles
from bridge.model.errors import Rejected
from bridge.model.rich_text import Mark, Paragraph, RichText, Text
from bridge.model.threads import (
    ClosesThreads,
    DeletesThreads,
    NeedsThreads,
    OpensThreads,
    OutboundThread,
    RenamesThreads,
    ThreadCopy,
)

TITLE_NOTE = "a message with the title begins the thread; one that begins with somebody's message says it with the first answer"
"""Of `Feature.THREAD_TITLE`, for adapters that are `ByFirstMessage`."""


class ByNewThreads:
    """`bridge.model.threads.OpensThreads` by the part of that name."""

    _new_threads: OpensThreads

    async def opens_thread(self, chat_id: str, begins_at: Copy | None) -> bool:
        return await self._new_threads.opens_thread(chat_id, begins_at)

    async def open_thread(self, thread: OutboundThread) -> str:
        return await self._new_threads.open_thread(thread)

    async def find_thread(self, thread: OutboundThread, since: datetime | None) -> str:
        return await self._new_threads.find_thread(thread, since)


class InForums:
    """`NeedsThreads` by the same part."""

    _new_threads: OpensThreads

    async def needs_thread(self, chat_id: str) -> bool:
        return isinstance(self._new_threads, NeedsThreads) and await self._new_threads.needs_thread(chat_id)


class _ChangesThreads(RenamesThreads, ClosesThreads, DeletesThreads, Protocol):
    pass


class ByThreadChanges:
    """`RenamesThreads`, `ClosesThreads` and `DeletesThreads` by the part of that name."""

    _thread_changes: _ChangesThreads

    async def rename_thread(self, thread: ThreadCopy, title: str) -> None:
        await self._thread_changes.rename_thread(thread, title)

    async def close_thread(self, thread: ThreadCopy, closed: bool) -> None:
        await self._thread_changes.close_thread(thread, closed)

    async def delete_thread(self, thread: ThreadCopy) -> None:
        await self._thread_changes.delete_thread(thread)


class ByFirstMessage:
    """`OpensThreads` where a thread is named by its first message and begins with the first answer: one that begins at no message
    is begun by a message with its title. For adapters that can look for what they sent, by their own `reconcile`."""

    async def first_of(self, copy: Copy) -> str:
        """The first message of the thread that an answer to that message is in; empty where answers are not in threads, and of a
        message whose id was never told."""
        return copy.thread_id or next(iter(copy.message_ids), "")

    async def opens_thread(self, _chat_id: str, begins_at: Copy | None) -> bool:
        return begins_at is None or bool(await self.first_of(begins_at))

    async def open_thread(self, thread: OutboundThread) -> str:
        if thread.begins_at is not None:
            return await self.first_of(thread.begins_at)
        opened = await cast("Adapter", self).send(_opening(thread))
        if not opened.message_ids:
            raise Rejected("which message begins the thread was never told")
        return opened.message_ids[0]

    async def find_thread(self, thread: OutboundThread, since: datetime | None) -> str:
        if since is None or thread.begins_at is not None or not isinstance(self, Reconciles):
            return ""
        found = await self.reconcile(_opening(thread), since)
        return next(iter(found.message_ids), "") if found is not None else ""


class TitlesByFirstMessage:
    """`RenamesThreads` beside `ByFirstMessage`: the message with the title is edited, where the bridge posted one."""

    async def rename_thread(self, thread: ThreadCopy, title: str) -> None:
        if not thread.is_alone or not isinstance(self, Edits):
            raise Rejected("the thread begins with a message, and has no title")
        copy = Copy(chat_id=thread.chat_id, message_ids=(thread.thread_id,))
        await self.edit(OutboundEdit(token=thread.token, copy=copy, text=_title(title)))


def _title(words: str) -> RichText:
    return RichText((Paragraph((Text(words, int(Mark.BOLD)),)),))


def _opening(thread: OutboundThread) -> Outbound:
    return Outbound(token=thread.token, attempt=1, chat_id=thread.chat_id, text=_title(thread.title))
