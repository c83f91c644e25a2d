"""The records an emulated Discord consists of: users, channels, webhooks, messages, permissions. No I/O.

Messages are immutable: a change makes a new record, so that the log of changes can be rendered later, when somebody looks.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntFlag
from typing import Any

import msgspec


class Permission(IntFlag):
    """Source: Discord API reference, "Permissions"; PIN_MESSAGES separate since 2026-02-23."""

    MANAGE_CHANNELS = 1 << 4
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    MANAGE_WEBHOOKS = 1 << 29
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38
    SEND_VOICE_MESSAGES = 1 << 46
    SEND_POLLS = 1 << 49
    PIN_MESSAGES = 1 << 51


BOT_PERMISSIONS = Permission(2885445466057792)
"""The permissions that the bridge's invitation requests."""


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who a message shows as its sender; for a webhook the persona of that one message."""

    id: int
    username: str
    display_name: str
    avatar: str | None = None
    avatar_url: str = ""
    is_bot: bool = False


class StoredAttachment(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    filename: str
    mime: str
    size_bytes: int
    sha256: str
    description: str | None = None
    title: str | None = None
    is_spoiler: bool = False
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    waveform: str | None = None


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """0 is a reply, 1 a forward."""

    kind: int
    channel_id: int
    message_id: int


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    emoji_id: int | None = None
    is_animated: bool = False
    user_ids: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.name}:{self.emoji_id}" if self.emoji_id is not None else self.name


class Message(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    channel_id: int
    author: Author
    content: str = ""
    sent_at: datetime
    edited_at: datetime | None = None
    type: int = 0
    flags: int = 0
    attachments: tuple[StoredAttachment, ...] = ()
    embeds: tuple[dict[str, Any], ...] = ()
    mentions: tuple[int, ...] = ()
    """Users whom this message pings."""
    mention_roles: tuple[int, ...] = ()
    mention_everyone: bool = False
    nonce: str | int | None = None
    webhook_id: int | None = None
    application_id: int | None = None
    reference: Reference | None = None
    snapshot: dict[str, Any] | None = None
    stickers: tuple[dict[str, Any], ...] = ()
    poll: dict[str, Any] | None = None
    voters: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """Of a poll: the ids of the answers with those of the users who chose them."""
    components: tuple[dict[str, Any], ...] = ()
    reactions: tuple[Reaction, ...] = ()
    pinned_at: datetime | None = None
    thread_id: int | None = None
    is_deleted: bool = False


@dataclass(slots=True)
class User:
    id: int
    username: str
    display_name: str
    avatar: str | None = None
    is_bot: bool = False


@dataclass(slots=True)
class Bot:
    """A bot application with its user, token and the switches of its page in the developer portal."""

    user: User
    application_id: int
    token: str
    permissions: Permission = BOT_PERMISSIONS
    role_id: int = 0
    presence: tuple[str, list[str]] = ("online", [])
    """Its status, and the words of its activities."""
    nick: str | None = None
    """Nickname in the guild."""
    message_content: bool = True
    """The MESSAGE CONTENT INTENT switch."""
    guild_members: bool = True
    """The SERVER MEMBERS INTENT switch."""
    is_member: bool = True
    """Whether it was invited to the guild."""

    @property
    def flags(self) -> int:
        """The limited (under 10,000 users) intents as application flags."""
        return (1 << 19 if self.message_content else 0) | (1 << 15 if self.guild_members else 0)


DIRECT = 1


@dataclass(slots=True)
class Channel:
    id: int
    name: str
    kind: int = 0
    """0 text, 1 direct, 11 public thread, 15 forum, 16 media."""
    parent_id: int | None = None
    owner_id: int | None = None
    is_archived: bool = False
    is_locked: bool = False
    archived_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    denied: dict[int, Permission] = field(default_factory=dict)
    """Per bot user: what a channel overwrite takes away."""
    messages: dict[int, Message] = field(default_factory=dict)
    seen: dict[int, Message] = field(default_factory=dict)
    """As `messages`, with the deleted ones marked: for the transcript."""
    order: list[int] = field(default_factory=list)
    pins: list[int] = field(default_factory=list)
    last_message_id: int | None = None
    requires_tag: bool = False
    """Of a forum: its posts must have a tag; it then has one, `news`."""

    @property
    def is_direct(self) -> bool:
        """A chat of one person and the bot, of no server."""
        return self.kind == DIRECT

    @property
    def is_thread(self) -> bool:
        return self.kind in (10, 11, 12)

    @property
    def is_forum(self) -> bool:
        """Holds posts, which are threads, and no messages."""
        return self.kind in (15, 16)

    def add(self, message: Message, kept: int) -> None:
        self.messages[message.id] = message
        self.seen[message.id] = message
        self.order.append(message.id)
        self.last_message_id = message.id
        over = len(self.order) - kept
        if over > kept // 10:  # several at a time: the list is long
            for old in self.order[:over]:
                self.messages.pop(old, None)
                self.seen.pop(old, None)
            del self.order[:over]

    def replace(self, message: Message) -> None:
        self.messages[message.id] = message
        self.seen[message.id] = message

    def remove(self, message: Message) -> Message:
        gone = msgspec.structs.replace(message, is_deleted=True)
        self.messages.pop(message.id, None)
        self.seen[message.id] = gone
        if message.id in self.pins:
            self.pins.remove(message.id)
        return gone

    def page(self, *, limit: int, after: int | None, before: int | None, around: int | None) -> list[Message]:
        """Newest first, as the API answers; `after` gives the oldest `limit` messages behind it."""
        if after is not None:
            start = bisect.bisect_right(self.order, after)
            ids = self._alive(range(start, len(self.order)), limit)[::-1]
        elif around is not None:
            middle = bisect.bisect_left(self.order, around)
            older = self._alive(range(middle - 1, -1, -1), limit // 2)
            newer = self._alive(range(middle, len(self.order)), limit - limit // 2)
            ids = newer[::-1] + older
        else:
            end = len(self.order) if before is None else bisect.bisect_left(self.order, before)
            ids = self._alive(range(end - 1, -1, -1), limit)
        return [self.messages[i] for i in ids]

    def _alive(self, positions: range, limit: int) -> list[int]:
        found: list[int] = []
        for position in positions:
            if len(found) >= limit:
                break
            if self.order[position] in self.messages:
                found.append(self.order[position])
        return found


@dataclass(slots=True)
class Webhook:
    id: int
    token: str
    channel_id: int
    name: str
    creator: User
    application_id: int | None = None
    avatar: str | None = None


@dataclass(slots=True)
class Emoji:
    id: int
    name: str
    is_animated: bool = False
