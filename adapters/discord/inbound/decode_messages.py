"""Message objects, from the gateway or from history -> created and edited messages, and the lines of system messages. Pure.

Called by `decode` and `history`. What a message says is read in `decode_content`. A message that is not as the API reference
describes makes these raise KeyError, TypeError, ValueError or AttributeError. Source: API reference, message resource, August 2026.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from adapters.discord import wire
from adapters.discord.inbound import decode_service as system_messages
from adapters.discord.inbound.decode_content import author_of, content_of
from adapters.discord.inbound.decode_context import Context
from adapters.discord.inbound.decode_polls import votes_of
from adapters.discord.inbound.decode_service import SPOKEN, ignored_reason, line_of
from adapters.discord.lenient import flags_of, mapping, moment, text, whole
from adapters.discord.snowflakes import id_of, moment_of
from bridge.model.events import (
    Author,
    ChatEvent,
    ChatRenamed,
    Content,
    EventMeta,
    Ignored,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    MessageEdited,
    PinsChanged,
    ReplyTo,
    ThreadChange,
    ThreadChanged,
)
from bridge.model.refs import ChatRef
from bridge.model.rich_text import Mark, Paragraph, RichText, Text, concat

EPHEMERAL = 1 << 6


LOADING = 1 << 7


UNKNOWN_TYPE = -1


def decode_message(data: wire.Message, context: Context) -> ChatEvent | Ignored:
    """A message object, from the gateway or from history, as the event of its creation."""
    flags, kind = flags_of(data.get("flags")), _kind_of(data)
    if flags & EPHEMERAL:
        return Ignored("ephemeral message")
    if flags & LOADING:
        context.await_content(id_of(data["id"]))
        return Ignored("placeholder of a command")
    author = author_of(data, context.cdn_url, context.guilds)
    if data.get("webhook_id") is None:
        context.remember(author)
    meta = _message_meta(data, context, "created", author)
    if kind in SPOKEN:
        return _spoken(data, meta, context)
    return _system_message(data, kind, meta, author, context)


def _kind_of(data: wire.Message) -> int:
    return whole(data.get("type"), UNKNOWN_TYPE) if data.get("type") is not None else 0


def _spoken(data: wire.Message, meta: EventMeta, context: Context) -> MessageCreated:
    content = Content() if meta.sent_by_us else _content(data, meta, context)  # our own is recognised, and goes nowhere
    return MessageCreated(meta=meta, message_id=id_of(data["id"]), content=content)


def _content(data: wire.Message, meta: EventMeta, context: Context) -> Content:
    """What a message says, and of which thread or post it is where that is not the route's own."""
    content = content_of(data, context.guilds, context.cdn_url, context.name_of)
    if _shows_nothing(content):
        content = msgspec.structs.replace(content, text=_note("(message without visible content)", Mark.ITALIC))
    chat_id, thread_id = meta.origin.chat_id, meta.thread_id
    if thread_id is None:
        return content
    title = context.guilds.channel_name(thread_id)
    if str(data["id"]) == thread_id:  # a forum's post begins with it
        tags = "".join(f" [{tag}]" for tag in context.guilds.tags_of(thread_id))
        head = RichText((Paragraph((Text(title, int(Mark.BOLD)), Text(tags))),))
        return msgspec.structs.replace(content, text=concat(head, content.text))
    if content.reply_to is None and not context.is_end(chat_id, thread_id):
        return msgspec.structs.replace(content, reply_to=ReplyTo(message_id=thread_id, excerpt=title))
    return content


def _system_message(data: wire.Message, kind: int, meta: EventMeta, author: Author, context: Context) -> ChatEvent | Ignored:
    """An event of its own kind, otherwise a line; never the content as if somebody had said it."""
    message_id = id_of(data["id"])
    match kind:
        case system_messages.RENAMED:
            name = text(data.get("content")).strip()
            if not name:
                return Ignored("renaming without a name")
            if meta.thread_id is not None:
                return ThreadChanged(meta=meta, change=ThreadChange.RENAMED, name=name)
            return ChatRenamed(meta=meta, name=name)
        case system_messages.PINNED:
            pinned = str(mapping(data.get("message_reference")).get("message_id") or "")
            return PinsChanged(meta=meta, message_id=pinned, pinned=True) if pinned else Ignored("pin of a deleted message")
        case system_messages.JOINED:
            return MembershipChanged(meta=meta, change=MembershipKind.JOINED, member=author)
        case system_messages.THREAD_STARTER:
            return Ignored("thread starter")
    if reason := ignored_reason(kind):
        return Ignored(reason)
    if kind == system_messages.POLL_RESULT:
        content = content_of({**data, "content": ""}, context.guilds, context.cdn_url, context.name_of)
        if not _shows_nothing(content):
            return MessageCreated(meta=meta, message_id=message_id, content=content)
    return MessageCreated(meta=meta, message_id=message_id, content=Content(text=line_of(data, kind)))


def _shows_nothing(content: Content) -> bool:
    return not (content.text or content.attachments or content.poll)


def _note(words: str, mark: Mark) -> RichText:
    return RichText((Paragraph((Text(words, int(mark)),)),))


def decode_update(data: wire.Message, context: Context) -> ChatEvent | Ignored:
    """An edit, if a person (or bot) edited; previews that resolve, pins and flags update a message too."""
    message_id = id_of(data["id"])
    if "content" not in data or "author" not in data:
        return Ignored("partial update")
    if message_id in context.loading and not flags_of(data.get("flags")) & LOADING:
        del context.loading[message_id]
        return decode_message(data, context)
    if edit := decode_edit(data, context):
        return edit
    votes = votes_of(data, context)
    return votes if votes is not None and votes.closed else Ignored("update that is no edit")


def decode_edit(data: wire.Message, context: Context) -> MessageEdited | None:
    """The edit that a message object tells of, if it was edited; only what somebody said can be."""
    edited = data.get("edited_timestamp")
    if not edited or _kind_of(data) not in SPOKEN or flags_of(data.get("flags")) & EPHEMERAL:
        return None
    at = moment(edited)
    version = f"{at.timestamp():.6f}" if at is not None else str(edited)[:40]
    meta = _message_meta(
        data,
        context,
        "edited",
        author_of(data, context.cdn_url, context.guilds),
        version=version,
        occurred_at=at or context.clock.now(),
    )
    return MessageEdited(
        meta=meta,
        message_id=id_of(data["id"]),
        content=Content() if meta.sent_by_us else _content(data, meta, context),
        attachments_known="attachments" in data,
    )


def _message_meta(
    data: wire.Message, context: Context, kind: str, author: Author, *, version: str = "", occurred_at: datetime | None = None
) -> EventMeta:
    message_id, channel_id = id_of(data["id"]), id_of(data["channel_id"])
    chat_id, thread_id = context.guilds.chat_of(channel_id)
    nonce = data.get("nonce")
    ours = context.identity.wrote(data)
    return EventMeta(
        event_key=":".join(filter(None, (kind, context.identity.account, chat_id, message_id, version))),
        origin=ChatRef(context.identity.account, chat_id),
        thread_id=thread_id,
        thread_title=context.guilds.channel_name(thread_id) if thread_id is not None else "",
        author=author,
        occurred_at=occurred_at or moment(data.get("timestamp")) or moment_of(message_id),
        received_at=context.clock.now(),
        sent_by_us=ours,
        delivery_id=nonce if ours and isinstance(nonce, str) else "",
    )
