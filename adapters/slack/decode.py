"""Slack's events and history to the bridge's events. Pure: names were looked up beforehand, times come from the payload.

Called by `receiver` (live events) and `catch_up` (history). Keys are made of the channel and `ts`, never of `event_id`, since
whether that stays the same on a redelivery is not documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from adapters.slack import emoji_names
from adapters.slack.decode_files import decode_files
from adapters.slack.decode_text import decode_text
from adapters.slack.names import Names
from adapters.slack.payloads import (
    ChannelRename,
    EventType,
    LegacyAttachment,
    Member,
    Message,
    Pin,
    Reaction,
)
from bridge.events import (
    Author,
    ChatEvent,
    ChatRenamed,
    Content,
    EventMeta,
    Forward,
    Ignored,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
    ReplyTo,
)
from bridge.refs import AccountName, ChatRef
from bridge.text import Mark, Paragraph, Quote, RichText, Text, concat, map_inlines, plain

METADATA_TYPE = "messenger_bridge"
"""`metadata.event_type` of everything the bridge posts; the payload's `id` is the outbound token."""
BLOCK_ID_PREFIX = "mb-"
"""Of the `block_id` of everything the bridge posts, followed by the token: file shares cannot carry metadata."""

_RELAYED_SUBTYPES = frozenset({"file_share", "me_message", "bot_message", "thread_broadcast"})
_SERVICE_SUBTYPES = frozenset(
    {
        "channel_archive",
        "channel_convert_to_private",
        "channel_join",
        "channel_leave",
        "channel_name",
        "channel_posting_permissions",
        "channel_purpose",
        "channel_topic",
        "channel_unarchive",
        "bot_add",
        "bot_disable",
        "bot_enable",
        "bot_remove",
        "group_archive",
        "group_join",
        "group_leave",
        "group_name",
        "group_purpose",
        "group_topic",
        "group_unarchive",
        "huddle_thread",
        "message_replied",
        "pinned_item",
        "reminder_add",
        "tombstone",
        "unpinned_item",
    }
)


class Undecodable(Exception):
    """A payload of a shape this module does not know; `reason` holds no content of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in the workspace. Empty ids match nobody."""

    account: AccountName
    bot_id: str = ""
    user_id: str = ""
    app_id: str = ""

    def owns(self, message: Message) -> bool:
        """Whether this app posted the message. With a custom name the event has a bot_id and no user."""
        return bool(
            (self.bot_id and message.bot_id == self.bot_id)
            or (self.app_id and message.app_id == self.app_id)
            or (self.user_id and message.user == self.user_id)
        )


class Parent(NamedTuple):
    """A thread's first message, as a reply quotes it. Either part may be empty."""

    author_name: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Context:
    """What decoding needs beside the payload. `parents` by channel and `ts`."""

    identity: Identity
    names: Names
    received_at: datetime
    parents: Mapping[tuple[str, str], Parent] = field(default_factory=dict)


def moment(ts: str) -> datetime:
    """The time in a `ts`. Raises Undecodable if it is none; a `ts` is never made a float."""
    seconds, _, fraction = ts.partition(".")
    if not seconds.isdigit() or not (fraction or "0").isdigit():
        raise Undecodable("a ts is no timestamp")
    try:
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int((fraction + "000000")[:6]))
    except (ValueError, OverflowError, OSError):
        raise Undecodable("a ts is no timestamp") from None


def decode_event(raw: bytes | msgspec.Raw, context: Context) -> ChatEvent | Ignored:
    """One event of the Events API. Raises Undecodable."""
    try:
        kind = msgspec.json.decode(raw, type=EventType).type
        match kind:
            case "message":
                return decode_message(msgspec.json.decode(raw, type=Message), context)
            case "reaction_added" | "reaction_removed":
                return _reaction(msgspec.json.decode(raw, type=Reaction), context)
            case "pin_added" | "pin_removed":
                return _pin(msgspec.json.decode(raw, type=Pin), context)
            case "member_joined_channel" | "member_left_channel":
                return _member(msgspec.json.decode(raw, type=Member), context)
            case "channel_rename" | "group_rename":
                return _rename(msgspec.json.decode(raw, type=ChannelRename), context)
            case _:
                return Ignored("event type not relayed")
    except msgspec.ValidationError as error:
        raise Undecodable(f"unexpected shape: {error}") from None
    except msgspec.DecodeError:
        raise Undecodable("no JSON object") from None


# -- messages ---------------------------------------------------------------------------------------------------------------


def decode_message(message: Message, context: Context) -> ChatEvent | Ignored:
    """A message event. Raises Undecodable."""
    if not message.channel:
        raise Undecodable("a message without channel")
    match message.subtype:
        case "message_changed":
            return _changed(message, context)
        case "message_deleted":
            return _deleted(message, context)
        case subtype if subtype in _SERVICE_SUBTYPES:
            return Ignored("service message")
        case subtype if subtype and subtype not in _RELAYED_SUBTYPES and message.hidden:
            return Ignored("hidden message")
        case _:
            return created(message, message.channel, context)


