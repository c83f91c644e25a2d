"""Bot API updates -> chat events. Pure; called by `receive` for one update at a time.

Works on plain JSON, so that one strange value spoils one update and not a batch. `Undecodable` means: keep it, count it, go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from adapters.telegram.decode_content import author_name, decode_content, decode_item
from adapters.telegram.reactions import qualified
from adapters.telegram.wire import Json, Message, Update, User, full_name, sender_of
from bridge.events import (
    Author,
    ChatEvent,
    ChatRenamed,
    EventMeta,
    Ignored,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
)
from bridge.refs import AccountName, ChatRef

DOWNLOAD_BYTES = 20 * 1024**2
"""The largest file that the cloud's getFile hands out. Source: platforms.md 1.4."""

_T = TypeVar("_T")

_SERVICE_FIELDS = frozenset(
    """delete_chat_photo new_chat_photo group_chat_created supergroup_chat_created channel_chat_created
    message_auto_delete_timer_changed successful_payment refunded_payment users_shared chat_shared gift unique_gift
    gift_upgrade_sent connected_website write_access_allowed passport_data proximity_alert_triggered boost_added
    chat_background_set checklist_tasks_done checklist_tasks_added direct_message_price_changed forum_topic_closed
    forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden giveaway_created giveaway_winners
    giveaway_completed paid_message_price_changed suggested_post_approved suggested_post_approval_failed
    suggested_post_declined suggested_post_paid suggested_post_refunded video_chat_scheduled video_chat_started
    video_chat_ended video_chat_participants_invited web_app_data chat_owner_left chat_owner_changed poll_option_added
    poll_option_deleted managed_bot_created""".split()  # noqa: SIM905 - a list of this length reads better as words
)


class Undecodable(ValueError):
    """An update whose shape is not understood. The text says what was missing, without content."""


class AlbumItem(msgspec.Struct, frozen=True):
    """One message of an album; the others may still be on their way (`receive` collects them)."""

    group: str
    message: Message


class AlbumEdit(msgspec.Struct, frozen=True):
    """An edit of one message of an album, which may still be held back itself: `message` as it is now."""

    message: Message
    event: MessageEdited


class Moved(msgspec.Struct, frozen=True):
    """A group became a supergroup."""

    old_chat_id: str
    new_chat_id: str


class Removed(msgspec.Struct, frozen=True):
    """The bot was removed from a chat, or is no administrator any more."""

    chat_id: str
    title: str
    status: str


class Restored(msgspec.Struct, frozen=True):
    """The bot is an administrator of a chat (again)."""

    chat_id: str


Decoded = ChatEvent | AlbumItem | AlbumEdit | Moved | Removed | Restored | Ignored


