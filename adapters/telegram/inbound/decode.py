"""Bot API updates -> chat events. Pure; called by `receiver` for one update at a time.

Works on plain JSON, so that one strange value spoils one update and not a batch. `Undecodable` means: store it, count it, continue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from adapters.common.lenient import identity, record, records, whole, words
from adapters.telegram.inbound.content_digest import content_digest
from adapters.telegram.inbound.decode_content import decode_content, decode_item
from adapters.telegram.inbound.decode_files import decode_file
from adapters.telegram.inbound.decode_kinds import decode_poll, unknown_kind
from adapters.telegram.inbound.decode_people import author_of, author_of_message
from adapters.telegram.inbound.decode_reactions import reactions_of
from adapters.telegram.inbound.decode_service import SERVICE_FIELDS, news
from adapters.telegram.inbound.decode_topics import is_about_topic, topic_change
from adapters.telegram.inbound.decoded import AlbumItem, Decoded, Moved, Removed, Restored, Undecodable
from adapters.telegram.inbound.updates import kind_of
from adapters.telegram.poll_places import Place
from adapters.telegram.wire import Json, Message, Update, User, chat_name, sender_of
from bridge.model.events import (
    Attachment,
    Author,
    ChatRenamed,
    Content,
    EventMeta,
    Ignored,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    MessageEdited,
    PinsChanged,
    PollVotesChanged,
    ReactionsChanged,
)
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import RichText, plain

DOWNLOAD_BYTES = 20 * 1024**2
"""The largest file that the cloud's getFile hands out. Source: platforms.md 1.4."""

_T = TypeVar("_T")