def created(message: Message, channel: str, context: Context) -> MessageCreated:
    """A message as it was posted, live or from history (where `channel` is not in the message). Raises Undecodable."""
    return MessageCreated(
        meta=_message_meta(message, channel, context, key=f"created:{context.identity.account}:{channel}:{message.ts}"),
        message_id=message.ts,
        content=_content(message, channel, context),
    )


def edited(message: Message, channel: str, version: str, context: Context) -> MessageEdited:
    """The new state of a message; `version` is the `ts` of the edit. Raises Undecodable."""
    key = f"edited:{context.identity.account}:{channel}:{message.ts}:{version}"
    return MessageEdited(
        meta=_message_meta(message, channel, context, key=key, at=version),
        message_id=message.ts,
        content=_content(message, channel, context),
    )


def deleted(channel: str, ts: str, context: Context, *, thread_ts: str | None = None, at: datetime | None = None) -> MessageDeleted:
    """The message is gone."""
    meta = _meta(context, channel, f"deleted:{context.identity.account}:{channel}:{ts}", at or context.received_at)
    return MessageDeleted(meta=msgspec.structs.replace(meta, thread_id=_thread(thread_ts, ts)), message_id=ts)


def delivery_id(message: Message) -> str:
    """Our own mark on a message, if it carries one."""
    metadata = message.metadata
    if metadata is not None and metadata.event_type == METADATA_TYPE and metadata.event_payload:
        token = metadata.event_payload.get("id")
        if isinstance(token, str):
            return token
    if message.blocks:
        try:
            blocks = msgspec.json.decode(message.blocks, type=list[_BlockId])
        except msgspec.DecodeError:
            return ""
        for block in blocks:
            if block.block_id.startswith(BLOCK_ID_PREFIX):
                return block.block_id.removeprefix(BLOCK_ID_PREFIX).partition(".")[0]
    return ""


class _BlockId(msgspec.Struct):
    block_id: str = ""


def _changed(outer: Message, context: Context) -> ChatEvent | Ignored:
    """`message_changed` reports real edits, and link previews and file processing as well: those change neither text nor mark."""
    message, previous = outer.message, outer.previous_message
    if message is None or not message.ts:
        raise Undecodable("message_changed without the message")
    if message.subtype == "tombstone":
        return deleted(outer.channel, message.ts, context, thread_ts=message.thread_ts, at=moment(outer.event_ts or outer.ts))
    old_version = previous.edited.ts if previous is not None and previous.edited is not None else ""
    if message.edited is not None and message.edited.ts != old_version:
        return edited(message, outer.channel, message.edited.ts, context)
    if previous is not None and (message.text != previous.text or bytes(message.blocks) != bytes(previous.blocks)):
        # an app's edit by blocks shows no "edited" mark
        return edited(message, outer.channel, outer.event_ts or outer.ts, context)
    return Ignored("change without an edit")


def _deleted(outer: Message, context: Context) -> MessageDeleted:
    ts = outer.deleted_ts or (outer.previous_message.ts if outer.previous_message else "")
    if not ts:
        raise Undecodable("message_deleted without deleted_ts")
    thread_ts = outer.previous_message.thread_ts if outer.previous_message else None
    return deleted(outer.channel, ts, context, thread_ts=thread_ts, at=moment(outer.event_ts or outer.ts or ts))


def _thread(thread_ts: str | None, ts: str) -> str | None:
    return thread_ts if thread_ts and thread_ts != ts else None


def _message_meta(message: Message, channel: str, context: Context, *, key: str, at: str = "") -> EventMeta:
    meta = _meta(context, channel, key, moment(at or message.ts))
    return msgspec.structs.replace(
        meta,
        thread_id=_thread(message.thread_ts, message.ts),
        author=_author(message, context.names),
        sent_by_us=context.identity.owns(message),
        delivery_id=delivery_id(message),
    )


def _meta(context: Context, channel: str, key: str, occurred_at: datetime, author: Author | None = None) -> EventMeta:
    return EventMeta(
        event_key=key,
        origin=ChatRef(context.identity.account, channel),
        occurred_at=occurred_at,
        received_at=context.received_at,
        author=author,
    )


def _author(message: Message, names: Names) -> Author:
    """Who is shown as the author: an app's custom name, the person, or the app's own name."""
    is_bot = bool(message.bot_id or message.subtype == "bot_message")
    if message.username:
        icons = message.icons
        avatar = (icons.image_72 or icons.image_64 or icons.image_48 or icons.image_36 or "") if icons else ""
        return Author(user_id=message.bot_id or message.user or "", name=message.username, avatar_url=avatar, is_bot=is_bot)
    if message.user:
        known = names.users.get(message.user)
        if known is not None:
            return msgspec.structs.replace(known, is_bot=known.is_bot or is_bot)
        profile = message.user_profile
        name = (profile.display_name or profile.real_name) if profile else None
        return Author(user_id=message.user, name=name or message.user, is_bot=is_bot)
    profile_name = message.bot_profile.name if message.bot_profile else None
    return Author(user_id=message.bot_id or "", name=profile_name or message.bot_id or "app", is_bot=True)


