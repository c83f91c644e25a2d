"""What the emulated Telegram knows: people, chats, messages, files. Plain data; `wire` has what they look like to a bot.

Changing it, and telling bots about it, is `world.World`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ADMINISTRATOR = "administrator"
MEMBER = "member"
KICKED = "kicked"
LEFT = "left"


@dataclass(slots=True, eq=False)
class Person:
    """A user or a bot. For bots `sees_everything` is the negation of BotFather's privacy mode."""

    user_id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    is_bot: bool = False
    sees_everything: bool = True
    pictures: list[StoredFile] = field(default_factory=list)
    """Sizes of the current profile photo, small to large; empty: there is none, or bots may not see it."""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(slots=True, eq=False)
class StoredFile:
    """A file's bytes (in memory or at `path`) and what Telegram says about it."""

    file_id: str
    unique_id: str
    name: str
    mime: str
    size_bytes: int
    sha256: str
    content: bytes | None = None
    path: Path | None = None
    width: int = 0
    height: int = 0
    file_path: str = ""
    """The path under /file/bot<token>/ that getFile hands out."""

    def read(self) -> bytes:
        if self.content is not None:
            return self.content
        assert self.path is not None
        return self.path.read_bytes()


@dataclass(slots=True, eq=False)
class Message:
    """One message. `content` holds the Bot API fields that carry its content: text and entities, or media and caption."""

    chat: Chat
    message_id: int
    date: int
    sender: Person | None
    content: Json
    thread_id: int | None = None
    reply_to: int | None = None
    quote: Json | None = None
    group_id: str = ""
    edit_date: int = 0
    deleted: bool = False
    reactions: dict[int, list[str]] = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    ballots: dict[int, list[int]] = field(default_factory=dict)
    """Of a poll: for which options each person has voted."""
    service: bool = False
    silent: bool = False
    """Posted without a sound (`disable_notification`). The Bot API tells it to nobody."""
    was_live: bool = False
    """Of a place: it was a live location, which has ended."""

    @property
    def text(self) -> str:
        return str(self.content.get("text") or self.content.get("caption") or "")

    @property
    def entities(self) -> list[Json]:
        return list(self.content.get("entities") or self.content.get("caption_entities") or ())


@dataclass(slots=True, eq=False)
class Chat:
    """A group, supergroup or channel. `bots` maps a bot's id to its status there."""

    chat_id: int
    title: str
    type: str = "supergroup"
    is_forum: bool = False
    username: str = ""
    """Its public name; empty: it is private."""
    topics: dict[int, str] = field(default_factory=dict)
    closed_topics: set[int] = field(default_factory=set)
    """1 is the General topic, which is not among `topics`."""
    general_name: str = "General"
    messages: dict[int, Message] = field(default_factory=dict)
    albums: dict[str, list[int]] = field(default_factory=dict)
    last_message_id: int = 0
    bots: dict[int, str] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    moved_to: int | None = None
    allowed_reactions: frozenset[str] | None = None
    """None: every standard emoji."""
    forbidden_kinds: frozenset[str] = frozenset()
    """Kinds of content that the chat's permissions do not allow, `photo` for instance."""
