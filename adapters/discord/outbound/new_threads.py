"""Threads and posts that the bridge makes, and those it looks for. Called by `adapter`.

Source: API reference, "Start Thread from Message" (the thread has the message's id; 160004: there is one already), "Start Thread
without Message", "Start Thread in Forum or Media Channel" (a name of 1 to 100 characters, a first message, tags where the forum
requires one: flag REQUIRE_TAG, 1 << 4; at most 5), "List Active Guild Threads", "List Public Archived Threads"; November 2026."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from adapters.common.http_errors import Effect
from adapters.discord.directory import Directory
from adapters.discord.errors import MISSING_ACCESS, MISSING_PERMISSIONS, Refused
from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.lenient import mapping, objects, text
from adapters.discord.servers import Channel
from adapters.discord.snowflakes import id_of, moment_of
from adapters.discord.transport import Route, Transport
from bridge.model.adapter import Copy
from bridge.model.errors import ChatDown, Rejected
from bridge.model.threads import OutboundThread

THREAD_EXISTS = 160004
NAME_LENGTH = 100
PUBLIC_THREAD = 11
_BEGUN_IN = (0, 5)
"""Text and announcement channels: in voice channels there are no threads."""
_ANNOUNCEMENTS = 5
_ANNOUNCEMENT_THREAD = 10
_CLOCKS_DIFFER = timedelta(minutes=5)
"""A snowflake tells Discord's time, and ours may be another."""
_GIVE_RIGHT = "give the bot's role Create Public Threads in this channel (channel settings, Permissions)"


class NewThreads:
    """All of one account."""

    def __init__(
        self,
        transport: Transport,
        directory: Directory,
        identity: Identity,
        guilds: GuildCache,
        tell: Callable[[str, str, str], None],
    ) -> None:
        """`tell` is told of problems for a human: what, what to do, the channel."""
        self._transport = transport
        self._directory = directory
        self._identity = identity
        self._guilds = guilds
        self._tell = tell

    async def opens_thread(self, chat_id: str, begins_at: Copy | None) -> bool:
        channel = await self._channel(chat_id)
        return channel.kind in _BEGUN_IN or (channel.is_forum and begins_at is None)

    async def needs_thread(self, chat_id: str) -> bool:
        return (await self._channel(chat_id)).is_forum

    async def open_thread(self, thread: OutboundThread) -> str:
        await self._directory.identify()
        path = f"/channels/{thread.chat_id}"
        name = thread.title[:NAME_LENGTH]
        try:
            if thread.begins_at is not None:
                return await self._at_message(thread.begins_at, name)
            channel = await self._channel(thread.chat_id)
            body: dict[str, Any] = {"name": name}
            if channel.is_forum:
                body |= {"message": {"content": "\N{SPOOL OF THREAD}", "allowed_mentions": {"parse": []}}} | _tags(channel)
            else:
                body["type"] = _ANNOUNCEMENT_THREAD if channel.kind == _ANNOUNCEMENTS else PUBLIC_THREAD
            return self._learned(await self._make(f"{path}/threads", body))
        except Refused as refused:
            raise self._meaning(refused, thread.chat_id) from None

    async def _at_message(self, copy: Copy, name: str) -> str:
        message_id = copy.message_ids[0]
        try:
            made = await self._make(f"/channels/{copy.chat_id}/messages/{message_id}/threads", {"name": name})
        except Refused as refused:
            if refused.code != THREAD_EXISTS:
                raise
            return message_id
        return self._learned(made)

    async def _make(self, path: str, body: dict[str, Any]) -> Any:
        return await self._transport.call(Route("POST", path, path), json=body, effect=Effect.CREATES)

    def _learned(self, answer: Any) -> str:
        """Known before its first message comes back."""
        thread_id = id_of(answer["id"])
        if answer.get("parent_id"):
            self._guilds.learn(answer)
        return thread_id

    def _meaning(self, refused: Refused, chat_id: str) -> Exception:
        channel = self._guilds.get(chat_id)
        if channel is not None and channel.is_forum:
            return refused.error  # without a post it takes nothing: the right is waited for
        if refused.code in (MISSING_PERMISSIONS, MISSING_ACCESS):
            self._tell("the bot cannot begin threads: they are shown in the channel", _GIVE_RIGHT, chat_id)
            return Rejected(refused.error.reason)
        return refused.error

    async def find_thread(self, thread: OutboundThread, since: datetime | None) -> str:
        if thread.begins_at is not None:
            return ""  # a second one cannot be made
        await self._directory.identify()
        name = thread.title[:NAME_LENGTH]
        try:
            found = [one for one in await self._threads(thread.chat_id) if text(one.get("name")) == name]
        except Refused as refused:
            raise refused.error from None
        if since is not None:
            ours = self._identity.user_id
            found = [
                one for one in found if text(one.get("owner_id")) == ours and moment_of(id_of(one["id"])) >= since - _CLOCKS_DIFFER
            ]
        ids = sorted((id_of(one["id"]) for one in found), key=int)
        return ids[-1] if ids else ""

    async def _threads(self, chat_id: str) -> list[Any]:
        """The open ones, and the newest archived ones."""
        channel = await self._channel(chat_id)
        path, archived = f"/guilds/{channel.guild_id}/threads/active", f"/channels/{chat_id}/threads/archived/public"
        found = objects(mapping(await self._transport.call(Route("GET", path, path))).get("threads"))
        found += objects(mapping(await self._transport.call(Route("GET", archived, archived))).get("threads"))
        there = [one for one in found if text(one.get("parent_id")) == chat_id and one.get("id")]
        for one in there:
            self._guilds.learn(one)
        return there

    async def _channel(self, chat_id: str) -> Channel:
        try:
            return await self._directory.channel(chat_id)
        except Refused as refused:
            error = refused.error
            raise Rejected(error.reason) if isinstance(error, ChatDown) else error from None


def _tags(channel: Channel) -> dict[str, Any]:
    """The first one where the forum requires one: nobody can say which fits."""
    return {"applied_tags": [next(iter(channel.tags))]} if channel.requires_tag and channel.tags else {}
