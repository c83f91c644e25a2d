"""What is known of servers, channels, threads, roles and emoji: kept from gateway events, or from what `directory` loaded. Pure.

Used by everything that decodes or sends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from adapters.discord import wire
from adapters.discord.lenient import flags_of, mapping, objects, text, whole
from adapters.discord.permissions import READ_MESSAGE_HISTORY, bits_in
from adapters.discord.servers import (
    MEMBER,
    REQUIRE_TAG,
    ROLES,
    TEXT_KINDS,
    Channel,
    Server,
    emojis_of,
    is_locked,
    roles_of,
    tags_of,
)
from adapters.discord.snowflakes import id_of
from adapters.discord.thread_locks import ThreadLocks


class GuildCache:
    def __init__(self, now_s: Callable[[], float] = lambda: 0.0) -> None:
        """`now_s`: a monotonic clock, for who locks threads."""
        self.servers: dict[str, Server] = {}
        self._channels: dict[str, Channel] = {}
        self._by_name: dict[str, set[str]] = {}
        self.locks = ThreadLocks(now_s)
        self._threads: dict[str, set[str]] = {}
        """Ids of a channel's threads."""

    # -- asking ---------------------------------------------------------------------------------------------------------------

    def get(self, channel_id: str) -> Channel | None:
        return self._channels.get(channel_id)

    def guild_of(self, channel_id: str) -> str:
        """Empty if the channel is not known."""
        channel = self._channels.get(channel_id)
        return channel.guild_id if channel is not None else ""

    def chat_of(self, channel_id: str) -> tuple[str, str | None]:
        """Chat and thread that a native channel id stands for: a thread belongs to its parent channel."""
        channel = self._channels.get(channel_id)
        if channel is not None and channel.is_thread and channel.parent_id is not None:
            return channel.parent_id, channel_id
        return channel_id, None

    def channel_name(self, channel_id: str) -> str:
        channel = self._channels.get(channel_id)
        return channel.name if channel is not None else ""

    def tags_of(self, post_id: str) -> list[str]:
        """What a post is tagged with, by name."""
        post = self._channels.get(post_id)
        forum = self._channels.get(post.parent_id or "") if post is not None else None
        return [forum.tags[t] for t in post.applied_tags if forum.tags.get(t)] if post is not None and forum is not None else []

    def role_name(self, role_id: str) -> str:
        return next((s.roles[role_id][0] for s in self.servers.values() if role_id in s.roles), "")

    def emoji(self, name: str) -> str | None:
        """`name:id` of an emoji of that name in one of the bot's servers."""
        return next((f"{name}:{s.emojis[name][0]}" for s in self.servers.values() if name in s.emojis), None)

    def named(self, name: str) -> list[Channel]:
        found = (self._channels[i] for i in self._by_name.get(name.removeprefix("#"), ()))
        return [p for p in found if not p.is_thread and p.kind in TEXT_KINDS]

    def channels(self) -> list[Channel]:
        """Of all servers, threads among them."""
        return list(self._channels.values())

    def threads_of(self, channel_id: str) -> list[Channel]:
        return [self._channels[i] for i in sorted(self._threads.get(channel_id, ()), key=int)]

    def lowest_boost(self) -> int | None:
        return min((s.boost_level for s in self.servers.values()), default=None)

    def permissions(self, channel_id: str, user_id: str) -> int | None:
        """The bot's own permission bits in a channel; None if the channel, or what decides about them, is not known."""
        channel = self._channels.get(channel_id)
        if channel is not None and channel.is_thread and channel.parent_id is not None:
            channel = self._channels.get(channel.parent_id)
        server = self.servers.get(channel.guild_id) if channel is not None else None
        if channel is None or server is None or MEMBER in server.unknown or ROLES in server.unknown:
            return None
        return bits_in(channel, server, user_id)

    def may_read_history(self, channel_id: str, user_id: str) -> bool:
        """Without the right, Discord answers with an empty list. True where the rights are not known."""
        bits = self.permissions(channel_id, user_id)
        return bits is None or bool(bits & READ_MESSAGE_HISTORY)

    # -- learning -------------------------------------------------------------------------------------------------------------

    def apply(self, event: str, data: Any, own_user_id: str) -> None:
        """Takes in a gateway event; those of other kinds change nothing. A part that cannot be read is left out; raises KeyError,
        TypeError or ValueError for an event without its ids."""
        match event:
            case "GUILD_CREATE":
                self.learn_guild(data, own_user_id)
            case "GUILD_DELETE":
                if not data.get("unavailable"):
                    self._forget_guild(id_of(data["id"]))
            case "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE":
                self.learn(data)
            case "CHANNEL_DELETE" | "THREAD_DELETE":
                self._drop(id_of(data["id"]))
            case "THREAD_LIST_SYNC":
                self._learn_all(data.get("threads"), guild_id=str(data["guild_id"]))
            case "MESSAGE_CREATE":
                channel = self._channels.get(str(data["channel_id"]))
                if channel is not None:
                    channel.last_message_id = id_of(data["id"])
            case _:
                server = self.servers.get(str(data.get("id" if event == "GUILD_UPDATE" else "guild_id")))
                if server is not None:
                    server.apply(event, data, own_user_id)

    def _learn_all(self, values: list[wire.Channel] | None, *, guild_id: str) -> None:
        """One that cannot be read must not keep the others."""
        for value in objects(values):
            with suppress(KeyError, TypeError, ValueError):
                self.learn(value, guild_id=guild_id)

    def learn(self, data: wire.Channel, *, guild_id: str = "") -> Channel:
        """A channel or thread object. `guild_id` where the object itself does not hold it. Raises KeyError, TypeError or ValueError
        if it has no id or kind."""
        overwrites = tuple(
            (str(o.get("id")), whole(o.get("allow")), whole(o.get("deny"))) for o in objects(data.get("permission_overwrites"))
        )
        channel = Channel(
            id=id_of(data["id"]),
            name=text(data.get("name")),
            kind=int(data["type"]),
            guild_id=text(data.get("guild_id")) or guild_id,
            parent_id=text(data.get("parent_id")) or None,
            last_message_id=str(whole(data.get("last_message_id"))) if data.get("last_message_id") else None,
            overwrites=overwrites,
            tags=tags_of(data.get("available_tags")),
            applied_tags=tuple(map(text, data["applied_tags"])) if isinstance(data.get("applied_tags"), list) else (),
            is_locked=is_locked(data),
            requires_tag=bool(flags_of(data.get("flags")) & REQUIRE_TAG),
        )
        self._drop(channel.id)
        self._channels[channel.id] = channel
        self._by_name.setdefault(channel.name, set()).add(channel.id)
        if channel.is_thread and channel.parent_id is not None:
            self._threads.setdefault(channel.parent_id, set()).add(channel.id)
        return channel

    def _drop(self, channel_id: str) -> None:
        channel = self._channels.pop(channel_id, None)
        if channel is not None:
            self._by_name[channel.name].discard(channel_id)
            self._threads.get(channel.parent_id or "", set()).discard(channel_id)

    def learn_guild(self, data: wire.Guild, own_user_id: str, *, unknown: Mapping[str, bool] | None = None) -> None:
        guild_id = id_of(data["id"])
        if data.get("unavailable"):
            return
        server = Server(
            id=guild_id,
            name=text(data.get("name")),
            owner_id=text(data.get("owner_id")),
            boost_level=whole(data.get("premium_tier")),
            roles=roles_of(data.get("roles")),
            emojis=emojis_of(data.get("emojis")),
            system_channel_id=text(data.get("system_channel_id")),
            unknown=dict(unknown or {}),
        )
        if not server.roles:  # there is always one, everyone's
            server.unknown.setdefault(ROLES, False)
        ours = [m for m in objects(data.get("members")) if str(mapping(m.get("user")).get("id")) == own_user_id]
        if not any(isinstance(member.get("roles"), list) for member in ours):
            server.unknown.setdefault(MEMBER, False)
        for member in ours:
            server.learn_ourselves(member)
        self._forget_guild(guild_id)
        self.servers[guild_id] = server
        self._learn_all(data.get("channels"), guild_id=guild_id)
        self._learn_all(data.get("threads"), guild_id=guild_id)

    def _forget_guild(self, guild_id: str) -> None:
        self.servers.pop(guild_id, None)
        for channel_id in [p.id for p in self._channels.values() if p.guild_id == guild_id]:
            self._drop(channel_id)