class Decoder(msgspec.Struct, frozen=True, kw_only=True):
    """Decodes for one account. `bot_id` recognises our own service messages; `custom_emoji` has the emoji that custom emoji stand
    for, by id; times of receipt are the caller's."""

    account: AccountName
    bot_id: str
    download_bytes: int | None = DOWNLOAD_BYTES
    custom_emoji: Mapping[str, str] = {}
    pictures: Callable[[RichText, int | None], tuple[Attachment, ...]] = lambda _rich, _download_bytes: ()
    """The pictures of a text that is nothing but custom emoji."""
    topic_name: Callable[[str, str], str] = lambda _chat_id, _topic_id: ""
    learn: Callable[[object, str], None] = lambda _username, _chat_id: None
    """Told of each message's chat: its public name, if it has one, and its id."""

    def update(self, update: Update | Json, received_at: datetime) -> Sequence[Decoded]:
        """What an update means. Raises Undecodable, and nothing else, for a shape that is not understood."""
        return _guarded(lambda: self._update(update, received_at), kind_of(update))

    def album(self, messages: Sequence[Message], received_at: datetime) -> MessageCreated:
        """The event of a collected album. Raises Undecodable."""
        return _guarded(lambda: self._created(messages, received_at), "an album")

    def _update(self, update: Any, received_at: datetime) -> Sequence[Decoded]:
        for kind in ("message", "channel_post"):
            if kind in update:
                return self._message(update[kind], received_at)
        for kind in ("edited_message", "edited_channel_post"):
            if kind in update:
                return [self._edited(update[kind], int(update["update_id"]), received_at)]
        if "message_reaction" in update:
            return [self._reaction(update["message_reaction"], int(update["update_id"]), received_at)]
        if "my_chat_member" in update:
            return [_membership_of_bot(update["my_chat_member"])]
        return [Ignored(f"update of kind {kind_of(update)}")]

    # -- messages -----------------------------------------------------------------------------------------------------------

    def _message(self, message: Message, received_at: datetime) -> Sequence[Decoded]:
        moved = _moved(message)
        if moved is not None:
            return [moved]
        if message.get("is_automatic_forward") is True:
            return [Ignored("automatic forward from the linked channel")]
        if "ephemeral_message_id" in message or "receiver_user" in message:
            return [Ignored("shown to one person alone")]
        if message["message_id"] == 0:
            return [Ignored("message without an id")]
        service = self._service(message, received_at)
        if service is not None:
            return service
        if group := words(message.get("media_group_id")):
            int(self._created([message], received_at).message_id)  # fails here, alone, and not with the others
            return [AlbumItem(f"{message['chat']['id']}/{group}", message)]
        return [self._created([message], received_at)]

    def _created(self, messages: Sequence[Message], received_at: datetime) -> MessageCreated:
        first = messages[0]
        content = decode_content(messages, download_bytes=self.download_bytes)
        meta = self._meta(first, "created", received_at)
        if content is None:
            # no person said this: it may be a service message of a kind newer than this program
            by = f"{meta.author.name}: " if meta.author is not None else ""
            content = Content(text=plain(f"({by}something Telegram calls {unknown_kind(first) or 'an empty message'})"))
            meta = msgspec.structs.replace(meta, author=None)
        return MessageCreated(
            meta=meta,
            message_id=identity(first["message_id"]),
            content=self._pictured(content),
            also_ids=tuple(identity(message["message_id"]) for message in messages[1:]),
            items=tuple(decode_item(message, download_bytes=self.download_bytes) for message in messages)
            if words(first.get("media_group_id"))
            else (),
        )

    def _edited(self, message: Message, update_id: int, received_at: datetime) -> Decoded:
        if message.get("is_automatic_forward") is True:
            return Ignored("automatic forward from the linked channel")
        if "edit_date" not in message:
            return Ignored("edit without a visible change")
        content = decode_content([message], download_bytes=self.download_bytes)
        if content is None:
            return Ignored("edit of a message without known content")
        # dates are whole seconds, within which a bot may say one thing, another, and the first again
        edited_at = whole(message["edit_date"]) or int(received_at.timestamp())
        version = f"{message['edit_date']}-{update_id}-{content_digest(content)}"
        return MessageEdited(
            meta=self._meta(message, "edited", received_at, version=version, at=edited_at),
            message_id=identity(message["message_id"]),
            content=self._pictured(content),
            album_item=bool(words(message.get("media_group_id"))),
        )

    def _pictured(self, content: Content) -> Content:
        if not content.text or content.attachments:
            return content
        pictures = self.pictures(content.text, self.download_bytes)
        return msgspec.structs.replace(content, pictures=pictures) if pictures else content

    def _service(self, message: Message, received_at: datetime) -> Sequence[Decoded] | None:
        """What a service message means; None for an ordinary one."""
        if "text" in message or "caption" in message:
            return None
        if "new_chat_members" in message:
            joined = MembershipKind.JOINED
            return [self._membership(message, user, joined, received_at) for user in records(message["new_chat_members"])]
        if member := record(message.get("left_chat_member")):
            return [self._membership(message, member, MembershipKind.LEFT, received_at)]
        if pinned := record(message.get("pinned_message")):
            meta = self._meta(message, "pins", received_at)
            return [PinsChanged(meta=meta, message_id=identity(pinned["message_id"]), pinned=True)]
        if title := words(message.get("new_chat_title")):
            return [ChatRenamed(meta=self._meta(message, "renamed", received_at), name=title)]
        fields: Mapping[str, Any] = message
        if is_about_topic(fields):
            return [topic_change(fields, self._meta(message, "thread", received_at))]
        found = next((field for field in message if field in SERVICE_FIELDS), None)
        if found is None:
            return None
        line = news(found, fields[found])
        if line is None:
            return [Ignored(f"service message {found}")]
        meta = self._meta(message, "created", received_at)
        picture = decode_file("photo", fields[found], False, self.download_bytes) if found == "new_chat_photo" else None
        content = Content(text=line, attachments=(picture,) if picture else ())
        return [MessageCreated(meta=meta, message_id=identity(message["message_id"]), content=content)]

    def _membership(self, message: Message, user: User | Json, change: MembershipKind, received_at: datetime) -> MembershipChanged:
        meta = self._meta(message, "membership", received_at, version=f"{user['id']}")
        return MembershipChanged(meta=meta, change=change, member=author_of(user))

    # -- reactions ----------------------------------------------------------------------------------------------------------

    def _reaction(self, reaction: Json, update_id: int, received_at: datetime) -> Decoded:
        old = reactions_of(reaction.get("old_reaction"), self.custom_emoji)
        new = reactions_of(reaction.get("new_reaction"), self.custom_emoji)
        added = tuple(emoji for emoji in new if emoji not in old)
        removed = tuple(emoji for emoji in old if emoji not in new)
        if not added and not removed:
            return Ignored("reaction without a change")
        chat_id, message_id = identity(reaction["chat"]["id"]), identity(reaction["message_id"])
        user, actor = record(reaction.get("user")), record(reaction.get("actor_chat"))
        author = author_of(user) if user else Author(user_id=identity(actor["id"]), name=chat_name(actor)) if actor else None
        meta = EventMeta(
            event_key=f"reactions:{self.account}:{chat_id}:{message_id}:{update_id}",
            origin=ChatRef(self.account, chat_id),
            occurred_at=_moment(reaction.get("date"), received_at),
            received_at=received_at,
            author=author,
            sent_by_us=author is not None and author.user_id == self.bot_id,
            is_private=reaction["chat"].get("type") == "private",
        )
        return ReactionsChanged(meta=meta, message_id=message_id, added=added, removed=removed)

    def _title(self, message: Message, chat_id: str, thread_id: str | None) -> str:
        """Of the topic, where its name is known: else as the message shows it that the topic was made by, which a plain message of
        the topic answers (platforms.md 1.2)."""
        if thread_id is None:
            return ""
        made = record(record(message.get("reply_to_message")).get("forum_topic_created"))
        return self.topic_name(chat_id, thread_id) or words(made.get("name"))

    def poll(self, update: Update | Json, place: Place | None, received_at: datetime) -> Decoded:
        """The state of a poll, which is in the message at `place`. Raises Undecodable."""
        return _guarded(lambda: self._poll(update, place, received_at), "poll")

    def _poll(self, update: Any, place: Place | None, received_at: datetime) -> Decoded:
        poll = decode_poll(record(update["poll"]))
        if place is None or poll is None:
            return Ignored("votes on a poll that is not known")
        meta = EventMeta(
            event_key=f"votes:{self.account}:{place.chat_id}:{place.message_id}:{int(update['update_id'])}",
            origin=ChatRef(self.account, place.chat_id),
            thread_id=place.thread_id or None,
            occurred_at=received_at,
            received_at=received_at,
        )
        votes = tuple(option.votes or 0 for option in poll.options)
        return PollVotesChanged(meta=meta, message_id=place.message_id, votes=votes, closed=poll.closed)

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _meta(self, message: Message, kind: str, received_at: datetime, *, version: str = "", at: int | None = None) -> EventMeta:
        chat_id, message_id = identity(message["chat"]["id"]), identity(message["message_id"])
        self.learn(message["chat"].get("username"), chat_id)
        sender = sender_of(message)
        key = f"{kind}:{self.account}:{chat_id}:{message_id}"
        return EventMeta(
            event_key=f"{key}:{version}" if version else key,
            origin=ChatRef(self.account, chat_id),
            thread_id=(thread_id := _thread(message)),
            thread_title=self._title(message, chat_id, thread_id),
            author=author_of_message(message),
            occurred_at=_moment(message.get("date") if at is None else at, received_at),
            received_at=received_at,
            sent_by_us=sender is not None and words(sender.get("id")) == self.bot_id and "sender_chat" not in message,
            is_private=message["chat"].get("type") == "private",
        )


