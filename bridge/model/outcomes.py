"""The closed vocabulary of outcomes: of input, of deliveries, the rules that skip one, what a copy lost.

Each word's value is what the journal stores and an admin reads; `label` is the same for metrics and for machines. Nothing else is
ever written as a rule or as a loss. A word that needs a detail (a line of a filter, a kind of file) is given with it as a
`NamedSkip` or a `LossOf`."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class _Word(StrEnum):
    @property
    def label(self) -> str:
        """Lower-case letters and `_`; the same for ever."""
        return self.name.lower()


class Arrival(_Word):
    """The outcome of an event that an adapter passed on."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """An event with that key exists already."""
    ECHO = "echo"
    """Our own message came back."""
    NO_ROUTE = "no route"
    """No route begins in its chat or thread."""
    TYPING = "typing"
    """Shown at once where a route wants it, never stored."""
    UNDECODABLE = "undecodable"
    """Stored as it came: it was not understood."""


class Outcome(_Word):
    """The outcome of a delivery, or of an attempt at it."""

    DELIVERED = "delivered"
    SKIPPED = "skipped"
    DEAD = "dead"
    """Includes held deliveries, which may have arrived and which the route leaves to a human."""
    DEFERRED = "deferred"
    """The attempt did not succeed; another follows."""
    UNKNOWN = "unknown"
    """It is unknown whether the attempt succeeded."""


class Skip(_Word):
    """The rules by which an event is not delivered to one of its targets."""

    # the configuration says so
    FILTER = "filter"
    """A line of the route's filter drops it. Always a `NamedSkip`."""
    NOT_KEPT = "filter: nothing keeps it"
    """The route's filter has lines that keep, and none of them does."""
    THREADS_OFF = "messages in threads are off"
    EDITS_OFF = "edits are off"
    DELETES_OFF = "deletes are off"
    REACTIONS_OFF = "reactions are off"
    POLL_VOTES_OFF = "votes in polls are off"
    MEMBERSHIP_OFF = "membership is off"
    RENAMES_OFF = "renames are off"
    PINS_OFF = "pins are off"
    TYPING_OFF = "typing is off"
    STATUSES_OFF = "statuses are off"
    BOTS_OFF = "bots are off"
    ROUTE_REMOVED = "its route was removed"
    DROPPED_BY_ADMIN = "dropped by an admin"
    COMMAND = "a command to the bridge"
    OPTED_OUT = "its author opted out"
    NOT_RELAYED = "relay is off for its author"
    """In the `people` of bridge.yaml."""
    MUTED = "its author is muted"

    # there is nothing to apply it to
    EDIT_WITHOUT_COPY = "the edited message has no copy here"
    DELETED_BEFORE = "it was deleted before it was sent"
    SUPERSEDED = "a later change of the message took its place"
    DELETE_WITHOUT_COPY = "the deleted message has no copy here"
    REACTION_WITHOUT_COPY = "the message reacted to has no copy here"
    VOTES_WITHOUT_COPY = "the poll has no copy here"
    POLL_UNKNOWN = "nothing is known of the poll any more"
    VOTES_SHOWN_LATER = "a later count of the poll is shown in its place"
    REACTIONS_SHOWN_LATER = "a later state of the reactions is shown in its place"
    PIN_WITHOUT_COPY = "the pinned message has no copy here"
    THREAD_WITHOUT_PARTNER = "the thread has no thread of its own here"
    THREAD_CHANGED_SINCE = "the thread was changed again since"
    THREAD_GONE = "its thread here is gone"
    COPY_DELETED = "only a copy was deleted"
    COPY_GONE = "its copy was deleted there by somebody else"
    NOTHING_CHANGED = "the edit changed nothing that is shown"
    LEFT_BEHIND = "its copy stayed behind when the chat got a new id"

    # the target cannot
    CANNOT_EDIT = "this platform cannot edit"
    CANNOT_DELETE = "this platform cannot delete"
    CANNOT_REACT = "this platform cannot react"
    REACTION_REFUSED = "the target does not take the reaction"
    """An emoji that it does not know, a chat that does not allow it, a right that is missing. A `NamedSkip` that says which."""
    PIN_REFUSED = "the target does not pin or unpin it"
    """A right that is missing, too many pins, the message is gone there. A `NamedSkip` that says which."""
    EDIT_REFUSED = "the target does not let it be edited"
    """Its copy is too old, or no longer the bot's. A `NamedSkip` that says which."""
    DELETE_REFUSED = "the target does not let it be deleted"
    """As `EDIT_REFUSED`."""
    MERGED_AND_CANNOT_EDIT = "its copy holds other messages too, and this platform cannot edit"

    # it is no message of its own
    OTHER_BRIDGE = "copy by another bridge"
    TYPING_NOT_KEPT = "typing is not kept"
    NOTICE_STORM = "too many such lines about that person"


