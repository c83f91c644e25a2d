"""Discord's objects as far as the bridge reads them: plain typed dictionaries. Types only.

What arrives is read by `lenient`: a type says what the API reference states, and only ids, channel and author are relied on. Not
`discord.types`: its fields are required or a union per kind, and a component of an unknown kind has no type there.
Source: API reference, resources and gateway events, August 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

Json = Mapping[str, Any]
"""An object whose shape is not known yet."""


class User(TypedDict, total=False):
    id: str
    username: str
    global_name: str | None
    avatar: str | None
    bot: bool
    member: Member
    """Only where a message mentions the user."""


class Member(TypedDict, total=False):
    """A user's side on one server."""

    user: User
    nick: str | None
    avatar: str | None
    roles: list[str]


class Role(TypedDict, total=False):
    id: str
    name: str
    permissions: str


class Emoji(TypedDict, total=False):
    id: str | None
    name: str | None
    animated: bool


class Overwrite(TypedDict, total=False):
    id: str
    allow: str
    deny: str


class Tag(TypedDict, total=False):
    id: str
    name: str
    moderated: bool


class ThreadMetadata(TypedDict, total=False):
    archived: bool
    locked: bool


class Channel(TypedDict, total=False):
    """Also a thread, which is a channel with a parent."""

    id: str
    type: int
    name: str
    guild_id: str
    parent_id: str | None
    last_message_id: str | None
    permission_overwrites: list[Overwrite]
    available_tags: list[Tag]
    applied_tags: list[str]
    thread_metadata: ThreadMetadata


class Guild(TypedDict, total=False):
    """Also an unavailable one, of which only the id is given."""

    id: str
    unavailable: bool
    name: str
    owner_id: str
    premium_tier: int
    roles: list[Role]
    emojis: list[Emoji]
    system_channel_id: str | None
    members: list[Member]
    channels: list[Channel]
    threads: list[Channel]


class ThreadList(TypedDict, total=False):
    """The answer to a listing of archived or active threads, and THREAD_LIST_SYNC."""

    guild_id: str
    threads: list[Channel]
    has_more: bool


class Application(TypedDict, total=False):
    id: str
    name: str
    flags: int


class Webhook(TypedDict, total=False):
    id: str
    token: str
    name: str | None
    channel_id: str
    application_id: str | None
    user: User


class SessionStartLimit(TypedDict, total=False):
    total: int
    remaining: int
    reset_after: int
    """Milliseconds."""


class GatewayAddress(TypedDict, total=False):
    url: str
    session_start_limit: SessionStartLimit


class Attachment(TypedDict, total=False):
    id: str
    filename: str
    title: str
    description: str
    content_type: str
    size: int
    url: str
    width: int | None
    height: int | None
    duration_secs: float
    flags: int


class Sticker(TypedDict, total=False):
    id: str
    name: str
    format_type: int


class Media(TypedDict, total=False):
    """A picture, video or file of an embed or component."""

    url: str
    content_type: str
    width: int | None
    height: int | None


class EmbedPart(TypedDict, total=False):
    """Provider, author or footer."""

    name: str
    url: str
    text: str


class EmbedField(TypedDict, total=False):
    name: str
    value: str


class Embed(TypedDict, total=False):
    type: str
    title: str
    description: str
    url: str
    timestamp: str
    provider: EmbedPart
    author: EmbedPart
    footer: EmbedPart
    fields: list[EmbedField]
    image: Media
    video: Media
    thumbnail: Media


class Option(TypedDict, total=False):
    """Of a menu."""

    label: str
    default: bool


class Component(TypedDict, total=False):
    """Of any kind, and an item of a gallery: which fields there are depends on the type."""

    type: int
    components: list[Component]
    component: Component
    accessory: Component
    items: list[Component]
    content: str
    divider: bool
    spoiler: bool
    media: Media
    file: Media
    url: str
    emoji: Emoji
    label: str
    title: str
    name: str
    description: str
    placeholder: str
    options: list[Option]


class PollMedia(TypedDict, total=False):
    text: str
    emoji: Emoji


class PollAnswer(TypedDict, total=False):
    answer_id: int
    poll_media: PollMedia


class PollAnswerCount(TypedDict, total=False):
    id: int
    count: int


class PollResults(TypedDict, total=False):
    is_finalized: bool
    answer_counts: list[PollAnswerCount]


class Poll(TypedDict, total=False):
    question: PollMedia
    answers: list[PollAnswer]
    allow_multiselect: bool
    expiry: str | None
    results: PollResults


class PollVote(TypedDict, total=False):
    """MESSAGE_POLL_VOTE_ADD and _REMOVE."""

    user_id: str
    channel_id: str
    message_id: str
    guild_id: str
    answer_id: int


class MessageReference(TypedDict, total=False):
    type: int
    message_id: str
    channel_id: str


class Interaction(TypedDict, total=False):
    type: int
    name: str
    user: User
    member: Member


class Activity(TypedDict, total=False):
    type: int


class Sound(TypedDict, total=False):
    name: str
    emoji_name: str | None


class RoleSubscription(TypedDict, total=False):
    tier_name: str
    total_months_subscribed: int
    is_renewal: bool


class ProductPurchase(TypedDict, total=False):
    product_name: str


class PurchaseNotification(TypedDict, total=False):
    guild_product_purchase: ProductPurchase


class Snapshot(TypedDict, total=False):
    message: Message


class Message(TypedDict, total=False):
    """From the gateway, from history, or as a snapshot in a forward (then without author and ids)."""

    id: str
    channel_id: str
    channel_type: int
    guild_id: str
    author: User
    member: Member
    content: str
    timestamp: str
    edited_timestamp: str | None
    type: int
    flags: int
    nonce: str | int
    webhook_id: str
    application_id: str
    mentions: list[User]
    mention_channels: list[Channel]
    attachments: list[Attachment]
    sticker_items: list[Sticker]
    stickers: list[Sticker]
    embeds: list[Embed]
    components: list[Component]
    poll: Poll
    message_reference: MessageReference
    referenced_message: Message | None
    message_snapshots: list[Snapshot]
    interaction: Interaction
    activity: Activity
    application: Application
    soundboard_sounds: list[Sound]
    role_subscription_data: RoleSubscription
    purchase_notification: PurchaseNotification


class Ready(TypedDict, total=False):
    user: User
    guilds: list[Guild]


class Reaction(TypedDict, total=False):
    """MESSAGE_REACTION_ADD and _REMOVE."""

    user_id: str
    channel_id: str
    message_id: str
    guild_id: str
    member: Member
    emoji: Emoji


class Typing(TypedDict, total=False):
    user_id: str
    channel_id: str
    guild_id: str
    member: Member
    timestamp: int
    """Seconds since 1970."""


class MemberRemoval(TypedDict, total=False):
    guild_id: str
    user: User


ErrorAnswer = TypedDict(
    "ErrorAnswer", {"code": int, "message": str, "errors": object, "retry_after": float, "global": bool}, total=False
)
"""Of a refusal; `errors` is a tree of faulty fields."""
