"""What the emulated Telegram knows: people, chats, messages, files; and the Bot API objects they look like on the wire.

Plain data and its rendering. Changing it, and telling bots about it, is `world.World`.
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

_ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)


@dataclass(slots=True, eq=False)
class Person:
    """A user or a bot. For bots `sees_everything` is the negation of BotFather's privacy mode."""

    user_id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    is_bot: bool = False
    sees_everything: bool = True

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def wire(self) -> Json:
        user: Json = {"id": self.user_id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.last_name:
            user["last_name"] = self.last_name
        if self.username:
            user["username"] = self.username
        return user

    def wire_me(self) -> Json:
        return self.wire() | {
            "can_join_groups": True,
            "can_read_all_group_messages": self.sees_everything,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }


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

    def wire(self) -> Json:
        return {"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": self.size_bytes}


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
    service: bool = False

    def wire(self, *, with_reply: bool = True) -> Json:
        wire: Json = {"message_id": self.message_id}
        if self.sender is not None and self.chat.type != "channel":
            wire["from"] = self.sender.wire()
        wire["chat"] = self.chat.wire()
        wire["date"] = self.date
        if self.edit_date:
            wire["edit_date"] = self.edit_date
        if self.thread_id is not None:
            wire["message_thread_id"] = self.thread_id
            if self.chat.is_forum:
                wire["is_topic_message"] = True
        if self.group_id:
            wire["media_group_id"] = self.group_id
        if with_reply:
            replied = self.chat.messages.get(self.reply_to) if self.reply_to is not None else None
            if replied is None and self.chat.is_forum and self.thread_id is not None:
                # a plain message of a topic answers the topic's creation message (platforms.md 1.2)
                replied = self.chat.messages.get(self.thread_id)
            if replied is not None and not replied.deleted:
                wire["reply_to_message"] = replied.wire(with_reply=False)
                if self.quote is not None:
                    wire["quote"] = self.quote
        wire.update(self.extra)
        wire.update(self.content)
        return wire

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
    topics: dict[int, str] = field(default_factory=dict)
    closed_topics: set[int] = field(default_factory=set)
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

    def wire(self) -> Json:
        chat: Json = {"id": self.chat_id, "title": self.title, "type": self.type}
        if self.is_forum:
            chat["is_forum"] = True
        return chat

    def wire_full(self) -> Json:
        full = self.wire() | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(
                ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
            ),
            "permissions": {
                "can_send_messages": True,
                "can_send_photos": True,
                "can_send_videos": True,
                "can_send_documents": True,
                "can_send_audios": True,
                "can_send_voice_notes": True,
                "can_send_video_notes": True,
                "can_send_polls": True,
                "can_send_other_messages": True,
                "can_add_web_page_previews": True,
                "can_change_info": False,
                "can_invite_users": True,
                "can_pin_messages": False,
                "can_manage_topics": False,
            },
        }
        if self.allowed_reactions is not None:
            full["available_reactions"] = [{"type": "emoji", "emoji": emoji} for emoji in sorted(self.allowed_reactions)]
        if self.pinned and (pinned := self.messages.get(self.pinned[-1])) is not None:
            full["pinned_message"] = pinned.wire()
        return full


def member_wire(person: Person, status: str) -> Json:
    """A ChatMember object."""
    member: Json = {"status": status, "user": person.wire()}
    if status == ADMINISTRATOR:
        member |= dict.fromkeys(_ADMIN_RIGHTS, True) | {"can_be_edited": False, "is_anonymous": False}
    elif status == KICKED:
        member["until_date"] = 0
    return member