class NamedSkip(str):
    """A rule that has a name of its own. The text is what is stored and shown."""

    __slots__ = ("skip",)
    skip: Skip

    def __new__(cls, skip: Skip, text: str) -> Self:
        made = super().__new__(cls, text)
        made.skip = skip
        return made


SkipRule = Skip | NamedSkip


def rule_of(skip: SkipRule) -> Skip:
    return skip.skip if isinstance(skip, NamedSkip) else skip


def read_skip(stored: str) -> Skip | None:
    """The rule that a journal's text names. None: a text of another version, to be shown as it is."""
    try:
        return Skip(stored)
    except ValueError:
        pass
    if stored.startswith(f"{Skip.FILTER} "):
        return Skip.FILTER
    return next((skip for skip in _SAID_WHY if stored.startswith(f"{skip}: ")), None)


_SAID_WHY = (Skip.REACTION_REFUSED, Skip.PIN_REFUSED, Skip.EDIT_REFUSED, Skip.DELETE_REFUSED)
"""Their texts go on with the platform's reason."""


class Loss(_Word):
    """What a copy lacks or shows by other means. A word with `LossOf` in its description always comes with a text of its own."""

    # marks and blocks
    HEADING_AS_BOLD = "heading shown as a bold line"
    CODE_BLOCK_AS_TEXT = "code block shown as plain text"
    CODE_LANGUAGE = "language of a code block dropped"
    LIST_AS_TEXT = "list shown as text"
    TABLE_AS_TEXT = "table shown as columns of text"
    QUOTE_AS_SIGNS = "quote shown with > signs"
    NESTED_QUOTE_AS_SIGNS = "quote within a quote shown with > signs"
    SPOILER_OPEN = "spoiler shown in the open"
    MENTION_AS_NAME = "mention shown as a name"
    MASS_MENTION = "mention of everyone without a ping"
    EMOJI_AS_TEXT = "custom emoji shown as text"
    TIME_AS_TEXT = "local time shown as fixed text"
    LINK_AS_ADDRESS = "link shown as its address"
    UNDERLINE_AS_ITALIC = "underline shown as italic"
    UNDERLINE = "underline dropped"
    BOLD = "bold dropped"
    ITALIC = "italic dropped"
    STRIKETHROUGH = "strikethrough dropped"
    INLINE_CODE = "inline code dropped"
    FORMATTING_REFUSED = "formatting dropped: the platform refused it"
    SHORTENED = "shortened"
    """`LossOf` says why."""
    NOT_REWRITTEN = "a rewrite was left out"
    """`LossOf` says which: it took too long, or made too much."""

    # around the words
    SENDER_AS_LINE = "sender shown as a line in the text"
    SENDER_NOT_ALLOWED = "sender shown in the text: the bridge may not use other names there"
    REPLY_AS_QUOTE = "reply shown as a quote"
    REPLY_GONE = "the answered message is gone"
    NO_THREAD = "posted in the chat: a thread could not be begun there"
    TITLE_AS_LINE = "title of the thread shown as a line"
    THREAD_CHANGE_AS_LINE = "change of the thread shown as a line"
    """`LossOf` says why, where the target refused it."""
    OUTSIDE_THREAD = "posted outside of its thread, which is gone or takes no replies"
    POLL_AS_TEXT = "poll shown as text"
    LOCATION_AS_TEXT = "location shown as text"
    CONTACT_AS_TEXT = "contact shown as text"

    # files
    FILE_AS_LINE = "file shown as a line"
    """`LossOf` says which kind, and why."""
    FILE_AS_OTHER_KIND = "file sent as another kind"
    """`LossOf` says as which."""
    ALT_TEXT = "description of a file dropped"
    FILES_NOT_COMPARED = "files of an older message are not compared"
    FILE_STAYS = "a removed file stays"
    """`LossOf` says why."""


class LossOf(str):
    """A loss with what it is about. The text is what is stored and shown."""

    __slots__ = ("loss",)
    loss: Loss

    def __new__(cls, loss: Loss, text: str) -> Self:
        made = super().__new__(cls, text)
        made.loss = loss
        return made


LossNote = Loss | LossOf