class Decoder(msgspec.Struct, frozen=True, kw_only=True):
    """Decodes for one account. `bot_id` recognises our own service messages; times of receipt are the caller's."""

    account: AccountName
    bot_id: str
    download_bytes: int | None = DOWNLOAD_BYTES

    def update(self, update: Update | Json, received_at: datetime) -> Sequence[Decoded]:
        """What an update means. Raises Undecodable, and nothing else, for a shape that is not understood."""
        return _guarded(lambda: self._update(update, received_at), _kind_of(update))

    def album(self, messages: Sequence[Message], received_at: datetime) -> MessageCreated:
        """The event of a collected album. Raises Undecodable."""
        return _guarded(lambda: self._created(messages, received_at), "an album")

    def _update(self, update: Any, received_at: datetime) -> Sequence[Decoded]:
        for kind in ("message", "channel_post"):
            if kind in update:
                return self._message(update[kind], received_at)
        for kind in ("edited_message", "edited_channel_post"):
            if kind in update:
                return [self._edited(update[kind], received_at)]
        if "message_reaction" in update:
            return [self._reaction(update["message_reaction"], int(update["update_id"]), received_at)]
        if "my_chat_member" in update:
            return [_membership_of_bot(update["my_chat_member"])]
        return [Ignored(f"update of kind {_kind_of(update)}")]

    # -- messages -----------------------------------------------------------------------------------------------------------

    def _message(self, message: Message, received_at: datetime) -> Sequence[Decoded]:
        moved = _moved(message)
        if moved is not None:
            return [moved]
        if message.get("is_automatic_forward"):
            return [Ignored("automatic forward from the linked channel")]
        if not message["message_id"]:
            return [Ignored("message without an id")]
        service = self._service(message, received_at)
        if service is not None:
            return service
        if "media_group_id" in message:
            return [AlbumItem(f"{message['chat']['id']}/{message['media_group_id']}", message)]
        return [self._created([message], received_at)]

    def _created(self, messages: Sequence[Message], received_at: datetime) -> MessageCreated:
        first = messages[0]
        content = decode_content(messages, download_bytes=self.download_bytes)
        if content is None:
            raise Undecodable(f"a message with no known content (fields: {', '.join(sorted(first))})")
        return MessageCreated(
            meta=self._meta(first, "created", received_at),
            message_id=str(first["message_id"]),
            content=content,
            also_ids=tuple(str(message["message_id"]) for message in messages[1:]),
            items=tuple(decode_item(message, download_bytes=self.download_bytes) for message in messages)
            if "media_group_id" in first
            else (),
        )

    def _edited(self, message: Message, received_at: datetime) -> Decoded:
        if message.get("is_automatic_forward"):
            return Ignored("automatic forward from the linked channel")
        if "edit_date" not in message:
            return Ignored("edit without a visible change")
        if (message.get("location") or {}).get("live_period"):
            return Ignored("live location moved")
        content = decode_content([message], download_bytes=self.download_bytes)
        if content is None:
            raise Undecodable(f"an edit with no known content (fields: {', '.join(sorted(message))})")
        # Telegram also reports changes that nobody sees: the same date with the same content is the same event
        version = f"{message['edit_date']}-{_digest(content)}"
        event = MessageEdited(
            meta=self._meta(message, "edited", received_at, version=version, at=message["edit_date"]),
            message_id=str(message["message_id"]),
            content=content,
            album_item="media_group_id" in message,
        )
        return AlbumEdit(message, event) if event.album_item else event

    def _service(self, message: Message, received_at: datetime) -> Sequence[Decoded] | None:
        """What a service message means; None for an ordinary one."""
        if (members := message.get("new_chat_members")) is not None:
            return [self._membership(message, user, MembershipKind.JOINED, received_at) for user in members]
        if (member := message.get("left_chat_member")) is not None:
            return [self._membership(message, member, MembershipKind.LEFT, received_at)]
        if (pinned := message.get("pinned_message")) is not None:
            meta = self._meta(message, "pins", received_at)
            return [PinsChanged(meta=meta, message_id=str(pinned["message_id"]), pinned=True)]
        if (title := message.get("new_chat_title")) is not None:
            return [ChatRenamed(meta=self._meta(message, "renamed", received_at), name=title)]
        for field in ("forum_topic_created", "forum_topic_edited"):
            topic: Any = message.get(field)
            if topic is not None:
                if not topic.get("name"):
                    return [Ignored("topic icon changed")]
                return [ChatRenamed(meta=self._meta(message, "renamed", received_at), name=str(topic["name"]))]
        found = next((field for field in message if field in _SERVICE_FIELDS), None)
        if found is not None:
            return [Ignored(f"service message {found}")]
        return None

    def _membership(self, message: Message, user: User, change: MembershipKind, received_at: datetime) -> MembershipChanged:
        meta = self._meta(message, "membership", received_at, version=f"{user['id']}")
        return MembershipChanged(meta=meta, change=change, member=author_of(user))

    # -- reactions ----------------------------------------------------------------------------------------------------------

    def _reaction(self, reaction: Json, update_id: int, received_at: datetime) -> Decoded:
        old, new = _emoji(reaction["old_reaction"]), _emoji(reaction["new_reaction"])
        added = tuple(emoji for emoji in new if emoji not in old)
        removed = tuple(emoji for emoji in old if emoji not in new)
        if not added and not removed:
            return Ignored("reaction without a change")
        chat_id, message_id = str(reaction["chat"]["id"]), str(reaction["message_id"])
        user, actor = reaction.get("user"), reaction.get("actor_chat")
        author = author_of(user) if user else Author(user_id=str(actor["id"]), name=actor.get("title", "")) if actor else None
        meta = EventMeta(
            event_key=f"reactions:{self.account}:{chat_id}:{message_id}:{update_id}",
            origin=ChatRef(self.account, chat_id),
            occurred_at=_moment(reaction["date"]),
            received_at=received_at,
            author=author,
            sent_by_us=author is not None and author.user_id == self.bot_id,
        )
        return ReactionsChanged(meta=meta, message_id=message_id, added=added, removed=removed)

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _meta(self, message: Message, kind: str, received_at: datetime, *, version: str = "", at: int | None = None) -> EventMeta:
        chat_id, message_id = str(message["chat"]["id"]), str(message["message_id"])
        sender = sender_of(message)
        key = f"{kind}:{self.account}:{chat_id}:{message_id}"
        return EventMeta(
            event_key=f"{key}:{version}" if version else key,
            origin=ChatRef(self.account, chat_id),
            thread_id=_thread(message),
            author=_author(message),
            occurred_at=_moment(message["date"] if at is None else at),
            received_at=received_at,
            sent_by_us=sender is not None and str(sender["id"]) == self.bot_id and "sender_chat" not in message,
        )


