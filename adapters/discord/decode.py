"""Native payloads -> chat events. Pure. Called by `receiver` for gateway events and by `history` for messages read back.

A payload that is not as the API reference describes makes `decode` raise KeyError, TypeError, ValueError or AttributeError: the
caller keeps it as undecodable. Attachments, embeds, stickers and polls are in `decode_content`.
Source: API reference, message and gateway events, August 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from adapters.discord.decode_content import author_of, content_of
from adapters.discord.places import READ_MESSAGE_HISTORY, Places
from bridge.events import (
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
    TypingStarted,
)
from bridge.refs import AccountName, ChatRef
from bridge.text import Mark, Paragraph, RichText, Text

Json = Mapping[str, Any]

EPHEMERAL = 1 << 6
LOADING = 1 << 7
ORDINARY_TYPES = (0, 19, 20, 23)
"""Messages, replies, and the answers to slash and context-menu commands."""
_SYSTEM_LINES = {
    1: "added somebody to the thread",
    2: "removed somebody from the thread",
    4: "renamed the channel: {content}",
    8: "boosted the server",
    9: "boosted the server to level 1",
    10: "boosted the server to level 2",
    11: "boosted the server to level 3",
    12: "follows another channel here: {content}",
    18: "started a thread: {content}",
    27: "ended a stage: {content}",
}
"""System messages by type, as a line behind the author's name. Types with an event of their own are handled apart."""
_LOADING_KEPT = 500
_PEOPLE_KEPT = 2000


@dataclass(slots=True)
class Context:
    """What decoding needs to know beside the payload: who we are, the places, and placeholders still to be filled."""

    account: AccountName
    cdn_url: str
    places: Places = field(default_factory=Places)
    user_id: str = ""
    application_id: str = ""
    own_names: tuple[str, ...] = ()
    """What we are called, but for nicknames on single servers."""
    loading: dict[str, None] = field(default_factory=dict)
    """Ids of placeholder messages (flag LOADING) whose content comes with an update; bounded."""
    people: dict[str, Author] = field(default_factory=dict)
    """Who was seen lately, for events that name a person by id only; bounded."""

    def may_read_history(self, channel_id: str) -> bool:
        """Without the right, Discord answers with an empty list. True where the rights are not known."""
        bits = self.places.permissions(channel_id, self.user_id)
        return bits is None or bool(bits & READ_MESSAGE_HISTORY)

    def remember(self, author: Author) -> None:
        self.people.pop(author.user_id, None)
        self.people[author.user_id] = author
        if len(self.people) > _PEOPLE_KEPT:
            del self.people[next(iter(self.people))]


def decode(event: str, data: Json, context: Context, *, position: str) -> list[ChatEvent] | Ignored:
    """Events of one dispatch. `position` (session and sequence) names events that Discord gives no id of their own."""
    match event:
        case "MESSAGE_CREATE":
            return _one(decode_message(data, context))
        case "MESSAGE_UPDATE":
            return _one(_update(data, context))
        case "MESSAGE_DELETE":
            return [_deletion(str(data["id"]), str(data["channel_id"]), context)]
        case "MESSAGE_DELETE_BULK":
            return [_deletion(str(i), str(data["channel_id"]), context) for i in sorted(data["ids"], key=int)]
        case "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE":
            return [_reaction(data, context, added=event.endswith("ADD"), position=position)]
        case "MESSAGE_REACTION_REMOVE_ALL" | "MESSAGE_REACTION_REMOVE_EMOJI":
            return Ignored("reactions cleared by a moderator")
        case "TYPING_START":
            return [_typing(data, context, position)]
        case "CHANNEL_UPDATE" | "THREAD_UPDATE":
            return _rename(data, context, position)
        case "GUILD_MEMBER_REMOVE":
            return _leaving(data, context, position)
    return Ignored("not about messages")


def _one(decoded: ChatEvent | Ignored) -> list[ChatEvent] | Ignored:
    return decoded if isinstance(decoded, Ignored) else [decoded]


# -- messages -----------------------------------------------------------------------------------------------------------------


def decode_message(data: Json, context: Context) -> ChatEvent | Ignored:
    """A message object, from the gateway or from history, as the event of its creation."""
    flags, kind = int(data.get("flags") or 0), int(data.get("type") or 0)
    if flags & EPHEMERAL:
        return Ignored("ephemeral message")
    if flags & LOADING:
        context.loading[str(data["id"])] = None
        while len(context.loading) > _LOADING_KEPT:
            del context.loading[next(iter(context.loading))]
        return Ignored("placeholder of a command")
    message_id = str(data["id"])
    author = author_of(data, context.cdn_url)
    if data.get("webhook_id") is None:
        context.remember(author)
    meta = _message_meta(data, context, "created", author)
    match kind:
        case 6:
            pinned = str((data.get("message_reference") or {}).get("message_id") or "")
            return PinsChanged(meta=meta, message_id=pinned, pinned=True) if pinned else Ignored("pin of a deleted message")
        case 7:
            return MembershipChanged(meta=meta, change=MembershipKind.JOINED, member=author)
        case 21:
            return Ignored("thread starter")
    if meta.sent_by_us:
        return MessageCreated(meta=meta, message_id=message_id, content=Content())  # it is recognised, and goes nowhere
    content = content_of(data, context.places, context.cdn_url)
    if kind not in ORDINARY_TYPES and kind in _SYSTEM_LINES:
        line = _SYSTEM_LINES[kind].format(content=str(data.get("content") or ""))
        content = Content(text=RichText((Paragraph((Text(line, Mark.ITALIC),)),)))
    if content == Content():
        reason = "message without visible content" if kind in ORDINARY_TYPES else f"system message of type {kind}"
        content = Content(text=RichText((Paragraph((Text(f"({reason})", Mark.ITALIC),)),)))
    return MessageCreated(meta=meta, message_id=message_id, content=content)


