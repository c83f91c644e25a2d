"""The contract's optional methods, one class each: an account has those that its dialect has operations for. Used by `adapter`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from adapters.common.delegating import ByFirstMessage, TitlesByFirstMessage
from adapters.teamspirit.capabilities import can_reconcile, names_threads_by_first_message
from adapters.teamspirit.directory import Directory
from adapters.teamspirit.inbound.downloads import Downloads
from adapters.teamspirit.inbound.history import HistoryOnRequest
from adapters.teamspirit.links import link_to_message
from adapters.teamspirit.listing import ListsChats
from adapters.teamspirit.outbound.changes import Changes
from adapters.teamspirit.outbound.presence import Presence
from adapters.teamspirit.outbound.reactions import Reactions
from adapters.teamspirit.outbound.reconcile import Reconciliation
from adapters.teamspirit.people import People
from bridge.model.adapter import Copy, FileStream, Outbound, OutboundDelete, OutboundEdit, OutboundReaction, Receipt
from bridge.model.events import Attachment, Author, ChatEvent
from bridge.model.platform import AdapterContext

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import Dialect

A = TypeVar("A")
WITH_PERMALINKS = ("mattermost", "teamspirit")
"""Dialects of servers whose messages have addresses as `links` knows them."""


class _Edits:
    _changes: Changes

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        return await self._changes.edit(outbound)


class _Deletes:
    _changes: Changes

    async def delete(self, outbound: OutboundDelete) -> None:
        await self._changes.delete(outbound)


class _Reacts:
    _reactions: Reactions

    async def react(self, outbound: OutboundReaction) -> None:
        await self._reactions.react(outbound)


class _ShowsFaces:
    _directory: Directory
    _downloads: Downloads

    async def face(self, user_id: str) -> Attachment | None:
        known = await self._directory.person(user_id)
        return None if known is None else self._downloads.face(known.avatar_url)


class _OpensFiles:
    _downloads: Downloads

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._downloads.open_file(attachment)


class _ReadsHistory:
    _history: HistoryOnRequest

    def history(self, chat_id: str, since: str) -> AsyncIterator[ChatEvent]:
        return self._history.history(chat_id, since)


class _Reconciles:
    _reconciliation: Reconciliation

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        return await self._reconciliation.reconcile(outbound, sent_after)


class _ShowsTyping:
    _presence: Presence

    async def show_typing(self, chat_id: str, thread_id: str | None) -> None:
        await self._presence.show_typing(chat_id, thread_id)


class _RenamesChats:
    _changes: Changes

    async def rename_chat(self, chat_id: str, name: str) -> str:
        return await self._changes.rename_chat(chat_id, name)


class _SetsStatus:
    _presence: Presence

    async def set_status(self, status: str, text: str) -> None:
        await self._presence.set_status(status, text)


class _LinksToMessages:
    _context: AdapterContext

    def message_link(self, copy: Copy) -> str:
        return link_to_message(str(self._context.options.server or ""), copy.message_ids[0]) if copy.message_ids else ""


class _LooksUpPeople:
    _directory: Directory
    _people: People

    async def person(self, user_id: str) -> Author | None:
        known = None if "@" in user_id else await self._directory.person(user_id)
        if known is not None:
            return known
        found = await self._people.find(user_id)
        return None if found is None else Author(user_id=found.user_id, name=found.name or found.username, username=found.username)


class _FindsByEmail:
    _people: People

    async def person_by_email(self, email: str) -> Author | None:
        found = await self._people.find(email) if "@" in email else None
        return None if found is None else Author(user_id=found.user_id, name=found.name or found.username, username=found.username)


def with_abilities(base: type[A], dialect: Dialect) -> type[A]:
    """`base`, which has the parts, with exactly the methods that the dialect has operations for."""
    operations = dialect.operations
    abilities: list[tuple[type, object]] = [
        (_Edits, operations.edit),
        (_Deletes, operations.delete),
        (_Reacts, operations.react),
        (_OpensFiles, operations.download),
        (_ShowsFaces, operations.download and operations.users),
        (_ReadsHistory, operations.history),
        (_Reconciles, can_reconcile(dialect)),
        (_ShowsTyping, operations.typing),
        (_RenamesChats, operations.rename_chat),
        (_SetsStatus, operations.set_status),
        (ByFirstMessage, names_threads_by_first_message(dialect)),
        (TitlesByFirstMessage, operations.edit and names_threads_by_first_message(dialect)),
        (_LinksToMessages, dialect.dialect in WITH_PERMALINKS),
        (_LooksUpPeople, operations.users or operations.find_users),
        (_FindsByEmail, operations.find_users),
        (ListsChats, operations.chats),
    ]
    made: type[A] = type(base.__name__, (*(ability for ability, there in abilities if there), base), {})
    return made
