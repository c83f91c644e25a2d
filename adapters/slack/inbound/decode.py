"""Slack's events and history to the bridge's events. Pure: names were looked up beforehand, times come from the payload.

Called by `receiver` (live events) and `catch_up` (history). Keys are made of the channel and `ts`, never of `event_id`, since
whether that stays the same on a redelivery is not documented.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from hashlib import blake2s
from typing import TypeVar

import msgspec

from adapters.slack.inbound.decode_changes import member, pin, reaction, rename
from adapters.slack.inbound.decode_content import author_of, content_of
from adapters.slack.inbound.decode_context import Context, event_meta
from adapters.slack.inbound.decode_files import TOMBSTONE
from adapters.slack.inbound.subtypes import NEWS, SKIPPED, SPOKEN
from adapters.slack.lenient import Undecodable, read
from adapters.slack.names import NO_NAMES
from adapters.slack.timestamps import moment, thread_of
from adapters.slack.wire import ChannelRename, EventType, Member, Message, Pin, Reaction
from bridge.model.events import Author, ChatEvent, Content, EventMeta, Ignored, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.rich_text import Mark, Mention, Paragraph, RichText, Text, concat, map_inlines, normalize, plain, to_plain

_PRIVATE = "im"
"""What Slack calls the chat of one person and the app; one of several people is `mpim`. Source: docs.slack.dev, message event."""


def decode_event(raw: bytes | msgspec.Raw, context: Context) -> ChatEvent | Ignored:
    """One event of the Events API. Raises Undecodable."""
    try:
        kind = read(raw, EventType).type
        match kind:
            case "message":
                return decode_message(read(raw, Message), context)
            case "reaction_added" | "reaction_removed":
                return reaction(read(raw, Reaction), context)
            case "pin_added" | "pin_removed":
                return pin(read(raw, Pin), context)
            case "member_joined_channel" | "member_left_channel":
                return member(read(raw, Member), context)
            case "channel_rename" | "group_rename":
                return rename(read(raw, ChannelRename), context)
            case "user_status_changed":
                return Ignored("status of a person: told in the channels that they are in")
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
        case subtype if subtype in SKIPPED:
            return Ignored(f"service message {subtype}")
        case subtype if subtype and subtype not in SPOKEN and message.hidden:
            return Ignored("hidden message")
        case _:
            return created(message, message.channel, context)


def created(message: Message, channel: str, context: Context) -> MessageCreated:
    """A message as it was posted, live or from history (where `channel` is not in the message). Raises Undecodable."""
    event = MessageCreated(
        meta=_message_meta(message, channel, context, key=f"created:{context.identity.account}:{channel}:{message.ts}"),
        message_id=message.ts,
        content=content_of(message, channel, context),
    )
    return _as_said(event, message.subtype)


_E = TypeVar("_E", MessageCreated, MessageEdited)


def _as_said(event: _E, subtype: str | None) -> _E:
    """News of the channel are in italics, behind the name of who did it. Of a subtype that is not known nobody may have said this:
    it is told under no name."""
    if not subtype or subtype in SPOKEN or subtype in SKIPPED:
        return event
    if subtype in NEWS:
        text = _without_its_author(event.content.text, event.meta.author) or plain(NEWS[subtype])
        text = map_inlines(text, lambda run: Text(run.text, run.marks | Mark.ITALIC, run.link) if isinstance(run, Text) else run)
        return msgspec.structs.replace(event, content=msgspec.structs.replace(event.content, text=text))
    by = f"{event.meta.author.name}: " if event.meta.author is not None else ""
    what = plain(f"({by}something Slack calls {subtype.replace('_', ' ')})")
    content = msgspec.structs.replace(event.content, text=concat(what, event.content.text))
    return msgspec.structs.replace(event, meta=msgspec.structs.replace(event.meta, author=None), content=content)


def _without_its_author(text: RichText, author: Author | None) -> RichText:
    """News often begin with a mention of who did it, whose name is above them already."""
    first = text.blocks[0] if text.blocks else None
    if author is None or not isinstance(first, Paragraph) or not first.inlines:
        return text
    lead, *rest = first.inlines
    if not (isinstance(lead, Mention) and lead.id == author.user_id):
        return text
    if rest and isinstance(follows := rest[0], Text):
        rest[0] = Text(follows.text.lstrip(), follows.marks, follows.link)
    return normalize(RichText((Paragraph(tuple(rest)), *text.blocks[1:])))


def edited(message: Message, channel: str, at: str, context: Context) -> MessageEdited:
    """The new state of a message, since `at`: the `ts` of the change, or of its mark where history tells of it. Files that were
    deleted meanwhile are no part of it, although Slack leaves a tombstone in their place. Raises Undecodable."""
    message = msgspec.structs.replace(message, files=[file for file in message.files or () if file.mode != TOMBSTONE])
    version = _version(message, channel, context) or at
    key = f"edited:{context.identity.account}:{channel}:{message.ts}:{version}"
    event = MessageEdited(
        meta=_message_meta(message, channel, context, key=key, at=at),
        message_id=message.ts,
        content=content_of(message, channel, context),
    )
    return _as_said(event, message.subtype)


def _version(message: Message, channel: str, context: Context) -> str:
    """What names an edit with a mark: the same live and in the history, which has no `ts` of the change. Marks are in whole
    seconds, so what the message says belongs to it. Empty without a mark."""
    if message.edited is None or not message.edited.ts:
        return ""
    return f"{message.edited.ts}~{digest(content_of(message, channel, replace(context, names=NO_NAMES)))}"


def digest(content: Content) -> str:
    """What a message says, in a few characters: equal for equal words and files."""
    said = "\n".join((to_plain(content.text), *(file.unique_id for file in content.attachments)))
    return blake2s(said.encode("utf-8", "replace"), digest_size=6).hexdigest()


def deleted(channel: str, ts: str, context: Context, *, thread_ts: str | None = None, at: datetime | None = None) -> MessageDeleted:
    """The message is gone."""
    meta = event_meta(context, channel, f"deleted:{context.identity.account}:{channel}:{ts}", at or context.received_at)
    return MessageDeleted(meta=msgspec.structs.replace(meta, thread_id=thread_of(thread_ts, ts)), message_id=ts)


def _changed(outer: Message, context: Context) -> ChatEvent | Ignored:
    """`message_changed` reports real edits, and link previews, file processing and new ids of blocks: those change nothing that is
    shown. The change is dated by the event: the mark of an edit is in whole seconds, and apps' updates have none."""
    message, previous = outer.message, outer.previous_message
    if message is None or not message.ts:
        raise Undecodable("message_changed without the message")
    changed_at = outer.event_ts or outer.ts
    if message.subtype == "tombstone":
        return deleted(outer.channel, message.ts, context, thread_ts=message.thread_ts, at=moment(changed_at))
    if _is_edit(message, previous, context, outer.channel):
        return edited(message, outer.channel, changed_at, context)
    return Ignored("change without an edit")