def _update(data: Json, context: Context) -> ChatEvent | Ignored:
    """An edit, if a person (or bot) edited; previews that resolve, pins and flags update a message too."""
    message_id = str(data["id"])
    if "content" not in data or "author" not in data:
        return Ignored("partial update")
    if message_id in context.loading and not int(data.get("flags") or 0) & LOADING:
        del context.loading[message_id]
        return decode_message(data, context)
    return decode_edit(data, context) or Ignored("update that is no edit")


def decode_edit(data: Json, context: Context) -> MessageEdited | None:
    """The edit that a message object tells of, if it was edited."""
    edited = data.get("edited_timestamp")
    if edited is None:
        return None
    at = datetime.fromisoformat(str(edited)).astimezone(UTC)
    author = author_of(data, context.cdn_url)
    meta = _message_meta(data, context, "edited", author, version=f"{at.timestamp():.6f}", occurred_at=at)
    return MessageEdited(
        meta=meta,
        message_id=str(data["id"]),
        content=content_of(data, context.places, context.cdn_url),
        attachments_known="attachments" in data,
    )


def _message_meta(
    data: Json, context: Context, kind: str, author: Author, *, version: str = "", occurred_at: datetime | None = None
) -> EventMeta:
    message_id, channel_id = str(data["id"]), str(data["channel_id"])
    chat_id, thread_id = context.places.chat_of(channel_id)
    nonce = data.get("nonce")
    is_own = _is_own(data, context)
    return EventMeta(
        event_key=":".join(filter(None, (kind, context.account, chat_id, message_id, version))),
        origin=ChatRef(context.account, chat_id),
        thread_id=thread_id,
        author=author,
        occurred_at=occurred_at or datetime.fromisoformat(str(data["timestamp"])).astimezone(UTC),
        received_at=datetime.now(UTC),
        sent_by_us=is_own,
        delivery_id=nonce if is_own and isinstance(nonce, str) else "",
    )


def _is_own(data: Json, context: Context) -> bool:
    """Posted by this account: by the bot itself, or by a webhook of its application. Others' webhooks and bots are origins."""
    if data.get("webhook_id") is not None:
        return bool(context.application_id) and str(data.get("application_id")) == context.application_id
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
    now = datetime.now(UTC)
    return EventMeta(
        event_key=":".join((kind, context.account, chat_id, *key)),
        origin=ChatRef(context.account, chat_id),
        thread_id=thread_id,
        author=author,
        occurred_at=occurred_at or now,
        received_at=now,
        sent_by_us=sent_by_us,
    )


def _reaction(data: Json, context: Context, *, added: bool, position: str) -> ReactionsChanged:
    message_id, user_id = str(data["message_id"]), str(data["user_id"])
    emoji = data["emoji"]
    shown = f":{emoji['name']}:" if emoji.get("id") else str(emoji["name"])
    key = (message_id, user_id, shown, "added" if added else "removed", position)
    author = _member_author(data, user_id, context)
    meta = _meta(context, "reactions", str(data["channel_id"]), *key, author=author, sent_by_us=user_id == context.user_id)
    if added:
        return ReactionsChanged(meta=meta, message_id=message_id, added=(shown,))
    return ReactionsChanged(meta=meta, message_id=message_id, removed=(shown,))


def _member_author(data: Json, user_id: str, context: Context) -> Author:
    """The person as the event's member object shows them, or as they were last seen; else only the id."""
    member = data.get("member")
    if not member or "user" not in member:
        return context.people.get(user_id) or Author(user_id=user_id, name="")
    author = author_of({"author": member["user"], "member": member, "guild_id": data.get("guild_id")}, context.cdn_url)
    context.remember(author)
    return author


def _typing(data: Json, context: Context, position: str) -> TypingStarted:
    user_id = str(data["user_id"])
    author = _member_author(data, user_id, context)
    return TypingStarted(
        meta=_meta(
            context,
            "typing",
            str(data["channel_id"]),
            user_id,
            position,
            author=author,
            sent_by_us=user_id == context.user_id,
            occurred_at=datetime.fromtimestamp(int(data["timestamp"]), UTC),
        )
    )


def _leaving(data: Json, context: Context, position: str) -> list[ChatEvent] | Ignored:
    """Leaving is told of the server as a whole; it belongs where joining is announced."""
    server = context.places.servers.get(str(data["guild_id"]))
    if server is None or not server.system_channel_id:
        return Ignored("member left a server without a channel for such news")
    member = author_of({"author": data["user"]}, context.cdn_url)
    meta = _meta(context, "left", server.system_channel_id, member.user_id, position)
    return [MembershipChanged(meta=meta, change=MembershipKind.LEFT, member=member)]


def _rename(data: Json, context: Context, position: str) -> list[ChatEvent] | Ignored:
    """Must be called before the places learn of the update: the old name is theirs."""
    channel_id, name = str(data["id"]), str(data["name"])
    known = context.places.get(channel_id)
    if known is None or known.name == name:
        return Ignored("channel update that is no renaming")
    return [ChatRenamed(meta=_meta(context, "renamed", channel_id, channel_id, position), name=name)]
