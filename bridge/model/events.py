"""The normalized event model: what can happen in a chat, in one vocabulary for all platforms. Types, and cleaning that makes events
storable.

An adapter's `decode` makes these from native payloads; the journal stores them as JSON; `routing` and `render` read them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, get_args

import msgspec

from bridge.model.capabilities import Feature
from bridge.model.characters import clean
from bridge.model.content import AlbumItem as AlbumItem
from bridge.model.content import Attachment as Attachment
from bridge.model.content import Author as Author
from bridge.model.content import Contact as Contact
from bridge.model.content import Content as Content
from bridge.model.content import Forward as Forward
from bridge.model.content import Location as Location
from bridge.model.content import Part
from bridge.model.content import Poll as Poll
from bridge.model.content import PollOption as PollOption
from bridge.model.content import ReplyTo as ReplyTo
from bridge.model.content import Still as Still
from bridge.model.kinds import Traits
from bridge.model.media import AttachmentKind as AttachmentKind
from bridge.model.outcomes import Skip
from bridge.model.refs import ChatRef
from bridge.model.rich_text import RichText, concat


class EventMeta(Part, frozen=True):
    """The data of every event. `event_key` identifies the event within the whole bridge and is the same when the platform
    redelivers it, and when it is read from history: by convention `<kind>:<account>:<chat>:<message>[:<version>]`. Times are aware
    UTC. `sent_by_us` is set by the adapter when the platform itself shows that this account posted the message (own bot id, own
    webhook); `delivery_id` when the platform returned our own mark (metadata, nonce, client id)."""

    event_key: str
    origin: ChatRef
    occurred_at: datetime
    received_at: datetime
    thread_id: str | None = None
    thread_title: str = ""
    """The thread's name, where it has one and the adapter knows it."""
    author: Author | None = None
    sent_by_us: bool = False
    delivery_id: str = ""
    is_private: bool = False
    """The platform itself states that the chat is one of a single person and this account. False where it does not say."""


class _Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    traits: ClassVar[Traits]
    meta: EventMeta


class MessageChange(_Event, frozen=True):
    """A change of an existing message: it goes wherever that message has copies."""

    message_id: str


class MessageCreated(_Event, frozen=True, tag="created"):
    """`also_ids`: further native messages that make up this one (an album of several), for edits and replies that name them."""

    traits: ClassVar[Traits] = Traits(title="messages", echoes=True)
    message_id: str
    content: Content
    also_ids: tuple[str, ...] = ()
    items: tuple[AlbumItem, ...] = ()
    """Of an album: the content of each native message, `message_id` first, then `also_ids`. `content` is all of it."""


class MessageEdited(MessageChange, frozen=True, tag="edited"):
    """`content` is the whole new content. `attachments_known=False`: the platform reported only the text; files are unchanged."""

    traits: ClassVar[Traits] = Traits(
        title="edits",
        switch="edits",
        off=Skip.EDITS_OFF,
        posts=False,
        echoes=True,
        sees=Feature.SEES_EDITS,
        needs=Feature.EDIT,
    )
    content: Content
    attachments_known: bool = True
    album_item: bool = False
    """It is of one native message of an album, and `content` is that message's alone. Intake makes the whole album of it. It stays
    only where the other items are not known (an album of a version that did not keep them): without text such an edit leaves the
    album's words as they are."""
    item: AlbumItem | None = None
    """Set by intake: what that one message says now, where `content` is the whole album."""


class MessageDeleted(MessageChange, frozen=True, tag="deleted"):
    traits: ClassVar[Traits] = Traits(
        title="deletes",
        switch="deletes",
        off=Skip.DELETES_OFF,
        posts=False,
        echoes=True,
        sees=Feature.SEES_DELETES,
        needs=Feature.DELETE,
    )
    everywhere: bool = False
    """A moderator takes the message away, the original too."""


class ReactionsChanged(MessageChange, frozen=True, tag="reactions"):
    """One person's change on one message. Emoji are Unicode, or `:name:` for custom ones."""

    traits: ClassVar[Traits] = Traits(
        title="reactions",
        switch="reactions",
        off=Skip.REACTIONS_OFF,
        posts=False,
        sees=Feature.SEES_REACTIONS,
        needs=Feature.REACT,
    )
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class PollVotesChanged(MessageChange, frozen=True, tag="votes"):
    """How people have voted by now on the poll of one message, original or copy: the whole count. `closed`: on that message."""

    traits: ClassVar[Traits] = Traits(
        title="votes in polls",
        switch="poll_votes",
        off=Skip.POLL_VOTES_OFF,
        posts=False,
        sees=Feature.SEES_VOTES,
    )
    votes: tuple[int, ...]
    """For each option, in the poll's own order."""
    closed: bool = False


class TypingStarted(_Event, frozen=True, tag="typing"):
    traits: ClassVar[Traits] = Traits(
        title="typing", switch="typing", off=Skip.TYPING_OFF, posts=False, kept=False, needs=Feature.TYPING
    )


class MembershipKind(StrEnum):
    JOINED = "joined"
    LEFT = "left"