def _is_edit(message: Message, previous: Message | None, context: Context, channel: str) -> bool:
    mark = message.edited.ts if message.edited is not None else ""
    if previous is None:
        return bool(mark or message.bot_id)
    if mark and mark != (previous.edited.ts if previous.edited is not None else ""):
        return True
    if _live_files(message) != _live_files(previous):
        return True  # a file was deleted, or taken out of the message
    return content_of(message, channel, context).text != content_of(previous, channel, context).text


def _live_files(message: Message) -> set[str]:
    return {file.id for file in message.files or () if file.mode != TOMBSTONE}


def _deleted(outer: Message, context: Context) -> MessageDeleted:
    ts = outer.deleted_ts or (outer.previous_message.ts if outer.previous_message else "")
    if not ts:
        raise Undecodable("message_deleted without deleted_ts")
    thread_ts = outer.previous_message.thread_ts if outer.previous_message else None
    return deleted(outer.channel, ts, context, thread_ts=thread_ts, at=moment(outer.event_ts or outer.ts or ts))


def _message_meta(message: Message, channel: str, context: Context, *, key: str, at: str = "") -> EventMeta:
    meta = event_meta(context, channel, key, moment(at or message.ts))
    return msgspec.structs.replace(
        meta,
        thread_id=thread_of(message.thread_ts, message.ts),
        author=author_of(message, context.names),
        sent_by_us=context.identity.owns(message),
        delivery_id=context.identity.delivery_id(message),
        is_private=message.channel_type == _PRIVATE,
    )
