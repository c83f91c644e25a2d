"""Native payloads -> chat events. Pure. Called by `receiver` for gateway events and by `history` for messages read back.

A payload that is not as the API reference describes makes `decode` raise KeyError, TypeError, ValueError or AttributeError: the
caller keeps it as undecodable. Attachments, embeds, stickers and polls are in `decode_content`.
Source: API reference, message and gateway events, August 2026.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from adapters.discord import wire
from adapters.discord.inbound.decode_content import author_of
from adapters.discord.inbound.decode_context import Context
from adapters.discord.inbound.decode_messages import decode_message, decode_update
from adapters.discord.lenient import mapping, number, text
from adapters.discord.servers import is_locked
from adapters.discord.snowflakes import id_of
from bridge.model.events import (
    Author,
    ChatEvent,
    ChatRenamed,
    EventMeta,
    Ignored,
    MembershipChanged,
    MembershipKind,
    MessageDeleted,
    PinsChanged,
    ReactionsChanged,
    ThreadChange,
    ThreadChanged,
    ThreadDeleted,
    TypingStarted,
)
from bridge.model.refs import ChatRef

DIRECT = 1
"""The type of a direct chat of one person and the bot."""
_LATEST_UNIX_S = 253_402_300_800
"""The year 10000."""


def decode(event: str, data: Any, context: Context, *, position: str) -> list[ChatEvent] | Ignored:
    """Events of one dispatch. `position` (session and sequence) names events that Discord gives no id of their own."""
    match event:
        case "MESSAGE_CREATE":
            return _one(_in_private(decode_message(data, context), data, context))
        case "MESSAGE_UPDATE":
            return _update(data, context, position)
        case "MESSAGE_DELETE":
            return [_deletion(id_of(data["id"]), id_of(data["channel_id"]), context)]
        case "MESSAGE_DELETE_BULK":
            return [_deletion(i, id_of(data["channel_id"]), context) for i in sorted(_ids_in(data["ids"]), key=int)]
        case "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE":
            return _one(_reaction(data, context, added=event.endswith("ADD"), position=position))
        case "MESSAGE_REACTION_REMOVE_ALL" | "MESSAGE_REACTION_REMOVE_EMOJI":
            return Ignored("reactions cleared by a moderator")
        case "TYPING_START":
            return [_typing(data, context, position)]
        case "THREAD_UPDATE":
            return _lock(data, context, position)
        case "CHANNEL_UPDATE":
            return _rename(data, context, position)
        case "GUILD_MEMBER_REMOVE":
            return _leaving(data, context, position)
    return Ignored("not about messages")


def _update(data: wire.Message, context: Context, position: str) -> list[ChatEvent] | Ignored:
    """What a message says now, and whether somebody took its pin away: who, Discord does not tell. A pin is told by a message of
    its own. The bot's own doing is in `seen` before it is told."""
    updated = _one(decode_update(data, context))
    message_id, channel_id = id_of(data["id"]), id_of(data["channel_id"])
    chat_id, _ = context.guilds.chat_of(channel_id)
    if data.get("pinned") is not False or not context.seen.note_pin(chat_id, message_id, pinned=False):
        return updated
    meta = _meta(context, "unpinned", channel_id, message_id, position)
    unpinned = PinsChanged(meta=meta, message_id=message_id, pinned=False)
    return [*(updated if isinstance(updated, list) else ()), unpinned]


def _in_private(decoded: ChatEvent | Ignored, data: wire.Message, context: Context) -> ChatEvent | Ignored:
    """Of the gateway alone: there, a message without a server is of a direct chat (only what is ephemeral has none either). History
    never names the server. Source: API reference, message create, extra fields, August 2026."""
    is_guild = "guild_id" in data or "member" in data or context.guilds.get(id_of(data["channel_id"])) is not None
    if isinstance(decoded, Ignored) or is_guild or data.get("channel_type", DIRECT) != DIRECT:
        return decoded
    return msgspec.structs.replace(decoded, meta=msgspec.structs.replace(decoded.meta, is_private=True))


def _one(decoded: ChatEvent | Ignored) -> list[ChatEvent] | Ignored:
    return decoded if isinstance(decoded, Ignored) else [decoded]


def _deletion(message_id: str, channel_id: str, context: Context) -> MessageDeleted:
    return MessageDeleted(meta=_meta(context, "deleted", channel_id, message_id), message_id=message_id)


def deletion_of(message_id: str, chat_id: str, context: Context) -> MessageDeleted:
    """A message that history no longer shows."""
    return _deletion(message_id, chat_id, context)


def deletion_in(message_id: str, parent_id: str, thread_id: str, context: Context) -> MessageDeleted:
    """A message that went with its thread: of whose channel the server's lists may say nothing any more."""
    account, now = context.identity.account, context.clock.now()
    meta = EventMeta(
        event_key=f"deleted:{account}:{parent_id}:{message_id}",
        origin=ChatRef(account, parent_id),
        thread_id=thread_id,
        occurred_at=now,
        received_at=now,
    )
    return MessageDeleted(meta=meta, message_id=message_id)


def _meta(
    context: Context,
    kind: str,
    channel_id: str,
    *key: str,
    author: Author | None = None,
    sent_by_us: bool = False,
    occurred_at: datetime | None = None,
) -> EventMeta:
    chat_id, thread_id = context.guilds.chat_of(channel_id)
    now = context.clock.now()
    return EventMeta(
        event_key=":".join((kind, context.identity.account, chat_id, *key)),
        origin=ChatRef(context.identity.account, chat_id),
        thread_id=thread_id,
        author=author,
        occurred_at=occurred_at or now,
        received_at=now,
        sent_by_us=sent_by_us,
    )


