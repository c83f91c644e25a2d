"""What Slack sends, as far as the bridge reads it: typed shapes, read by `lenient`.

Only what a type names as `STRICT`, and what has no default, must be of its type: ids, the channel, the kind of event. Every other
field is as if it were not there when it is of another type. Source: docs.slack.dev event reference and the fact that app messages,
file shares and user messages differ; read 2026-11.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec


class _Wire(msgspec.Struct, kw_only=True):
    pass


class File(_Wire):
    IDS: ClassVar[frozenset[str]] = frozenset({"id"})

    id: str = ""
    name: str | None = None
    title: str | None = None
    mimetype: str | None = None
    filetype: str | None = None
    pretty_type: str | None = None
    size: int | None = None
    mode: str | None = None
    subtype: str | None = None
    url_private: str | None = None
    url_private_download: str | None = None
    permalink: str | None = None
    duration_ms: float | None = None
    original_w: int | None = None
    original_h: int | None = None
    file_access: str | None = None
    alt_txt: str | None = None
    is_external: bool = False


class AttachmentField(_Wire):
    title: str | None = None
    value: Any = None


class LegacyAttachment(_Wire):
    """An attachment in Slack's old sense: a link preview, a shared message, or a coloured box of an integration."""

    fallback: str | None = None
    pretext: str | None = None
    title: str | None = None
    title_link: str | None = None
    text: str | None = None
    author_name: str | None = None
    author_subname: str | None = None
    author_link: str | None = None
    author_id: str | None = None
    channel_name: str | None = None
    footer: str | None = None
    ts: Any = None
    image_url: str | None = None
    thumb_url: str | None = None
    from_url: str | None = None
    is_share: bool = False
    is_msg_unfurl: bool = False
    is_app_unfurl: bool = False
    fields: list[AttachmentField] | None = None
    files: list[File] | None = None
    blocks: Any = None
    message_blocks: Any = None
    actions: Any = None


class Edited(_Wire):
    ts: str = ""
    user: str | None = None


class Metadata(_Wire):
    event_type: str = ""
    event_payload: dict[str, Any] | None = None


class Icons(_Wire):
    emoji: str | None = None
    image_36: str | None = None
    image_48: str | None = None
    image_64: str | None = None
    image_72: str | None = None


class BotProfile(_Wire):
    name: str | None = None
    app_id: str | None = None
    icons: Icons | None = None


class UserProfile(_Wire):
    """Both of `users.info` and of the short form that some messages carry."""

    name: str | None = None
    display_name: str | None = None
    real_name: str | None = None
    image_72: str | None = None
    image_192: str | None = None
    bot_id: str | None = None
    email: str | None = None
    """Only with the scope users:read.email."""
    status_text: str | None = None
    status_emoji: str | None = None


class User(_Wire):
    id: str
    name: str | None = None
    real_name: str | None = None
    is_bot: bool = False
    profile: UserProfile | None = None


class Message(_Wire):
    STRICT: ClassVar[frozenset[str]] = frozenset({"ts", "channel"})
    IDS: ClassVar[frozenset[str]] = frozenset(
        {"app_id", "bot_id", "deleted_ts", "event_ts", "latest_reply", "parent_user_id", "thread_ts", "user"}
    )

    ts: str = ""
    channel: str = ""
    channel_type: str | None = None
    subtype: str | None = None
    hidden: bool = False
    user: str | None = None
    username: str | None = None
    text: str | None = None
    mrkdwn: bool = True
    blocks: msgspec.Raw = msgspec.Raw(b"")
    attachments: list[LegacyAttachment] | None = None
    files: list[File] | None = None
    thread_ts: str | None = None
    parent_user_id: str | None = None
    edited: Edited | None = None
    bot_id: str | None = None
    app_id: str | None = None
    bot_profile: BotProfile | None = None
    user_profile: UserProfile | None = None
    icons: Icons | None = None
    metadata: Metadata | None = None
    message: Message | None = None
    previous_message: Message | None = None
    deleted_ts: str | None = None
    latest_reply: str | None = None
    event_ts: str | None = None


class UserGroup(_Wire):
    """Of usergroups.list, subteam_created and subteam_updated. People write the handle."""

    id: str
    handle: str | None = None
    name: str | None = None


class UserGroupChanged(_Wire):
    subteam: UserGroup


class Bot(_Wire):
    """Of bots.info."""

    id: str
    name: str | None = None


class ReactionItem(_Wire):
    type: str
    channel: str | None = None
    ts: str | None = None


class Reaction(_Wire):
    type: str
    user: str
    reaction: str
    item: ReactionItem
    event_ts: str


class PinItem(_Wire):
    type: str
    message: Message | None = None


class Pin(_Wire):
    type: str
    user: str
    channel_id: str
    event_ts: str
    item: PinItem


class Member(_Wire):
    type: str
    user: str
    channel: str
    event_ts: str
    inviter: str | None = None


class Channel(_Wire):
    id: str
    name: str = ""
    is_member: bool = False
    is_archived: bool = False


class ChannelRename(_Wire):
    channel: Channel
    event_ts: str


class ChannelState(_Wire):
    """channel_archive, channel_unarchive, channel_deleted, channel_left: the channel's bare id."""

    channel: str


class ChannelIdChanged(_Wire):
    old_channel_id: str
    new_channel_id: str


class EmojiChanged(_Wire):
    """`name` and `value` for an addition; a removed alias goes on meaning what it meant."""

    name: str | None = None
    value: str | None = None


class UserChange(_Wire):
    user: User


class UserStatus(_Wire):
    """Of user_status_changed."""

    user: User
    event_ts: str = ""


class TokensRevoked(_Wire):
    """`tokens`: lists of the ids of people (`oauth`) and of bots (`bot`), not the tokens themselves. Source: docs.slack.dev, event
    tokens_revoked, November 2026."""

    tokens: Any = None


class EventType(_Wire):
    """The first look at an event: what it is, and for a message, of which thread."""

    type: str
    channel: Any = None
    thread_ts: Any = None
    ts: Any = None
    message: Any = None

    @property
    def place(self) -> tuple[Any, Any]:
        """`thread_ts` and `ts` of the message; an edit has it within."""
        within = self.message
        return (within.get("thread_ts"), within.get("ts")) if isinstance(within, dict) else (self.thread_ts, self.ts)


class Callback(_Wire):
    """The outer object of an event, over a socket (`payload`) or HTTP (the body)."""

    type: str
    event: msgspec.Raw = msgspec.Raw(b"")
    event_id: str | None = None
    team_id: str | None = None
    api_app_id: str | None = None
    challenge: str | None = None


class ConnectionInfo(_Wire):
    app_id: str | None = None


class Frame(_Wire):
    """One Socket Mode frame."""

    type: str
    envelope_id: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"")
    reason: str | None = None
    connection_info: ConnectionInfo | None = None
    num_connections: int | None = None
    retry_attempt: int | None = None
