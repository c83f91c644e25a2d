"""The Bot API's objects as far as the bridge reads them: plain typed dictionaries, beside `decode`. Types only.

Source: Bot API 10.3 reference, through aiogram 3.31's types. The bridge reads updates as plain JSON and not through aiogram's
models, because one value that a model does not expect fails a whole batch (platforms.md 1.5). Unknown fields are simply not
read, and fields of another type than these are read through `lenient`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, cast

import msgspec

from adapters.common.lenient import Json as Json
from adapters.common.lenient import words
from bridge.model.adapter import OutboundFile


class User(TypedDict, total=False):
    id: int
    is_bot: bool
    first_name: str
    last_name: str
    username: str


class Chat(TypedDict, total=False):
    id: int
    type: str
    title: str
    username: str
    first_name: str
    last_name: str
    is_forum: bool


class Entity(TypedDict, total=False):
    """`offset` and `length` in UTF-16 code units."""

    type: str
    offset: int
    length: int
    url: str
    user: User
    language: str
    custom_emoji_id: str
    unix_time: int
    date_time_format: str


class File(TypedDict, total=False):
    """What PhotoSize, Video, Document, Audio, Voice, VideoNote, Animation and Sticker have in common, and what only some have."""

    file_id: str
    file_unique_id: str
    file_size: int
    file_name: str
    mime_type: str
    width: int
    height: int
    length: int
    duration: int
    performer: str
    title: str
    emoji: str
    is_animated: bool
    is_video: bool


class Message(TypedDict, total=False):
    """`from` is a keyword of Python: read it with `sender_of`."""

    message_id: int
    message_thread_id: int
    is_topic_message: bool
    is_automatic_forward: bool
    sender_chat: Chat
    author_signature: str
    date: int
    edit_date: int
    chat: Chat
    media_group_id: str
    reply_to_message: Message
    external_reply: Json
    quote: Json
    forward_origin: Json
    has_media_spoiler: bool
    text: str
    entities: list[Entity]
    caption: str
    caption_entities: list[Entity]
    link_preview_options: Json
    rich_message: Json
    photo: list[File]
    video: File
    audio: File
    voice: File
    video_note: File
    animation: File
    sticker: File
    document: File
    poll: Json
    location: Json
    venue: Json
    contact: Json
    dice: Json
    story: Json
    game: Json
    checklist: Json
    paid_media: Json
    invoice: Json
    giveaway: Json
    new_chat_members: list[User]
    left_chat_member: User
    new_chat_title: str
    pinned_message: Message
    forum_topic_created: Json
    forum_topic_edited: Json
    migrate_to_chat_id: int
    migrate_from_chat_id: int


class Update(TypedDict, total=False):
    update_id: int
    message: Message
    edited_message: Message
    channel_post: Message
    edited_channel_post: Message
    message_reaction: Json
    poll: Json
    my_chat_member: Json


ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "message_reaction",
    "poll",
    "my_chat_member",
)
"""Asked for by name on every poll, because the server remembers the last list, and an empty one leaves reactions out (platforms.md
1.1). Not asked for: `chat_member` (joins and leaves come as service messages, both would tell everything twice) and
`message_reaction_count` (totals without persons)."""


class Upload(msgspec.Struct, frozen=True):
    """A file to stream from disk, standing in a call's parameters."""

    file: OutboundFile
    name: str


class Call(msgspec.Struct, frozen=True):
    """One Bot API call: aiogram's class name of the method, and its parameters."""

    method: str
    params: Json
    has_files: bool = False


def sender_of(message: Message | Json) -> User | None:
    fields: Mapping[str, Any] = message
    user = fields.get("from")
    return cast("User", user) if isinstance(user, dict) and user else None


def full_name(user: User | Json) -> str:
    """A person's name as Telegram shows it; a deleted account has none."""
    return f"{words(user.get('first_name'))} {words(user.get('last_name'))}".strip() or "Deleted Account"


def chat_name(chat: Chat | Json) -> str:
    full = f"{words(chat.get('first_name'))} {words(chat.get('last_name'))}".strip()
    return words(chat.get("title")) or full or words(chat.get("username"))
