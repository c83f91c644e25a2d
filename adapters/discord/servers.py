"""Servers and channels as small records: what is kept of Discord's guild and channel objects. Pure. Used by `guild_cache`.

Small records instead of discord.py's cache, so that a large server costs little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapters.discord import wire
from adapters.discord.lenient import mapping, objects, text, whole

THREAD_KINDS = (10, 11, 12)
FORUM_KINDS = (15, 16)
REQUIRE_TAG = 1 << 4
"""Of a channel's flags. Source: API reference, "Channel Flags"."""
TEXT_KINDS = (0, 2, 5, 13, 15, 16)
"""Text, voice, announcement, stage, forum and media channels; the last two hold threads only."""

MEMBER, CHANNELS, ROLES, THREADS = "the bot's own roles", "the channels", "the roles", "the open threads"


@dataclass(slots=True)
class Channel:
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
    is_locked: bool = False
    """Of a thread: only moderators write into it."""
    requires_tag: bool = False
    """Of a forum: its posts must have a tag."""

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
                self.roles.update(roles_of([data.get("role")]))
                if self.id in self.roles:  # everyone's
                    self.unknown.pop(ROLES, None)
            case "GUILD_ROLE_DELETE":
                self.roles.pop(str(data.get("role_id")), None)
            case "GUILD_MEMBER_UPDATE":
                if str(mapping(data.get("user")).get("id")) == own_user_id:
                    self.learn_ourselves(data)
            case "GUILD_EMOJIS_UPDATE":
                self.emojis = emojis_of(data.get("emojis"))

    def learn_ourselves(self, member: wire.Member) -> None:
        """Our own member object."""
        if isinstance(member.get("roles"), list):
            self.unknown.pop(MEMBER, None)
            self.own_roles = tuple(text(role) for role in member["roles"])
        self.own_nick = text(member.get("nick"))


def roles_of(values: list[wire.Role] | None) -> dict[str, tuple[str, int]]:
    return {str(r.get("id")): (text(r.get("name")).removeprefix("@"), whole(r.get("permissions"))) for r in objects(values)}


def emojis_of(values: list[wire.Emoji] | None) -> dict[str, tuple[str, bool]]:
    found = ((text(e.get("name")), text(e.get("id")), e.get("animated") is True) for e in objects(values))
    return {name: (emoji_id, animated) for name, emoji_id, animated in found if name and emoji_id}


def is_locked(channel: wire.Channel) -> bool:
    """Whether a thread is closed by a moderator. One that is only archived is not: it wakes with its next message, and falls asleep
    by itself (API reference, "Thread Metadata")."""
    return mapping(channel.get("thread_metadata")).get("locked") is True


def tags_of(values: list[wire.Tag] | None) -> dict[str, str]:
    """Of a forum, by id. Those that only moderators may give come last (API reference, "Forum Tag")."""
    ordered = sorted(objects(values), key=lambda tag: tag.get("moderated") is True)
    return {text(tag.get("id")): text(tag.get("name")) for tag in ordered}
