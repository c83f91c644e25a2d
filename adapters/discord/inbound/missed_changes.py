"""New names and locks of channels and threads, and threads deleted, while the bridge was stopped: found after a new session.

Discord tells of these once, over the gateway. What was last seen is compared with the lists of open and archived threads; what is
in none of them is asked for by itself, a bounded number per channel and session. Called by `receiver`, after the messages were
caught up: the message of a new name says who gave it. Source: API reference, "List Active Guild Threads", "List Public Archived
Threads", "Get Channel" and error 10003, November 2026."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

import structlog

from adapters.discord.errors import UNKNOWN_CHANNEL, Refused
from adapters.discord.guild_cache import GuildCache
from adapters.discord.inbound.decode import lock_of, renamed_channel, renamed_thread
from adapters.discord.inbound.decode_context import Context
from adapters.discord.inbound.last_seen import SeenThread
from adapters.discord.lenient import UNREADABLE
from adapters.discord.servers import Channel
from adapters.discord.transport import Route, Transport
from bridge.model.errors import AccountDown, DeliveryError
from bridge.model.events import ChatEvent

log = structlog.get_logger("discord")

ASKED_FOR = 30
"""So many threads of one channel, in none of its lists, are asked for after one start; the next start asks for others."""
ASKED_FOR_IN_ALL = 100
"""So many of all channels: what is said meanwhile waits until they are answered."""


class MissedChanges:
    def __init__(
        self, transport: Transport, context: Context, deleted: Callable[[str, str, str, str], Awaitable[list[ChatEvent]]]
    ) -> None:
        """`deleted`: the events of a thread that is gone, from its id, its channel's, its last name and a key."""
        self._transport = transport
        self._context = context
        self._guilds: GuildCache = context.guilds
        self._seen = context.seen
        self._deleted = deleted
        self._left = 0
        """How many threads may still be asked for."""

    async def find(self, chat_ids: Collection[str], told_names: Collection[str], session: str) -> list[ChatEvent]:
        """What became of these channels and their threads since they were last seen. `told_names`: threads whose new names were
        read back with their messages. `session`: names the gateway's session, so that no two searches give the same keys, also
        where it was not kept how many there were. Raises AccountDown."""
        self._left, found = ASKED_FOR_IN_ALL, list[ChatEvent]()
        for chat_id in sorted(chat_ids):
            key = f"missed-{self._seen.next_search(chat_id)}-{session}"
            found += await self._of_chat(chat_id, told_names, chat_ids, key)
        return found

    def begin(self, chat_id: str, routed: Collection[str]) -> None:
        """A channel that a route leads to since just now is as it is: what became of it before is nobody's news."""
        channel = self._guilds.get(chat_id)
        if channel is not None:
            for known in (channel, *self._guilds.threads_of(chat_id)):
                self._seen.note(known, routed)

    async def _of_chat(self, chat_id: str, told_names: Collection[str], routed: Collection[str], key: str) -> list[ChatEvent]:
        channel = self._guilds.get(chat_id)
        if channel is None:
            return []  # a server that is away, or a channel that the bot sees no more: nothing is known of it
        found: list[ChatEvent] = []
        if (before := self._seen.name(chat_id)) and channel.name and before != channel.name:
            found.append(renamed_channel(chat_id, channel.name, self._context, key))
        asked = 0
        for thread_id, seen in reversed(self._seen.threads(chat_id).items()):
            thread = self._guilds.get(thread_id)
            if thread is None:
                if asked >= ASKED_FOR or self._left <= 0:
                    continue
                asked += 1
                self._left -= 1
                thread, is_gone = await self._ask(thread_id)
                self._seen.asked(chat_id, thread_id)
                if is_gone:
                    found += await self._deleted(thread_id, chat_id, seen.name, key)
                    self._seen.forget(chat_id, thread_id)
            if thread is not None:
                found += self._of_thread(thread, seen, key, name_is_told=thread_id in told_names)
        self.begin(chat_id, routed)
        if found:
            self._seen.found_something(chat_id)
        return found

    def _of_thread(self, thread: Channel, seen: SeenThread, key: str, *, name_is_told: bool) -> list[ChatEvent]:
        found: list[ChatEvent] = []
        if thread.name and thread.name != seen.name and not name_is_told:
            found.append(renamed_thread(thread.id, seen.name, thread.name, self._context, key))
        if thread.is_locked != seen.is_locked:
            found.append(lock_of(thread.id, thread.name, self._context, key, locked=thread.is_locked))
        return found

    async def _ask(self, thread_id: str) -> tuple[Channel | None, bool]:
        """The thread as it is, and whether it is gone for certain. Of one that the bot may not see, or that Discord does not show
        now, nothing is known: the next start asks again."""
        try:
            answer = await self._transport.call(Route("GET", f"/channels/{thread_id}", f"channels/{thread_id}"))
            thread = self._guilds.learn(answer)
            return (thread, False) if thread.is_thread else (None, False)
        except Refused as refused:
            if isinstance(refused.error, AccountDown):
                raise refused.error from None
            if refused.code == UNKNOWN_CHANNEL:
                return None, True
            reason = refused.error.reason
        except DeliveryError as error:
            reason, self._left = error.reason, 0  # the others would be answered the same
        except UNREADABLE as error:
            reason = f"an answer that is not understood: {type(error).__name__}"
        log.info("a thread cannot be read", account=self._context.identity.account, thread=thread_id, reason=reason)
        return None, False