def _guarded(decode: Callable[[], _T], what: str) -> _T:
    try:
        return decode()
    except Undecodable:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, OSError) as error:
        raise Undecodable(f"{type(error).__name__} in {what}") from error


def _kind_of(update: Any) -> str:
    return next((str(name) for name in update if name != "update_id"), "nothing") if isinstance(update, dict) else "no object"


def _moment(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)


def _digest(value: Any) -> str:
    return hashlib.blake2b(msgspec.json.encode(value), digest_size=6).hexdigest()


def _thread(message: Message) -> str | None:
    """Only forum topics are threads: other supergroups carry `message_thread_id` on reply chains, and the General topic has none
    (platforms.md 1.2)."""
    if message.get("is_topic_message") and message.get("message_thread_id"):
        return str(message["message_thread_id"])
    return None


def author_of(user: User) -> Author:
    return Author(user_id=str(user["id"]), name=full_name(user), username=user.get("username", ""), is_bot=bool(user.get("is_bot")))


def _author(message: Message) -> Author | None:
    """`sender_chat` first: then `from` is a stand-in that Telegram fills in for old clients."""
    chat = message.get("sender_chat")
    if chat is not None:
        return Author(user_id=str(chat["id"]), name=author_name(message), username=chat.get("username", ""))
    sender = sender_of(message)
    if sender is not None:
        return author_of(sender)
    signature = message.get("author_signature")
    return Author(user_id="", name=signature) if signature else None


def _emoji(reactions: Sequence[Json]) -> list[str]:
    found: list[str] = []
    for reaction in reactions:
        match reaction["type"]:
            case "emoji":
                found.append(qualified(reaction["emoji"]))
            case "paid":
                found.append("\N{WHITE MEDIUM STAR}")
            case _:
                found.append(":custom:")
    return found


def _moved(message: Message) -> Moved | None:
    chat_id = str(message["chat"]["id"])
    if "migrate_to_chat_id" in message:
        return Moved(chat_id, str(message["migrate_to_chat_id"]))
    if "migrate_from_chat_id" in message:
        return Moved(str(message["migrate_from_chat_id"]), chat_id)
    return None


def _membership_of_bot(change: Json) -> Removed | Restored:
    status = str(change["new_chat_member"]["status"])
    if status in ("administrator", "creator"):
        return Restored(str(change["chat"]["id"]))
    return Removed(str(change["chat"]["id"]), str(change["chat"].get("title", "")), status)
