"""Native payloads -> chat events. Pure. Called by `receiver` for gateway events and by `history` for messages read back.

A payload that is not as the API reference describes makes `decode` raise KeyError, TypeError, ValueError or AttributeError: the
caller keeps it as undecodable. Attachments, embeds, stickers and polls are in `decode_content`.
Source: API reference, message and gateway events, August 2026.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from adapters.discord import wire
from adapters.discord.directory import READ_MESSAGE_HISTORY, Places
from adapters.discord.inbound import decode_service as system_messages
from adapters.discord.inbound.decode_content import author_of, content_of
from adapters.discord.inbound.decode_service import SPOKEN, ignored_reason, line_of
from adapters.discord.lenient import mapping, moment, number, text, whole
from adapters.discord.snowflakes import id_of, moment_of
from bridge.model.clock import SYSTEM_CLOCK, Clock
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
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
    ReplyTo,
    TypingStarted,
)
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import Mark, Paragraph, RichText, Text, concat

EPHEMERAL = 1 << 6
LOADING = 1 << 7
UNKNOWN_TYPE = -1
_LATEST_UNIX_S = 253_402_300_800
"""The year 10000."""
_LOADING_KEPT = 500
_PEOPLE_KEPT = 2000


@dataclass(slots=True)
class Context:
    """What decoding needs to know beside the payload: who we are, the places, and placeholders still to be filled."""

    account: AccountName
    cdn_url: str
    clock: Clock = SYSTEM_CLOCK
    places: Places = field(default_factory=Places)
    user_id: str = ""
    application_id: str = ""
    own_names: tuple[str, ...] = ()
    """What we are called, but for nicknames on single servers."""
    own_webhooks: set[str] = field(default_factory=set)
    """Ids of the webhooks that we made or posted through."""
    is_end: Callable[[str, str], bool] = lambda _chat, _thread: False
    """Whether a thread of a chat is an end of a route by itself: then its messages need not say of which thread they are."""
    loading: dict[str, None] = field(default_factory=dict)
    """Ids of placeholder messages (flag LOADING) whose content comes with an update; bounded."""
    people: dict[str, Author] = field(default_factory=dict)
    """Who was seen lately, for events that name a person by id only; bounded."""

    def may_read_history(self, channel_id: str) -> bool:
        """Without the right, Discord answers with an empty list. True where the rights are not known."""
        bits = self.places.permissions(channel_id, self.user_id)
        return bits is None or bool(bits & READ_MESSAGE_HISTORY)

    def name_of(self, user_id: str) -> str:
        """Of somebody seen lately, or of ourselves; else empty."""
        if user_id == self.user_id:
            return next(iter(self.own_names), "")
        return self.people[user_id].name if user_id in self.people else ""

    def remember(self, author: Author) -> None:
        self.people.pop(author.user_id, None)
        self.people[author.user_id] = author
        if len(self.people) > _PEOPLE_KEPT:
            del self.people[next(iter(self.people))]


def decode(event: str, data: Any, context: Context, *, position: str) -> list[ChatEvent] | Ignored:
    """Events of one dispatch. `position` (session and sequence) names events that Discord gives no id of their own."""
    match event:
        case "MESSAGE_CREATE":
            return _one(decode_message(data, context))
        case "MESSAGE_UPDATE":
            return _one(_update(data, context))
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
            return Ignored("a thread's renaming is told by a message in it")
        case "CHANNEL_UPDATE":
            return _rename(data, context, position)
        case "GUILD_MEMBER_REMOVE":
            return _leaving(data, context, position)
    return Ignored("not about messages")


def _one(decoded: ChatEvent | Ignored) -> list[ChatEvent] | Ignored:
    return decoded if isinstance(decoded, Ignored) else [decoded]


# -- messages -----------------------------------------------------------------------------------------------------------------


def decode_message(data: wire.Message, context: Context) -> ChatEvent | Ignored:
    """A message object, from the gateway or from history, as the event of its creation."""
    flags, kind = whole(data.get("flags")), _kind_of(data)
    if flags & EPHEMERAL:
        return Ignored("ephemeral message")
    if flags & LOADING:
        context.loading[id_of(data["id"])] = None
        while len(context.loading) > _LOADING_KEPT:
            del context.loading[next(iter(context.loading))]
        return Ignored("placeholder of a command")
    author = author_of(data, context.cdn_url)
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
    content = content_of(data, context.places, context.cdn_url, context.name_of)
    if _shows_nothing(content):
        content = msgspec.structs.replace(content, text=_note("(message without visible content)", Mark.ITALIC))
    chat_id, thread_id = meta.origin.chat_id, meta.thread_id
    if thread_id is None:
        return content
    title = context.places.channel_name(thread_id)
    if str(data["id"]) == thread_id:  # a forum's post begins with it
        tags = "".join(f" [{tag}]" for tag in context.places.tags_of(thread_id))
        head = RichText((Paragraph((Text(title, int(Mark.BOLD)), Text(tags))),))
        return msgspec.structs.replace(content, text=concat(head, content.text))
    if content.reply_to is None and not context.is_end(chat_id, thread_id):
        return msgspec.structs.replace(content, reply_to=ReplyTo(message_id=thread_id, excerpt=title))
    return content


def _system_message(data: wire.Message, kind: int, meta: EventMeta, author: Author, context: Context) -> ChatEvent | Ignored:
    """What is told in a form of its own, else a line; never the content as if somebody had said it."""
    message_id = id_of(data["id"])
    match kind:
        case system_messages.RENAMED:
            name = text(data.get("content")).strip()
            return ChatRenamed(meta=meta, name=name) if name else Ignored("renaming without a name")
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
        content = content_of({**data, "content": ""}, context.places, context.cdn_url, context.name_of)
        if not _shows_nothing(content):
            return MessageCreated(meta=meta, message_id=message_id, content=content)
    return MessageCreated(meta=meta, message_id=message_id, content=Content(text=line_of(data, kind)))


def _shows_nothing(content: Content) -> bool:
    return not (content.text or content.attachments or content.poll)


def _note(words: str, mark: Mark) -> RichText:
    return RichText((Paragraph((Text(words, int(mark)),)),))


def _update(data: wire.Message, context: Context) -> ChatEvent | Ignored:
    """An edit, if a person (or bot) edited; previews that resolve, pins and flags update a message too."""
    message_id = id_of(data["id"])
    if "content" not in data or "author" not in data:
        return Ignored("partial update")
    if message_id in context.loading and not whole(data.get("flags")) & LOADING:
        del context.loading[message_id]
        return decode_message(data, context)
    return decode_edit(data, context) or Ignored("update that is no edit")


def decode_edit(data: wire.Message, context: Context) -> MessageEdited | None:
    """The edit that a message object tells of, if it was edited; only what somebody said can be."""
    edited = data.get("edited_timestamp")
    if not edited or _kind_of(data) not in SPOKEN or whole(data.get("flags")) & EPHEMERAL:
        return None
    at = moment(edited)
    version = f"{at.timestamp():.6f}" if at is not None else str(edited)[:40]
    meta = _message_meta(
        data, context, "edited", author_of(data, context.cdn_url), version=version, occurred_at=at or context.clock.now()
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
    chat_id, thread_id = context.places.chat_of(channel_id)
    nonce = data.get("nonce")
    ours = is_own(data, context)
    return EventMeta(
        event_key=":".join(filter(None, (kind, context.account, chat_id, message_id, version))),
        origin=ChatRef(context.account, chat_id),
        thread_id=thread_id,
        author=author,
        occurred_at=occurred_at or moment(data.get("timestamp")) or moment_of(message_id),
        received_at=context.clock.now(),
        sent_by_us=ours,
        delivery_id=nonce if ours and isinstance(nonce, str) else "",
    )


def is_own(data: wire.Message, context: Context) -> bool:
    """Posted by this account: by the bot itself, or by a webhook of its application. Others' webhooks and bots are origins,
    whatever marks they carry. Either mark of a webhook will do: some servers leave the application out."""
    webhook_id = data.get("webhook_id")
    if webhook_id is not None:
        ours = bool(context.application_id) and str(data.get("application_id")) == context.application_id
        return ours or str(webhook_id) in context.own_webhooks
    return str(data["author"]["id"]) == context.user_id


def _deletion(message_id: str, channel_id: str, context: Context) -> MessageDeleted:
    return MessageDeleted(meta=_meta(context, "deleted", channel_id, message_id), message_id=message_id)


def deletion_of(message_id: str, chat_id: str, context: Context) -> MessageDeleted:
    """A message that history no longer shows."""
    return _deletion(message_id, chat_id, context)


# -- everything else ----------------------------------------------------------------------------------------------------------


def _meta(
    context: Context,
    kind: str,
    channel_id: str,
    *key: str,
    author: Author | None = None,
    sent_by_us: bool = False,
    occurred_at: datetime | None = None,
) -> EventMeta:
    chat_id, thread_id = context.places.chat_of(channel_id)
    now = context.clock.now()
    return EventMeta(
        event_key=":".join((kind, context.account, chat_id, *key)),
        origin=ChatRef(context.account, chat_id),
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
    meta = _meta(context, "reactions", id_of(data["channel_id"]), *key, author=author, sent_by_us=user_id == context.user_id)
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
    author = author_of({"author": member["user"], "member": member, "guild_id": data.get("guild_id") or ""}, context.cdn_url)
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
            sent_by_us=user_id == context.user_id,
            occurred_at=datetime.fromtimestamp(at, UTC) if at is not None and at < _LATEST_UNIX_S else None,
        )
    )


def _leaving(data: wire.MemberRemoval, context: Context, position: str) -> list[ChatEvent] | Ignored:
    """Leaving is told of the server as a whole; it belongs where joining is announced."""
    server = context.places.servers.get(str(data["guild_id"]))
    if server is None or not server.system_channel_id:
        return Ignored("member left a server without a channel for such news")
    member = author_of({"author": data["user"]}, context.cdn_url)
    meta = _meta(context, "left", server.system_channel_id, member.user_id, position)
    return [MembershipChanged(meta=meta, change=MembershipKind.LEFT, member=member)]


def _rename(data: wire.Channel, context: Context, position: str) -> list[ChatEvent] | Ignored:
    """Must be called before the places learn of the update: the old name is theirs."""
    channel_id, name = id_of(data["id"]), text(data.get("name"))
    known = context.places.get(channel_id)
    if known is None or known.name == name or not name:
        return Ignored("channel update that is no renaming")
    return [ChatRenamed(meta=_meta(context, "renamed", channel_id, channel_id, position), name=name)]
