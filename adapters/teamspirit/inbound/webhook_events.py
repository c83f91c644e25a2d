"""The server's calls, once `webhook_endpoint` let them in: what each tells, in which order it is handed to the intake.

Where there is a history, a call says that something happened in a chat, and what is new is read in order first (calls may arrive
out of order); edits, deletes and reactions are then taken from the call. Without a history, calls are taken as they come; the core
keeps a change that comes before its message. Used by `receiver`.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

import msgspec
import structlog

from adapters.common.own_messages import OwnMessages
from adapters.teamspirit.directory import Directory
from adapters.teamspirit.errors import CHECK_CHAT
from adapters.teamspirit.inbound.catch_up import ChatReader
from adapters.teamspirit.inbound.chat_readers import ChatReaders
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.webhook_body import why_unreadable
from adapters.teamspirit.inbound.webhook_endpoint import NotNow
from adapters.teamspirit.people import People
from adapters.teamspirit.wire import Undecodable
from bridge.model.adapter import Intake
from bridge.model.clock import Clock
from bridge.model.errors import BridgeError
from bridge.model.events import (
    ChatEvent,
    ChatRenamed,
    Ignored,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    ReactionsChanged,
    StatusChanged,
)
from bridge.model.refs import ChatRef

log = structlog.get_logger("teamspirit")

_KEPT_RAW_BYTES = 64 * 1024


class Calls:
    def __init__(
        self,
        decoder: Decoder,
        directory: Directory,
        people: People,
        own: OwnMessages,
        readers: ChatReaders,
        intake: Intake,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._decoder = decoder
        self._directory = directory
        self._people = people
        self._own = own
        self._intake = intake
        self._readers = readers
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def take(self, payload: Any, raw: bytes) -> None:
        """One call; returns once it may be confirmed."""
        # the turn comes before the text is decoded: a short message behind a long one must not overtake it
        turn = self._turns.setdefault(self._decoder.chat_of_call(payload), asyncio.Lock())
        async with turn:
            for piece, number in self._decoder.pieces(payload):
                event = await self._decoded(piece, raw)
                if event is not None:
                    await self._in_turn(self._decoder.of_several(event, number), piece)

    async def _decoded(self, payload: Any, raw: bytes) -> ChatEvent | None:
        """The event of a call; None if there is none."""
        try:
            if payload is None:
                raise Undecodable(why_unreadable(raw))
            await self._decoder.read_call_ahead(payload)
            event = self._decoder.event(payload, self._clock.now())
        except (Undecodable, RecursionError) as error:
            await self._intake.undecodable(raw[:_KEPT_RAW_BYTES], str(error))
            return None
        if isinstance(event, Ignored):
            self._intake.ignored(event.reason)
            return None
        return event

    async def _in_turn(self, event: ChatEvent, payload: Any) -> None:
        """One call of a chat at a time, in the order in which they arrived."""
        author = event.meta.author
        if author is not None and not author.name and not event.meta.sent_by_us:
            meta = msgspec.structs.replace(event.meta, author=await self._directory.fill(author))
            event = msgspec.structs.replace(event, meta=meta)
        event = await self._marked_own(event)
        if isinstance(event, StatusChanged) and not event.meta.origin.chat_id:
            await self._intake.accept(await self._in_their_chats(event))
            return
        if isinstance(event, MembershipChanged) and event.member.user_id:
            if not event.member.name:
                event = msgspec.structs.replace(event, member=await self._directory.fill(event.member))
            is_in = event.change is MembershipKind.JOINED
            self._people.moved(event.meta.origin.chat_id, event.member.user_id, is_in=is_in)
            if event.member.user_id == self._own.me_id:
                self._we_came_or_went(event)
        reader = self._readers.of(event.meta.origin.chat_id)
        if reader is not None:
            await self._with_history(event, payload, reader)
        else:
            await self._intake.accept([event])

    async def _in_their_chats(self, event: StatusChanged) -> list[ChatEvent]:
        """A status that names no chat is told in the relayed chats that the person is in. If the dialect cannot tell, it is told in
        all relayed chats: the routes say which of them tell statuses at all."""
        origin, key = event.meta.origin, event.meta.event_key
        user_id = event.meta.author.user_id if event.meta.author is not None else ""
        told: list[ChatEvent] = []
        for chat_id in sorted(self._intake.routed_chats()):
            if await self._people.is_member(chat_id, user_id) is False:
                continue
            there = ChatRef(origin.account, chat_id)
            meta = msgspec.structs.replace(event.meta, origin=there, event_key=f"{key}:{chat_id}")
            told.append(msgspec.structs.replace(event, meta=meta))
        return told

    def _we_came_or_went(self, event: MembershipChanged) -> None:
        if event.change is MembershipKind.JOINED:
            self._intake.chat_restored(event.meta.origin.chat_id)
        else:
            self._intake.notice("the bot was removed from the chat", CHECK_CHAT, chat_id=event.meta.origin.chat_id)

    async def _marked_own(self, event: ChatEvent) -> ChatEvent:
        """Where only the answer to a send tells which messages are ours, the answer is waited for."""
        if event.meta.sent_by_us or not isinstance(event, MessageCreated):
            return event
        chat_id, author = event.meta.origin.chat_id, event.meta.author
        await self._own.settled(chat_id)
        if not self._own.is_own(author.user_id if author else "", chat_id, event.message_id):
            return event
        return msgspec.structs.replace(event, meta=msgspec.structs.replace(event.meta, sent_by_us=True))

    async def _with_history(self, event: ChatEvent, payload: Any, reader: ChatReader) -> None:
        if event.meta.sent_by_us and isinstance(event, MessageCreated):
            await self._intake.accept([event])
            return
        async with reader.lock:
            if isinstance(event, MessageCreated | MessageEdited | ReactionsChanged) and not reader.knows(event.message_id):
                await self._catch_up(reader, event)
            if isinstance(event, MessageCreated) and reader.knows(event.message_id):
                # as news, or as something that was said before the bridge was told of the chat
                self._intake.ignored("already read from the history")
                return
            edited = self._decoder.native_message(payload, "edited") if isinstance(event, MessageEdited) else None
            if edited is not None and reader.is_as_known(edited):
                # it was pinned, say; or the history told the edit before
                self._intake.ignored("an edit that changes nothing that is shown")
                return
            await self._intake.accept([event])
            if edited is not None:
                reader.note(edited)
            elif isinstance(event, MessageDeleted):
                reader.forget(event.message_id)
            elif isinstance(event, ChatRenamed) and (notice := self._decoder.notice_of_name(payload)) is not None:
                reader.told(notice)

    async def _catch_up(self, reader: ChatReader, event: ChatEvent) -> None:
        """What was said before comes first. A new message that the history cannot give now is not taken from the call, which may
        hold less of it: it is read, or the call comes again, later. What else there is was handed to us, and is taken."""
        try:
            await reader.read(again=False)
        except BridgeError as error:
            log.info("history not read", chat=reader.chat_id, reason=error.reason)
            if isinstance(event, MessageCreated):
                raise NotNow from None
