"""What the adapter knows of servers, channels, threads, roles and emoji: kept from gateway events, or loaded through REST.

Small records instead of discord.py's cache, so that a large server costs little. Pure apart from `load`. Used by `decode`,
`adapter`, `history` and `probe`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from adapters.discord import wire
from adapters.discord.errors import Refused
from adapters.discord.lenient import mapping, objects, text, whole
from adapters.discord.snowflakes import id_of
from adapters.discord.transport import Route, Transport
from bridge.model.errors import AccountDown, BridgeError, DeliveryError, RetryLater

THREAD_KINDS = (10, 11, 12)
FORUM_KINDS = (15, 16)
TEXT_KINDS = (0, 2, 5, 13, 15, 16)
"""Text, voice, announcement, stage, forum and media channels; the last two hold threads only."""

OURSELVES = Route("GET", "/users/@me", "users/@me")
OUR_APPLICATION = Route("GET", "/oauth2/applications/@me", "oauth2/applications/@me")

# permission bits; source: API reference, "Permissions"
MEMBER, CHANNELS, ROLES, THREADS = "the bot's own roles", "the channels", "the roles", "the open threads"
ADMINISTRATOR = 1 << 3
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16


@dataclass(slots=True)
class Place:
    """A channel or thread. `overwrites` are (role or user id, allowed bits, denied bits)."""

    id: str
    name: str
    kind: int
    guild_id: str
    parent_id: str | None = None
    last_message_id: str | None = None
    overwrites: tuple[tuple[str, int, int], ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    """Of a forum: the names that its posts may be tagged with, by id."""
    applied_tags: tuple[str, ...] = ()
    """Of a post: ids of its tags."""

    @property
    def is_thread(self) -> bool:
        return self.kind in THREAD_KINDS

    @property
    def is_forum(self) -> bool:
        """A forum or media channel: it holds posts, which are threads, and no messages of its own."""
        return self.kind in FORUM_KINDS


@dataclass(slots=True)
class Server:
    """A guild. `roles` maps a role id to its name and permission bits, `emojis` a name to id and whether it is animated."""

    id: str
    name: str
    owner_id: str = ""
    boost_level: int = 0
    roles: dict[str, tuple[str, int]] = field(default_factory=dict)
    emojis: dict[str, tuple[str, bool]] = field(default_factory=dict)
    own_roles: tuple[str, ...] = ()
    own_nick: str = ""
    system_channel_id: str = ""
    """Where Discord announces who joined."""
    unknown: dict[str, bool] = field(default_factory=dict)
    """Parts that could not be asked for (`MEMBER`, `CHANNELS`, `ROLES`), and whether asking again may help."""

    def apply(self, event: str, data: Any, own_user_id: str) -> None:
        match event:
            case "GUILD_UPDATE":
                self.name = text(data.get("name")) or self.name
                self.boost_level = whole(data.get("premium_tier"))
                self.system_channel_id = text(data.get("system_channel_id"))
            case "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE":
                self.roles.update(_roles([data.get("role")]))
                if self.id in self.roles:  # everyone's
                    self.unknown.pop(ROLES, None)
            case "GUILD_ROLE_DELETE":
                self.roles.pop(str(data.get("role_id")), None)
            case "GUILD_MEMBER_UPDATE":
                if str(mapping(data.get("user")).get("id")) == own_user_id:
                    self.learn_ourselves(data)
            case "GUILD_EMOJIS_UPDATE":
                self.emojis = _emojis(data.get("emojis"))

    def learn_ourselves(self, member: wire.Member) -> None:
        """Our own member object."""
        if isinstance(member.get("roles"), list):
            self.unknown.pop(MEMBER, None)
            self.own_roles = tuple(text(role) for role in member["roles"])
        self.own_nick = text(member.get("nick"))


def _roles(values: list[wire.Role] | None) -> dict[str, tuple[str, int]]:
    return {str(r.get("id")): (text(r.get("name")).removeprefix("@"), whole(r.get("permissions"))) for r in objects(values)}


def _emojis(values: list[wire.Emoji] | None) -> dict[str, tuple[str, bool]]:
    found = ((text(e.get("name")), text(e.get("id")), e.get("animated") is True) for e in objects(values))
    return {name: (emoji_id, animated) for name, emoji_id, animated in found if name and emoji_id}


class Places:
    def __init__(self) -> None:
        self.servers: dict[str, Server] = {}
        self._places: dict[str, Place] = {}
        self._by_name: dict[str, set[str]] = {}
        self._threads: dict[str, set[str]] = {}
        """Ids of a channel's threads."""

    # -- asking ---------------------------------------------------------------------------------------------------------------

    def get(self, channel_id: str) -> Place | None:
        return self._places.get(channel_id)

    def chat_of(self, channel_id: str) -> tuple[str, str | None]:
        """Chat and thread that a native channel id stands for: a thread belongs to its parent channel."""
        place = self._places.get(channel_id)
        if place is not None and place.is_thread and place.parent_id is not None:
            return place.parent_id, channel_id
        return channel_id, None

    def channel_name(self, channel_id: str) -> str:
        place = self._places.get(channel_id)
        return place.name if place is not None else ""

    def tags_of(self, post_id: str) -> list[str]:
        """What a post is tagged with, by name."""
        post = self._places.get(post_id)
        forum = self._places.get(post.parent_id or "") if post is not None else None
        return [forum.tags[t] for t in post.applied_tags if forum.tags.get(t)] if post is not None and forum is not None else []

    def role_name(self, role_id: str) -> str:
        return next((s.roles[role_id][0] for s in self.servers.values() if role_id in s.roles), "")

    def emoji(self, name: str) -> str | None:
        """`name:id` of an emoji of that name in one of the bot's servers."""
        return next((f"{name}:{s.emojis[name][0]}" for s in self.servers.values() if name in s.emojis), None)

    def named(self, name: str) -> list[Place]:
        found = (self._places[i] for i in self._by_name.get(name.removeprefix("#"), ()))
        return [p for p in found if not p.is_thread and p.kind in TEXT_KINDS]

    def threads_of(self, channel_id: str) -> list[Place]:
        return [self._places[i] for i in sorted(self._threads.get(channel_id, ()), key=int)]

    def lowest_boost(self) -> int | None:
        return min((s.boost_level for s in self.servers.values()), default=None)

    def permissions(self, channel_id: str, user_id: str) -> int | None:
        """The bot's own permission bits in a channel; None if the channel, or what decides about them, is not known.

        Source: API reference, "Permission Overwrites": everyone's role, own roles, then overwrites for everyone, roles, member."""
        place = self._places.get(channel_id)
        if place is not None and place.is_thread and place.parent_id is not None:
            place = self._places.get(place.parent_id)
        server = self.servers.get(place.guild_id) if place is not None else None
        if place is None or server is None or MEMBER in server.unknown or ROLES in server.unknown:
            return None
        bits = server.roles.get(server.id, ("", 0))[1]
        for role_id in server.own_roles:
            bits |= server.roles.get(role_id, ("", 0))[1]
        if bits & ADMINISTRATOR or server.owner_id == user_id:
            return -1
        by_id = {target: (allowed, denied) for target, allowed, denied in place.overwrites}
        steps = [[by_id.get(server.id, (0, 0))], [by_id[r] for r in server.own_roles if r in by_id], [by_id.get(user_id, (0, 0))]]
        for step in steps:
            for _, denied in step:
                bits &= ~denied
            for allowed, _ in step:
                bits |= allowed
        return bits

    # -- learning -------------------------------------------------------------------------------------------------------------

    def apply(self, event: str, data: Any, own_user_id: str) -> None:
        """Takes in a gateway event; those of other kinds change nothing. A part that cannot be read is left out; raises KeyError,
        TypeError or ValueError for an event without its ids."""
        match event:
            case "GUILD_CREATE":
                self._learn_guild(data, own_user_id)
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
                place = self._places.get(str(data["channel_id"]))
                if place is not None:
                    place.last_message_id = id_of(data["id"])
            case _:
                server = self.servers.get(str(data.get("id" if event == "GUILD_UPDATE" else "guild_id")))
                if server is not None:
                    server.apply(event, data, own_user_id)

    def _learn_all(self, values: list[wire.Channel] | None, *, guild_id: str) -> None:
        """One that cannot be read must not keep the others."""
        for value in objects(values):
            with suppress(KeyError, TypeError, ValueError):
                self.learn(value, guild_id=guild_id)

    def learn(self, data: wire.Channel, *, guild_id: str = "") -> Place:
        """A channel or thread object. `guild_id` where the object itself does not hold it. Raises KeyError, TypeError or ValueError
        if it tells no id or kind."""
        overwrites = tuple(
            (str(o.get("id")), whole(o.get("allow")), whole(o.get("deny"))) for o in objects(data.get("permission_overwrites"))
        )
        place = Place(
            id=id_of(data["id"]),
            name=text(data.get("name")),
            kind=int(data["type"]),
            guild_id=text(data.get("guild_id")) or guild_id,
            parent_id=text(data.get("parent_id")) or None,
            last_message_id=str(whole(data.get("last_message_id"))) if data.get("last_message_id") else None,
            overwrites=overwrites,
            tags={text(t.get("id")): text(t.get("name")) for t in objects(data.get("available_tags"))},
            applied_tags=tuple(map(text, data["applied_tags"])) if isinstance(data.get("applied_tags"), list) else (),
        )
        self._drop(place.id)
        self._places[place.id] = place
        self._by_name.setdefault(place.name, set()).add(place.id)
        if place.is_thread and place.parent_id is not None:
            self._threads.setdefault(place.parent_id, set()).add(place.id)
        return place

    def _drop(self, place_id: str) -> None:
        place = self._places.pop(place_id, None)
        if place is not None:
            self._by_name[place.name].discard(place_id)
            self._threads.get(place.parent_id or "", set()).discard(place_id)

    def _learn_guild(self, data: wire.Guild, own_user_id: str, *, unknown: Mapping[str, bool] | None = None) -> None:
        guild_id = id_of(data["id"])
        if data.get("unavailable"):
            return
        server = Server(
            id=guild_id,
            name=text(data.get("name")),
            owner_id=text(data.get("owner_id")),
            boost_level=whole(data.get("premium_tier")),
            roles=_roles(data.get("roles")),
            emojis=_emojis(data.get("emojis")),
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
        for place_id in [p.id for p in self._places.values() if p.guild_id == guild_id]:
            self._drop(place_id)

    # -- loading --------------------------------------------------------------------------------------------------------------

    async def load(self, transport: Transport, own_user_id: str) -> dict[str, BridgeError]:
        """Everything through REST: for a resumed session, which is told nothing, and while no session is running. Returns the ids
        of servers that could not be read, with the reason; what was known of such a server stays.

        Raises `Refused` or a DeliveryError if the list of servers cannot be had, and `Refused` for the whole account."""
        failed: dict[str, BridgeError] = {}
        for entry in objects(await transport.call(Route("GET", "/users/@me/guilds", "users/@me/guilds"))):
            guild_id = str(entry.get("id"))
            try:
                await self._load_guild(transport, guild_id, own_user_id)
            except Refused as refused:
                if isinstance(refused.error, AccountDown):
                    raise
                failed[guild_id] = refused.error
            except DeliveryError as error:
                failed[guild_id] = error
            except (KeyError, TypeError, ValueError) as error:
                failed[guild_id] = RetryLater(f"an answer that is not understood: {type(error).__name__}")
        return failed

    async def _load_guild(self, transport: Transport, guild_id: str, own_user_id: str) -> None:
        """One server; it may have thrown the bot out meanwhile. What only helps may be missing: it is then noted as unknown."""
        unknown: dict[str, bool] = {}
        path = f"/guilds/{guild_id}"

        async def get(part: str, what: str) -> Any:
            try:
                return await transport.call(Route("GET", path + what, path + what))
            except Refused as refused:
                if isinstance(refused.error, AccountDown):
                    raise
                unknown[part] = False
            except DeliveryError:
                unknown[part] = True
            return None

        guild: wire.Guild = mapping(await transport.call(Route("GET", path, path)))
        member: wire.Member = mapping(await get(MEMBER, f"/members/{own_user_id}"))
        channels = await get(CHANNELS, "/channels")
        threads: wire.ThreadList = mapping(await get(THREADS, "/threads/active"))
        ours: wire.Member = {**member, "user": {"id": own_user_id}}
        whole_guild: wire.Guild = {**guild, "channels": channels, "threads": threads.get("threads", []), "members": [ours]}
        self._learn_guild(whole_guild, own_user_id, unknown=unknown)

    async def load_one(self, transport: Transport, channel_id: str) -> Place:
        """A channel or thread that no event told of (an archived thread, say)."""
        data = await transport.call(Route("GET", f"/channels/{channel_id}", f"channels/{channel_id}"))
        return self.learn(data)
