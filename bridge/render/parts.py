"""The result of rendering: the parts of a message, each of them one message to send or the new state of one copy. Types only;
`message` makes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import msgspec

from bridge.model.adapter import ListedFile, OutboundFile, Reply, Sender
from bridge.model.capabilities import Feature
from bridge.model.events import Contact, Location, Poll
from bridge.model.original import Original
from bridge.model.outcomes import LossNote
from bridge.model.rich_text import EMPTY, RichText


class Held(Enum):
    """What an existing copy is made of, for an edit that has to fit it."""

    WORDS = auto()
    FILES = auto()
    """Words may stand beside them."""
    FILES_ALONE = auto()
    """The target has no words beside them: a voice message, a sticker."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One message to send, or for an edit the new text of one copy."""

    text: RichText = EMPTY
    files: tuple[OutboundFile, ...] = ()
    sender: Sender | None = None
    reply: Reply | None = None
    mass_mentions: bool = False
    previews: bool = True
    location: Location | None = None
    """As it is shown natively; elsewhere it is in the text. The same goes for `contact`."""
    contact: Contact | None = None
    poll: Poll | None = None
    """As it is posted natively; a poll that is text can never become one later."""
    listed: tuple[ListedFile, ...] = ()
    """Of the message's first part: the files that are lines of its text."""
    original: Original | None = None
    alone: Feature | None = None
    """LOCATION or CONTACT: it is that, natively, and nothing else; it answers the words before it, if there are any."""
    has_files: bool = False
    """Whether the message has files: those in `files`, or for an edit those that it keeps."""
    wordless: bool = False
    """Whether these files take no words, now or later."""
    silent: bool = False
    """Nobody is notified of it, where the target can do that."""
    surplus: bool = False
    """For an edit: the copy at this place is no longer needed, since the text became shorter; delete it."""
    unchanged: bool = False
    """For an edit: this copy is not affected and stays as it is."""

    @property
    def says(self) -> bool:
        """Whether it has anything besides files."""
        return bool(self.text) or any(one is not None for one in (self.location, self.contact, self.poll))


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """At least one part. For an edit with `existing`, `parts[n]` belongs to the n-th existing copy; those beyond are new."""

    parts: tuple[Part, ...]
    losses: tuple[LossNote, ...] = ()
    left_out: int = 0
    """Characters of the text that are not in the parts: it would need too many messages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextParts:
    """A message of text alone, taken apart: what `render.merge` puts merged messages together from."""

    head: RichText
    """The line above it that says whose it is; empty where senders are native."""
    tail: RichText
    """The same above further parts."""
    body: RichText
    sender: Sender | None
    previews: bool
    losses: tuple[LossNote, ...]