def _reaction(data: wire.Reaction, context: Context, *, added: bool, position: str) -> ReactionsChanged | Ignored:
    message_id, user_id = id_of(data["message_id"]), id_of(data["user_id"])
    emoji = mapping(data.get("emoji"))
    name = text(emoji.get("name"))
    if not name:
        return Ignored("reaction with an emoji that was deleted")
    shown = f":{name}:" if emoji.get("id") else name
    key = (message_id, user_id, shown, "added" if added else "removed", position)
    author = _member_author(data, user_id, context)
    meta = _meta(
        context, "reactions", id_of(data["channel_id"]), *key, author=author, sent_by_us=user_id == context.identity.user_id
    )
    if added:
        return ReactionsChanged(meta=meta, message_id=message_id, added=(shown,))
    return ReactionsChanged(meta=meta, message_id=message_id, removed=(shown,))


def _ids_in(values: object) -> list[str]:
    """Those that are ids; one that is not must not keep the others."""
    found = []
    for value in values if isinstance(values, list) else ():
        with suppress(ValueError):
            found.append(id_of(value))
    return found


def _member_author(data: wire.Reaction | wire.Typing, user_id: str, context: Context) -> Author:
    """The person as the event's member object shows them, or as they were last seen; else only the id."""
    member = mapping(data.get("member"))
    if not mapping(member.get("user")).get("id"):
        return context.people.get(user_id) or Author(user_id=user_id, name="")
    shown: wire.Message = {"author": member["user"], "member": member, "guild_id": data.get("guild_id") or ""}
    author = author_of(shown, context.cdn_url, context.guilds)
    context.remember(author)
    return author


def _typing(data: wire.Typing, context: Context, position: str) -> TypingStarted:
    user_id = id_of(data["user_id"])
    author = _member_author(data, user_id, context)
    at = number(data.get("timestamp"))
    return TypingStarted(
        meta=_meta(
            context,
            "typing",
            id_of(data["channel_id"]),
            user_id,
            position,
            author=author,
            sent_by_us=user_id == context.identity.user_id,
            occurred_at=datetime.fromtimestamp(at, UTC) if at is not None and at < _LATEST_UNIX_S else None,
        )
    )


def _leaving(data: wire.MemberRemoval, context: Context, position: str) -> list[ChatEvent] | Ignored:
    """Leaving is reported for the whole server; it is shown where joining is announced."""
    server = context.guilds.servers.get(str(data["guild_id"]))
    if server is None or not server.system_channel_id:
        return Ignored("member left a server without a channel for such news")
    member = author_of({"author": data["user"]}, context.cdn_url)
    meta = _meta(context, "left", server.system_channel_id, member.user_id, position)
    return [MembershipChanged(meta=meta, change=MembershipKind.LEFT, member=member)]


def _lock(data: wire.Channel, context: Context, position: str) -> list[ChatEvent] | Ignored:
    """As `_rename`. Who did it is not told."""
    thread_id = id_of(data["id"])
    known, locked = context.guilds.get(thread_id), is_locked(data)
    if known is None or "thread_metadata" not in data:
        return Ignored("change of a thread that is not known")
    was = context.seen.thread(known.parent_id or "", thread_id) or known
    if was.is_locked == locked:
        return Ignored("a thread's renaming is told by a message in it")
    if context.guilds.locks.is_ours(thread_id, locked=locked):
        return Ignored("our own lock of a thread")
    return [lock_of(thread_id, was.name, context, position, locked=locked)]


def lock_of(thread_id: str, title: str, context: Context, position: str, *, locked: bool) -> ThreadChanged:
    """A thread that was locked, or unlocked."""
    meta = msgspec.structs.replace(_meta(context, "thread", thread_id, thread_id, position), thread_title=title)
    return ThreadChanged(meta=meta, change=ThreadChange.CLOSED if locked else ThreadChange.REOPENED)


def renamed_thread(thread_id: str, before: str, name: str, context: Context, position: str) -> ThreadChanged:
    """A thread's new name that no message in it tells."""
    meta = msgspec.structs.replace(_meta(context, "thread_name", thread_id, thread_id, position), thread_title=before)
    return ThreadChanged(meta=meta, change=ThreadChange.RENAMED, name=name)


def thread_deletion(thread_id: str, parent_id: str, title: str, context: Context, position: str) -> ThreadDeleted:
    """A thread that is gone, with all its messages. Another one at the same message has the same id, and may go as well."""
    account, now = context.identity.account, context.clock.now()
    meta = EventMeta(
        event_key=f"thread_deleted:{account}:{parent_id}:{thread_id}:{position}",
        origin=ChatRef(account, parent_id),
        thread_id=thread_id,
        thread_title=title,
        occurred_at=now,
        received_at=now,
    )
    return ThreadDeleted(meta=meta)


def _rename(data: wire.Channel, context: Context, position: str) -> list[ChatEvent] | Ignored:
    """Must be called before the update is taken in: until then it is known what the name was."""
    channel_id, name = id_of(data["id"]), text(data.get("name"))
    known = context.guilds.get(channel_id)
    if known is None or (context.seen.name(channel_id) or known.name) == name or not name:
        return Ignored("channel update that is no renaming")
    return [renamed_channel(channel_id, name, context, position)]


def renamed_channel(channel_id: str, name: str, context: Context, position: str) -> ChatRenamed:
    return ChatRenamed(meta=_meta(context, "renamed", channel_id, channel_id, position), name=name)