def _content(message: Message, channel: str, context: Context) -> Content:
    text = decode_text(message.text, message.blocks, context.names)
    if message.subtype == "me_message":
        text = map_inlines(text, lambda run: Text(run.text, run.marks | Mark.ITALIC, run.link) if isinstance(run, Text) else run)
    attachments, links = decode_files(message.files or ())
    shared, forward = _legacy(message.attachments or (), context.names)
    return Content(
        text=concat(text, links, shared),
        attachments=attachments,
        reply_to=_reply_to(message, channel, context),
        forwarded_from=forward,
    )


def _reply_to(message: Message, channel: str, context: Context) -> ReplyTo | None:
    thread_ts = _thread(message.thread_ts, message.ts)
    if thread_ts is None:
        return None
    parent = context.parents.get((channel, thread_ts), Parent("", ""))
    author = parent.author_name or (context.names.author(message.parent_user_id).name if message.parent_user_id else "")
    return ReplyTo(message_id=thread_ts, author_name=author, excerpt=parent.excerpt)


def _legacy(attachments: tuple[LegacyAttachment, ...] | list[LegacyAttachment], names: Names) -> tuple[RichText, Forward | None]:
    """Text of shared messages and of integrations' boxes; link previews are left out, since the link itself is there."""
    parts: list[RichText] = []
    forward: Forward | None = None
    for attachment in attachments:
        if attachment.is_share or attachment.is_msg_unfurl:
            forward = forward or Forward(author_name=attachment.author_name or "")
            parts.append(_quoted(_box(attachment, names)))
        elif not attachment.from_url:
            parts.append(_box(attachment, names))
    return concat(*parts), forward


def _box(attachment: LegacyAttachment, names: Names) -> RichText:
    parts = [decode_text(attachment.pretext, b"", names)]
    if attachment.title:
        parts.append(RichText((Paragraph((Text(attachment.title, Mark.BOLD, attachment.title_link or None),)),)))
    parts.append(decode_text(attachment.text, b"", names))
    for entry in attachment.fields or ():
        parts.append(RichText((Paragraph((Text(f"{entry.title or ''}: ", Mark.BOLD),)),)) if entry.title else RichText())
        parts.append(decode_text(entry.value, b"", names))
    shown = concat(*parts)
    return shown if shown else plain(attachment.fallback or "")


def _quoted(rich: RichText) -> RichText:
    inner = tuple(block for block in rich.blocks if not isinstance(block, Quote))
    return RichText((Quote(inner),)) if inner else RichText()


# -- everything else --------------------------------------------------------------------------------------------------------


def _reaction(event: Reaction, context: Context) -> ReactionsChanged | Ignored:
    if event.item.type != "message" or not event.item.channel or not event.item.ts:
        return Ignored("reaction to something else than a message")
    channel, ts = event.item.channel, event.item.ts
    emoji = (emoji_names.to_unicode(event.reaction) or context.names.emoji.get(event.reaction) or f":{event.reaction}:",)
    added = event.type == "reaction_added"
    key = f"reactions:{context.identity.account}:{channel}:{ts}:{event.user}:{event.reaction}:{event.type}:{event.event_ts}"
    meta = _meta(context, channel, key, moment(event.event_ts), context.names.author(event.user))
    meta = msgspec.structs.replace(meta, sent_by_us=bool(context.identity.user_id) and event.user == context.identity.user_id)
    return ReactionsChanged(meta=meta, message_id=ts, added=emoji if added else (), removed=() if added else emoji)


def _pin(event: Pin, context: Context) -> PinsChanged | Ignored:
    if event.item.message is None or not event.item.message.ts:
        return Ignored("pin of something else than a message")
    ts = event.item.message.ts
    key = f"pins:{context.identity.account}:{event.channel_id}:{ts}:{event.event_ts}"
    meta = _meta(context, event.channel_id, key, moment(event.event_ts), context.names.author(event.user))
    meta = msgspec.structs.replace(meta, sent_by_us=bool(context.identity.user_id) and event.user == context.identity.user_id)
    return PinsChanged(meta=meta, message_id=ts, pinned=event.type == "pin_added")


def _member(event: Member, context: Context) -> MembershipChanged | Ignored:
    if event.user == context.identity.user_id:
        return Ignored("our own membership")
    joined = event.type == "member_joined_channel"
    key = f"membership:{context.identity.account}:{event.channel}:{event.user}:{event.type}:{event.event_ts}"
    inviter = context.names.author(event.inviter) if event.inviter else None
    return MembershipChanged(
        meta=_meta(context, event.channel, key, moment(event.event_ts), inviter),
        change=MembershipKind.JOINED if joined else MembershipKind.LEFT,
        member=context.names.author(event.user),
    )


def _rename(event: ChannelRename, context: Context) -> ChatRenamed:
    channel = event.channel
    key = f"renamed:{context.identity.account}:{channel.id}:{event.event_ts}"
    return ChatRenamed(meta=_meta(context, channel.id, key, moment(event.event_ts)), name=channel.name)