class MembershipChanged(_Event, frozen=True, tag="membership"):
    """`member` joined or left; `meta.author` is the person who did it, if somebody else."""

    traits: ClassVar[Traits] = Traits(
        title="joins and leaves", switch="membership", off=Skip.MEMBERSHIP_OFF, sees=Feature.SEES_MEMBERSHIP
    )
    change: MembershipKind
    member: Author


class ChatRenamed(_Event, frozen=True, tag="renamed"):
    """`name` of the chat, or of its thread when `meta.thread_id` is set."""

    traits: ClassVar[Traits] = Traits(title="renames", switch="renames", off=Skip.RENAMES_OFF)
    name: str


class ThreadChange(StrEnum):
    RENAMED = "renamed"
    CLOSED = "closed"
    """Somebody decided that it takes no more messages. One that fell asleep, and wakes with the next message, is not closed."""
    REOPENED = "reopened"


class ThreadEvent(_Event, frozen=True):
    """What became of a whole thread: `meta.thread_id`. None: the part of the chat that is no thread, where a platform lets that be
    changed by itself."""


class ThreadChanged(ThreadEvent, frozen=True, tag="thread"):
    """`name` is the new one, of a renaming."""

    traits: ClassVar[Traits] = Traits(title="new names, closings and reopenings of threads", posts=False)
    change: ThreadChange
    name: str = ""


class ThreadDeleted(ThreadEvent, frozen=True, tag="thread_deleted"):
    """With all that was said in it."""

    traits: ClassVar[Traits] = Traits(title="deletions of threads", posts=False)


class PinsChanged(MessageChange, frozen=True, tag="pins"):
    traits: ClassVar[Traits] = Traits(
        title="pins",
        switch="pins",
        off=Skip.PINS_OFF,
        sees=Feature.SEES_PINS,
        needs=Feature.PIN,
        else_a_line=True,
    )
    pinned: bool


class Status(StrEnum):
    ONLINE = "online"
    AWAY = "away"
    BUSY = "busy"
    OFFLINE = "offline"
    OTHER = "other"
    """Of the platform's own kind, which the text names."""


class StatusChanged(_Event, frozen=True, tag="status"):
    traits: ClassVar[Traits] = Traits(title="statuses", switch="statuses", off=Skip.STATUSES_OFF)
    status: Status
    text: str = ""


class BridgeSaid(_Event, frozen=True, tag="said"):
    """The bridge itself says something, in the chat that the event is of: the answer to a command, what became of a message.

    `marks`: emoji of which the first that the chat takes is put on the message `about` instead, where the bot can react there."""

    traits: ClassVar[Traits] = Traits(title="words of the bridge")
    text: RichText
    about: str = ""
    """The native message that it answers; empty: none."""
    marks: tuple[str, ...] = ()
    unmark: bool = False
    """The marks are taken off again, and nothing is said."""
    only_for: str = ""
    """The native user id of the one person who is to see it, where the platform can do that (`abilities.Whispers`)."""


ChatEvent = (
    MessageCreated
    | MessageEdited
    | MessageDeleted
    | ReactionsChanged
    | PollVotesChanged
    | TypingStarted
    | MembershipChanged
    | ChatRenamed
    | ThreadChanged
    | ThreadDeleted
    | PinsChanged
    | StatusChanged
    | BridgeSaid
)

KINDS: tuple[type[_Event], ...] = get_args(ChatEvent)
"""Every kind there is."""


def as_edited(created: MessageCreated, edit: MessageEdited) -> MessageCreated:
    """The message as if it had been written as edited. What an edit does not repeat stays: what it replies to, its source, and the
    files if the edit contained only the text."""
    content, old = edit.content, created.content
    return msgspec.structs.replace(
        created,
        content=msgspec.structs.replace(
            content,
            attachments=content.attachments if edit.attachments_known else old.attachments,
            reply_to=content.reply_to or old.reply_to,
            forwarded_from=content.forwarded_from or old.forwarded_from,
        ),
    )


def with_items(content: Content, items: Iterable[AlbumItem]) -> Content:
    """The content of an album with these native messages."""
    items = tuple(items)
    return msgspec.structs.replace(
        content,
        text=concat(*(item.text for item in items)),
        attachments=tuple(attachment for item in items for attachment in item.attachments),
    )


def storable(event: ChatEvent) -> ChatEvent:
    """The event itself or, if any of its strings holds half of a surrogate pair (JSON can carry one into a name, a file name or a
    poll; no store and no other platform takes it), the same with its strings cleaned (`model.characters.clean`)."""
    try:
        msgspec.json.encode(event)
    except UnicodeEncodeError:
        cleaned: ChatEvent = msgspec.convert(_cleaned(msgspec.to_builtins(event)), ChatEvent)
        return cleaned
    return event


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case dict():
            return {name: _cleaned(each) for name, each in value.items()}
        case list() | tuple():
            return [_cleaned(each) for each in value]
        case _:
            return value


class Ignored(msgspec.Struct, frozen=True):
    """What `decode` returns for a native payload that is understood and ignored on purpose, with the reason."""

    reason: str
