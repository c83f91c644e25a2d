"""Catching up after a new session: messages in routed chats and threads since then, and edits and deletions of the latest messages.
Called by `receiver` before it passes on anything newer; reads through `history`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from adapters.discord.errors import Refused
from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.inbound.history import RECENT, History
from adapters.discord.inbound.last_seen import LastSeen
from adapters.discord.inbound.thread_messages import ThreadMessages
from adapters.discord.lenient import raw_of
from adapters.discord.snowflakes import moment_of
from adapters.discord.transport import Transport
from bridge.model.adapter import Intake
from bridge.model.clock import Clock
from bridge.model.errors import ConnectionLost, DeliveryError, RetryLater
from bridge.model.events import ChatEvent, PinsChanged, ThreadChanged

log = structlog.get_logger("discord")

CHATS_AT_ONCE = 8
READ_BACK_ATTEMPTS = 5
READ_BACK_RUNS = 3
"""A channel whose history could not be read in so many runs is given up, for the sake of the others."""
RETRY_S = 1.0


class CatchUp:
    def __init__(
        self,
        transport: Transport,
        identity: Identity,
        guilds: GuildCache,
        history: History,
        threads: ThreadMessages,
        intake: Intake,
        clock: Clock,
        seen: LastSeen,
    ) -> None:
        self._transport = transport
        self._seen = seen
        self._identity = identity
        self._guilds = guilds
        self._clock = clock
        self._history = history
        self._intake = intake
        self._threads = threads
        self.renamed_threads: set[str] = set()
        """Those whose new names were among the messages of the latest run."""
        self._heard_until = clock.now()

    async def run(self, since: str, latest: str) -> None:
        """Everything after a message id, in all routed chats; several at once, since they are independent and the rate is the
        transport's to keep. `latest`: the last message that was heard of live. Raises ConnectionLost when Discord does not
        answer."""
        at_once = asyncio.Semaphore(CHATS_AT_ONCE)
        self._heard_until = moment_of(latest)
        self.renamed_threads = set()

        async def one(chat_id: str) -> None:
            async with at_once:
                await self._chat(chat_id, since)

        try:
            async with asyncio.TaskGroup() as tasks:
                for chat_id in sorted(self._intake.routed_chats()):
                    if self._guilds.get(chat_id) is not None:
                        tasks.create_task(one(chat_id), name=f"catch up {self._identity.account}/{chat_id}")
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _chat(self, chat_id: str, since: str) -> None:
        known_ids = await self._intake.message_ids(chat_id, RECENT)
        knows_all_threads = await self._learn_archived(chat_id)
        for channel_id in (chat_id, *(t.id for t in self._guilds.threads_of(chat_id))):
            channel = self._guilds.get(channel_id)
            if channel is not None and not channel.is_forum and int(channel.last_message_id or 0) > int(since):
                await self._read_back(chat_id, channel_id, since)
        if self._guilds.may_read_history(chat_id, self._identity.user_id):
            await self._read_changes(chat_id, known_ids, knows_all_threads=knows_all_threads)

    async def _learn_archived(self, chat_id: str) -> bool:
        try:
            return await self._history.learn_archived(chat_id)
        except (Refused, DeliveryError) as error:
            log.info("archived threads cannot be listed", account=self._identity.account, channel=chat_id, reason=str(error))
            return False

    async def _read_back(self, chat_id: str, channel_id: str, since: str) -> None:
        """What a channel or thread has shown since. Raises ConnectionLost when Discord does not answer: the next run tries again,
        since no cursor beyond these messages was stored. Only what Discord refuses, or repeatedly fails to show, is a gap."""
        lacks_right = not self._guilds.may_read_history(channel_id, self._identity.user_id)
        reason = "the bot lacks Read Message History in the channel" if lacks_right else await self._try_reading(channel_id, since)
        if reason:
            await self._intake.gap(chat_id, since=moment_of(since), until=self._transport.time.now(), reason=reason)

    async def _try_reading(self, channel_id: str, since: str) -> str:
        """Why it cannot be read, or an empty string."""
        failures = self._history.failures
        for attempt in range(READ_BACK_ATTEMPTS):
            try:
                async for events in self._history.events(channel_id, since):
                    await self._intake.accept(events, cursors=await self._threads.noting(events))
                    self.renamed_threads.update(e.meta.thread_id or "" for e in events if isinstance(e, ThreadChanged))
                    self._note_pins(events)
                    for message, problem in self._history.take_unreadable():
                        await self._intake.undecodable(raw_of(message), problem)
                failures.pop(channel_id, None)
                return ""
            except Refused as refused:
                return f"Discord refuses to show them ({refused.refusal.message})"
            except RetryLater as error:
                reason = error.reason
                await self._clock.sleep(error.after_s or RETRY_S * 2**attempt)
        failures[channel_id] = failures.get(channel_id, 0) + 1
        if failures[channel_id] < READ_BACK_RUNS:
            raise ConnectionLost(f"the history cannot be read: {reason}")
        del failures[channel_id]
        return reason

    def _note_pins(self, events: Sequence[ChatEvent]) -> None:
        """Those that were not heard of live: any other may have been taken away since."""
        for event in events:
            if isinstance(event, PinsChanged) and event.pinned and event.meta.occurred_at > self._heard_until:
                self._seen.note_pin(event.meta.origin.chat_id, event.message_id, pinned=True)

    async def _read_changes(self, chat_id: str, known_ids: Sequence[str], *, knows_all_threads: bool) -> None:
        try:
            changes = await self._history.changes(chat_id, known_ids, knows_all_threads=knows_all_threads)
            await self._intake.accept(changes)
        except (Refused, DeliveryError) as error:
            log.info("edits and deletions missed meanwhile stay unknown", account=self._identity.account, reason=str(error))
