"""What the adapter knows of servers, channels, threads, roles and emoji: kept from gateway events, or loaded through REST.

Small records instead of discord.py's cache, so that a large server costs little. Pure apart from `load`. Used by `decode`,
`adapter`, `history` and `probe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.discord.errors import Refused
from adapters.discord.transport import Route, Transport
from bridge.errors import AccountDown

THREAD_KINDS = (10, 11, 12)
FORUM_KINDS = (15, 16)
TEXT_KINDS = (0, 2, 5, 13, 15, 16)
"""Text, voice, announcement, stage, forum and media channels; the last two hold threads only."""

# permission bits; source: API reference, "Permissions"
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
        """The bot's own permission bits in a channel; None if the channel is not known.

        Source: API reference, "Permission Overwrites": everyone's role, own roles, then overwrites for everyone, roles, member."""
        place = self._places.get(channel_id)
        if place is not None and place.is_thread and place.parent_id is not None:
            place = self._places.get(place.parent_id)
        server = self.servers.get(place.guild_id) if place is not None else None
        if place is None or server is None:
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

    def apply(self, event: str, data: Mapping[str, Any], own_user_id: str) -> None:
        """Takes in a gateway event; those of other kinds change nothing. Raises KeyError, TypeError or ValueError on nonsense."""
        match event:
            case "GUILD_CREATE":
                self._learn_guild(data, own_user_id)
            case "GUILD_UPDATE":
                known = self.servers.get(str(data["id"]))
                if known is not None:
                    known.name, known.boost_level = str(data["name"]), int(data.get("premium_tier", 0))
                    known.system_channel_id = str(data.get("system_channel_id") or "")
            case "GUILD_DELETE":
                if not data.get("unavailable"):
                    self._forget_guild(str(data["id"]))
            case "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE":
                self.learn(data)
            case "CHANNEL_DELETE" | "THREAD_DELETE":
                self._drop(str(data["id"]))
            case "THREAD_LIST_SYNC":
                for thread in data["threads"]:
                    self.learn(thread, guild_id=str(data["guild_id"]))
            case "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE":
                server = self.servers.get(str(data["guild_id"]))
                if server is not None:
                    server.roles.update(_roles([data["role"]]))
            case "GUILD_ROLE_DELETE":
                server = self.servers.get(str(data["guild_id"]))
                if server is not None:
                    server.roles.pop(str(data["role_id"]), None)
            case "GUILD_MEMBER_UPDATE":
                server = self.servers.get(str(data["guild_id"]))
                if server is not None and str(data["user"]["id"]) == own_user_id:
                    server.own_nick = str(data.get("nick") or "")
            case "GUILD_EMOJIS_UPDATE":
                server = self.servers.get(str(data["guild_id"]))
                if server is not None:
                    server.emojis = _emojis(data["emojis"])
            case "MESSAGE_CREATE":
                place = self._places.get(str(data["channel_id"]))
                if place is not None:
                    place.last_message_id = str(data["id"])

    def learn(self, data: Mapping[str, Any], *, guild_id: str = "") -> Place:
        """A channel or thread object. `guild_id` where the object itself does not hold it."""
        overwrites = tuple(
            (str(o["id"]), int(o.get("allow") or 0), int(o.get("deny") or 0)) for o in data.get("permission_overwrites") or ()
        )
        place = Place(
            id=str(data["id"]),
            name=str(data.get("name") or ""),
            kind=int(data["type"]),
            guild_id=str(data.get("guild_id") or guild_id),
            parent_id=str(data["parent_id"]) if data.get("parent_id") else None,
            last_message_id=str(data["last_message_id"]) if data.get("last_message_id") else None,
            overwrites=overwrites,
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

    def _learn_guild(self, data: Mapping[str, Any], own_user_id: str) -> None:
        guild_id = str(data["id"])
        if data.get("unavailable"):
            return
        server = Server(
            id=guild_id,
            name=str(data["name"]),
            owner_id=str(data.get("owner_id") or ""),
            boost_level=int(data.get("premium_tier") or 0),
            roles=_roles(data.get("roles") or ()),
            emojis=_emojis(data.get("emojis") or ()),
            system_channel_id=str(data.get("system_channel_id") or ""),
        )
        for member in data.get("members") or ():
            if str(member.get("user", {}).get("id")) == own_user_id:
                server.own_roles = tuple(map(str, member.get("roles") or ()))
                server.own_nick = str(member.get("nick") or "")
        self._forget_guild(guild_id)
        self.servers[guild_id] = server
        for channel in (*(data.get("channels") or ()), *(data.get("threads") or ())):
            self.learn(channel, guild_id=guild_id)

    def _forget_guild(self, guild_id: str) -> None:
        self.servers.pop(guild_id, None)
        for place_id in [p.id for p in self._places.values() if p.guild_id == guild_id]:
            self._drop(place_id)

    # -- loading --------------------------------------------------------------------------------------------------------------

    async def load(self, transport: Transport, own_user_id: str) -> None:
        """Everything through REST: for a resumed session, which is told nothing, and while no session is running."""
        for entry in await transport.call(Route("GET", "/users/@me/guilds", "users/@me/guilds")):
            try:
                await self._load_guild(transport, str(entry["id"]), own_user_id)
            except Refused as refused:
                if isinstance(refused.error, AccountDown):
                    raise

    async def _load_guild(self, transport: Transport, guild_id: str, own_user_id: str) -> None:
        """One server; it may have thrown the bot out meanwhile."""

        async def get(what: str) -> Any:
            path = f"/guilds/{guild_id}{what}"
            return await transport.call(Route("GET", path, path))

        member = await get(f"/members/{own_user_id}")
        guild = {
            **await get(""),
            "channels": await get("/channels"),
            "threads": (await get("/threads/active"))["threads"],
            "members": [{**member, "user": {"id": own_user_id}}],
        }
        self._learn_guild(guild, own_user_id)

    async def load_one(self, transport: Transport, channel_id: str) -> Place:
        """A channel or thread that no event told of (an archived thread, say)."""
        data = await transport.call(Route("GET", f"/channels/{channel_id}", f"channels/{channel_id}"))
        return self.learn(data)


def _roles(roles: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, int]]:
    return {str(r["id"]): (str(r["name"]).removeprefix("@"), int(r["permissions"])) for r in roles}


def _emojis(emojis: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, bool]]:
    return {str(e["name"]): (str(e["id"]), bool(e.get("animated"))) for e in emojis if e.get("id") and e.get("name")}