def _guarded(decode: Callable[[], _T], what: str) -> _T:
    try:
        return decode()
    except Undecodable:
        raise
    except Exception as error:  # one update must not stop the others, whatever is wrong with it or with us
        raise Undecodable(f"{type(error).__name__} in {what}") from error


def _moved(message: Message) -> Moved | None:
    chat_id = identity(message["chat"]["id"])
    if new := whole(message.get("migrate_to_chat_id")):
        return Moved(chat_id, str(new))
    if old := whole(message.get("migrate_from_chat_id")):
        return Moved(str(old), chat_id)
    return None


def _membership_of_bot(change: Json) -> Removed | Restored:
    status = str(change["new_chat_member"]["status"])
    if status in ("administrator", "creator"):
        return Restored(str(change["chat"]["id"]))
    return Removed(str(change["chat"]["id"]), words(change["chat"].get("title")), status)


def _thread(message: Message) -> str | None:
    """Only forum topics are threads: other supergroups carry `message_thread_id` on reply chains, and the General topic has none
    (platforms.md 1.2)."""
    if message.get("is_topic_message") and message.get("message_thread_id"):
        return str(message["message_thread_id"])
    return None


def _moment(unix_s: object, received_at: datetime) -> datetime:
    """When it happened, if that is given and a valid date."""
    moment = whole(unix_s)
    if moment is None:
        return received_at
    try:
        return datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        return received_at
