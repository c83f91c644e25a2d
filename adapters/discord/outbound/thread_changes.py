"""Threads and posts that follow their partners: renamed, locked, unlocked, deleted. Called by `adapter`.

Source: API reference, "Modify Channel", thread (name of 1 to 100 characters; an archived thread takes no other change than being
woken, so each call wakes it; `locked` needs Manage Threads, the name too unless the bot made the thread), "Delete/Close Channel"
(Manage Threads), November 2026. How often a name may change is not published and in no header: the 429 says it
(discord/discord-api-docs#1900), so names have a bucket of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.discord.errors import MISSING_ACCESS, MISSING_PERMISSIONS, UNKNOWN_CHANNEL, Refused
from adapters.discord.guild_cache import GuildCache
from adapters.discord.outbound.new_threads import NAME_LENGTH
from adapters.discord.transport import Route, Transport
from bridge.model.errors import BridgeError, ChatDown, NoThread, Rejected, RetryLater, ThreadGone
from bridge.model.threads import ThreadCopy

_GIVE_RIGHT = "give the bot's role Manage Threads in this channel (channel settings, Permissions)"


class ThreadChanges:
    """All of one account."""

    def __init__(self, transport: Transport, guilds: GuildCache, tell: Callable[[str, str, str], None]) -> None:
        """`tell` is told of problems for a human: what, what to do, the channel."""
        self._transport = transport
        self._guilds = guilds
        self._tell = tell

    async def rename_thread(self, thread: ThreadCopy, title: str) -> None:
        await self._modify(thread, "name", {"name": title[:NAME_LENGTH], "archived": False})

    async def close_thread(self, thread: ThreadCopy, closed: bool) -> None:
        self._guilds.locks.expect(thread.thread_id, locked=closed)
        try:
            await self._modify(thread, "lock", {"locked": closed, "archived": False})
        except (Rejected, RetryLater):  # not done
            self._guilds.locks.forget(thread.thread_id)
            raise

    async def delete_thread(self, thread: ThreadCopy) -> None:
        path = f"/channels/{thread.thread_id}"
        try:
            await self._transport.call(Route("DELETE", path, path))
        except Refused as refused:
            if isinstance(error := self._meaning(refused, thread), NoThread):
                return
            raise error from None

    async def _modify(self, thread: ThreadCopy, what: str, changes: dict[str, Any]) -> None:
        path = f"/channels/{thread.thread_id}"
        try:
            await self._transport.call(Route("PATCH", path, f"{path} {what}"), json=changes)
        except Refused as refused:
            raise self._meaning(refused, thread) from None

    def _meaning(self, refused: Refused, thread: ThreadCopy) -> BridgeError:
        if refused.code == UNKNOWN_CHANNEL:
            return ThreadGone("the thread no longer exists on Discord")
        if refused.code in (MISSING_PERMISSIONS, MISSING_ACCESS):
            self._tell("the bot may not change threads: lines say what happened to them", _GIVE_RIGHT, thread.chat_id)
            return Rejected(refused.error.reason)
        return Rejected(refused.error.reason) if isinstance(refused.error, ChatDown) else refused.error
