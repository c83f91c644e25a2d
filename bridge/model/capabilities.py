"""What a platform can do, as data: a level per feature, and limits with their units. Each adapter fills this in, with sources."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from bridge.model.media import Media


class Support(StrEnum):
    """How a platform shows a feature (or, for SEES_*, whether it reports it)."""

    FULL = "full"
    """Native."""
    PARTIAL = "partial"
    """Native with a limit that the note names."""
    CONVERTED = "converted"
    """Shown by other means (a prefix, a visible line, a quote)."""
    DROPPED = "dropped"
    """Not shown; declared and documented."""


class Feature(StrEnum):
    """Everything that differs between platforms."""

    # text
    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKE = "strike"
    SPOILER = "spoiler"
    CODE = "code"
    CODE_BLOCK = "code_block"
    CODE_LANGUAGE = "code_language"
    QUOTE = "quote"
    NESTED_QUOTE = "nested_quote"
    """A quote within a quote."""
    LINK = "link"
    MENTION = "mention"
    HEADING = "heading"
    LIST = "list"
    TABLE = "table"
    """A table whose cells are plain words; elsewhere it is columns of text in a code block."""
    CUSTOM_EMOJI = "custom_emoji"
    TIMESTAMP = "timestamp"
    # operations into the platform: FULL or PARTIAL exactly when the adapter has the ability's method
    EDIT = "edit"
    DELETE = "delete"
    REMOVE_FILE = "remove_file"
    """A file can be removed from a message that keeps its text."""
    REACT = "react"
    REPLY = "reply"
    THREAD = "thread"
    THREAD_TITLE = "thread_title"
    """Threads have names, wherever they begin."""
    RENAME_THREAD = "rename_thread"
    CLOSE_THREAD = "close_thread"
    DELETE_THREAD = "delete_thread"
    PIN = "pin"
    TYPING = "typing"
    STATUS = "status"
    HISTORY = "history"
    RECONCILE = "reconcile"
    # identity
    SENDER_NAME = "sender_name"
    SENDER_AVATAR = "sender_avatar"
    # files
    PHOTO = "photo"
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"
    DOCUMENT = "document"
    ANIMATION = "animation"
    STICKER = "sticker"
    ALBUM = "album"
    LOCATION = "location"
    CONTACT = "contact"
    POLL = "poll"
    # what the platform reports to us
    SEES_EDITS = "sees_edits"
    SEES_DELETES = "sees_deletes"
    SEES_REACTIONS = "sees_reactions"
    SEES_VOTES = "sees_votes"
    SEES_MEMBERSHIP = "sees_membership"
    SEES_PINS = "sees_pins"


class Capability(msgspec.Struct, frozen=True):
    """One feature's level and, where it is not plainly FULL, the reason or condition in a few words for an admin."""

    level: Support
    note: str = ""


class PollLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a native poll may be; another one is text. Lengths in code points. A native poll has a caption, if any text."""

    options_least: int
    options_most: int
    question_length: int
    option_length: int
    longest_s: float | None = None
    """How long it may be open; one that is to be open longer, or without an end, is open so long. None: without an end."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds that the core must keep. Text lengths are in the unit of the adapter's own `measure`."""

    text_length: int
    """Longest text of a message without files."""
    caption_length: int
    """Longest text of a message with files; 0 where such a message cannot carry text."""
    edit_length: int | None = None
    """Longest text of an edit, if shorter than `text_length`."""
    attachments_per_message: int = 1
    upload_bytes: int
    """Largest file that can be sent."""
    download_bytes: int | None = None
    """Largest file that can be fetched; None: no limit of its own."""
    photo_bytes: int | None = None
    """Largest file that can be sent as a photo; above it a photo travels as a document."""
    sender_name_length: int = 80
    poll: PollLimits | None = None
    """Only where POLL is native."""
    contact_needs_phone: bool = False
    """Whether a native contact must have a phone number; another one is text."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """At most `messages` in any `span_s` seconds. The first `burst` of them are sent at once, the others are spread over the rest
    of the span: otherwise a long window would end in a long pause. None: all at once."""

    messages: int
    span_s: float
    burst: int | None = None


class Operation(StrEnum):
    """Operations in a chat that platforms count separately."""

    SEND = "send"
    EDIT = "edit"
    DELETE = "delete"
    REACT = "react"
    UNREACT = "unreact"
    """Removing a reaction; counts as REACT if it has no windows of its own."""
    PIN = "pin"


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """How often new messages may be sent; all windows apply. Declare only what the platform documents, or what is known to cause a
    429: the rest is learned from its answers."""

    per_chat: tuple[Window, ...] = ()
    per_account: tuple[Window, ...] = ()
    counts_files: bool = False
    """Whether each file of a message counts as a message."""
    changes: Mapping[Operation, Rates] = {}
    """The windows of each operation on existing messages; operations that are not listed are not limited."""

    def of(self, operation: Operation) -> Rates:
        return self if operation is Operation.SEND else self.changes.get(operation, UNLIMITED)


UNLIMITED = Rates()


class RetrySchedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a delivery that failed is tried again, for platforms whose receivers expect certain moments. It then replaces the core's
    own back-off, and its end the core's own moment of giving up; what a route says of giving up still wins."""

    waits_s: tuple[float, ...]
    """From each attempt to the next. Tried longer than this, by the wish of a route: the last wait again and again."""
    jitter: float = 0.1
    """Each wait is longer by up to this part of itself, so that not all come back at once. None is shorter."""

    @property
    def span_s(self) -> float:
        return sum(self.waits_s)


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """A platform's levels, limits and rates. A feature that is not listed is DROPPED."""

    features: Mapping[Feature, Capability]
    limits: Limits
    rates: Rates = UNLIMITED
    media: Media = Media()
    retry: RetrySchedule | None = None
    """None: the core's own back-off. With one, the account's chats are taken for receivers that have nothing to do with each other:
    that others are served says nothing about a message that fails."""

    knows_repeats: bool = False
    """Whether a message that is sent again under its `Outbound.token` is known for the same. Then no outcome is unknown: what may
    have arrived is simply sent again."""
    alone: frozenset[Feature] = frozenset()
    """Those of LOCATION and CONTACT that are messages of their own where they are native: no words and no files beside them."""
    takes_data: bool = False
    """Whether programs read what is sent: then `Outbound.original` holds all that the message is, beside the words for people."""
    natives: frozenset[Feature] = frozenset()
    """What the platform shows or does itself (FULL or PARTIAL): always that of `features`, whatever is given. Every message asks
    for it several times."""

    def __post_init__(self) -> None:
        native = frozenset(feature for feature in self.features if self.level(feature) in (Support.FULL, Support.PARTIAL))
        msgspec.structs.force_setattr(self, "natives", native)

    def level(self, feature: Feature) -> Support:
        found = self.features.get(feature)
        return found.level if found else Support.DROPPED

    def native(self, feature: Feature) -> bool:
        """Whether the platform shows or does this itself (FULL or PARTIAL)."""
        return feature in self.natives

    def note(self, feature: Feature) -> str:
        found = self.features.get(feature)
        return found.note if found else ""


def features(table: Mapping[Feature, Capability | Support]) -> Mapping[Feature, Capability]:
    """A read-only feature table in which a bare level stands for itself without a note."""
    return MappingProxyType(
        {feature: entry if isinstance(entry, Capability) else Capability(entry) for feature, entry in table.items()}
    )
